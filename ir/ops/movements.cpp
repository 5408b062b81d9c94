#include "weft/ir/ops/movements.h"

#include <algorithm>
#include <cstdlib>

namespace weft::ir {

Value pad_or_crop(Builder& b, Value v, int axis, int64_t low, int64_t high) {
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = v.shape()[axis];
  Dims start(v.shape().dims().size(), 0), end(v.shape().dims()), before(start), after(start);
  if (std::max<int64_t>(0, -low) >= extent + std::min<int64_t>(0, high)) {  // nothing of v is left
    end[a] = extent + low + high;
    return b.splat({v.dtype(), Shape(end)}, 0);
  }
  start[a] = std::max<int64_t>(0, -low), end[a] = extent + std::min<int64_t>(0, high);
  before[a] = std::max<int64_t>(0, low), after[a] = std::max<int64_t>(0, high);
  if (low < 0 || high < 0) v = b("slice", {v}, {{"start", start}, {"end", end}});
  return low > 0 || high > 0 ? b("pad", {v}, {{"low", before}, {"high", after}}) : v;
}

Value shifted(Builder& b, Value v, int axis, int64_t by, double fill) {
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = v.shape()[axis], away = std::min(std::abs(by), extent);
  if (away == extent) return b.splat(v.type(), fill);
  Dims none(v.shape().dims().size(), 0), start = none, end = v.shape().dims(), places = none;
  (by < 0 ? start[a] : end[a]) += by < 0 ? away : -away;
  places[a] = away;
  const Value kept = b("slice", {v}, {{"start", start}, {"end", end}});
  return b("pad", {kept}, {{"low", by < 0 ? none : places}, {"high", by < 0 ? places : none}, {"value", fill}});
}

Value scan(Builder& b, Value v, int axis, std::string_view op, double neutral, bool from_end) {
  for (int64_t away = 1; away < v.shape()[axis]; away *= 2) v = b(op, {v, shifted(b, v, axis, from_end ? -away : away, neutral)});
  return v;
}

Value pad_interior(Builder& b, Value v, int axis, int64_t stride) {
  const int64_t n = v.shape()[axis];
  if (stride == 1 || n <= 1) return v;
  // [n] -> [n, 1] -> [n, stride] -> [n * stride], without the zeros behind the last element.
  Dims cut = v.shape().dims(), joined = cut;
  cut.insert(cut.begin() + axis + 1, 1);
  joined[static_cast<size_t>(axis)] = n * stride;
  v = b.reshape(pad_or_crop(b, b.reshape(v, Shape(cut)), axis + 1, 0, stride - 1), Shape(joined));
  return pad_or_crop(b, v, axis, 0, 1 - stride);
}

}  // namespace weft::ir
