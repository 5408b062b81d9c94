// Padding: of a number, or of x itself.

#include <algorithm>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

Value part(Recorder& r, Value v, int axis, int64_t start, int64_t end) {
  Dims from(v.shape().dims().size(), 0), to = v.shape().dims();
  from[static_cast<size_t>(axis)] = start;
  to[static_cast<size_t>(axis)] = end;
  return r.builder("slice", {v}, {{"start", from}, {"end", to}});
}

Value flipped(Recorder& r, Value v, int axis) { return r.builder("flip", {v}, {{"axes", Dims{axis}}}); }

/// x's first or last element along the axis, so many times.
Value repeated(Recorder& r, Value v, int axis, int64_t place, int64_t count) {
  Dims shape = v.shape().dims();
  shape[static_cast<size_t>(axis)] = count;
  return r.builder.broadcast(part(r, v, axis, place, place + 1), Shape(shape));
}

/// What comes before (or after) x along the axis, `count` elements of it.
Value beyond(Recorder& r, Value v, int axis, int64_t count, bool before, const std::string& mode) {
  const int64_t extent = v.shape()[axis];
  if (mode == "reflect") {
    if (count >= extent) r.fail(fmt::format("reflected padding must be less than the extent, but is {} along axis {}", count, axis));
    return flipped(r, before ? part(r, v, axis, 1, count + 1) : part(r, v, axis, extent - 1 - count, extent - 1), axis);
  }
  if (mode == "replicate") {
    if (extent == 0) r.fail(fmt::format("axis {} has no element to replicate", axis));
    return repeated(r, v, axis, before ? 0 : extent - 1, count);
  }
  if (count > extent) r.fail(fmt::format("circular padding must not be more than the extent, but is {} along axis {}", count, axis));
  return before ? part(r, v, axis, extent - count, extent) : part(r, v, axis, 0, count);
}

/// Without what negative amounts take off.
Value cut(Recorder& r, Value v, const Dims& low, const Dims& high) {
  Dims start, end;
  for (size_t d = 0; d < low.size(); ++d) {
    start.push_back(std::max<int64_t>(-low[d], 0));
    end.push_back(v.shape().dims()[d] - std::max<int64_t>(-high[d], 0));
    if (start[d] > end[d]) r.fail(fmt::format("negative padding takes off more than there is along axis {}", d));
  }
  return end == v.shape().dims() && std::all_of(start.begin(), start.end(), [](int64_t x) { return x == 0; })
             ? v
             : r.builder("slice", {v}, {{"start", start}, {"end", end}});
}

/// Throws unless there are two amounts for each axis that are no absurd ones.
void check(Recorder& r, Value v, const Dims& low, const Dims& high) {
  constexpr int64_t most = int64_t{1} << 60;
  if (low.size() != v.shape().dims().size() || high.size() != low.size()) r.fail("low and high need one entry per axis");
  for (const Dims* amounts : {&low, &high})
    for (int64_t amount : *amounts)
      if (amount > most || amount < -most) r.fail(fmt::format("the padding {} is too large", amount));
}

}  // namespace

Tensor pad(Arg x, Dims low, Dims high, double value) {
  Recorder r("pad", {&x});
  Value v = r.value(x);
  check(r, v, low, high);
  Dims before, after;
  for (int64_t amount : low) before.push_back(std::max<int64_t>(amount, 0));
  for (int64_t amount : high) after.push_back(std::max<int64_t>(amount, 0));
  v = r.builder("pad", {v}, {{"low", before}, {"high", after}, {"value", value}});
  return r.tensor(cut(r, v, low, high));
}

Tensor pad(Arg x, Dims low, Dims high, std::string mode) {
  Recorder r("pad", {&x});
  if (mode == "constant") return pad(x, std::move(low), std::move(high), 0.0);
  if (mode != "reflect" && mode != "replicate" && mode != "circular")
    r.fail("the mode is \"constant\", \"reflect\", \"replicate\" or \"circular\", not \"" + mode + "\"");
  Value v = r.value(x);
  check(r, v, low, high);
  if (mode == "circular") v = cut(r, v, low, high);  // what is left goes round; what is mirrored or repeated is x
  for (int axis = 0; axis < v.shape().rank(); ++axis) {
    const int64_t before = low[static_cast<size_t>(axis)], after = high[static_cast<size_t>(axis)];
    std::vector<Value> parts;
    if (before > 0) parts.push_back(beyond(r, v, axis, before, true, mode));
    parts.push_back(v);
    if (after > 0) parts.push_back(beyond(r, v, axis, after, false, mode));
    if (parts.size() > 1) v = r.builder("concat", parts, {{"axis", int64_t{axis}}});
  }
  return r.tensor(mode == "circular" ? v : cut(r, v, low, high));
}

}  // namespace weft
