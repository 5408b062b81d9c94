// Ops of the tensor language that only move elements: shapes, and the order of axes and elements.

#include <algorithm>
#include <numeric>

#include "weft/frontend/language/diagonal.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {

using detail::Recorder;
using ir::Value;

namespace {

/// `shape` with what makes it hold `elements` in the place of a -1.
Dims completed(const Recorder& r, Dims shape, int64_t elements) {
  const auto unknown = std::find(shape.begin(), shape.end(), -1);
  if (std::count_if(shape.begin(), shape.end(), [](int64_t extent) { return extent < 0; }) > (unknown != shape.end()))
    r.fail("the shape " + to_string(shape) + " has a negative extent; one of them may be -1");
  if (unknown != shape.end()) {
    int64_t known = 1;
    for (auto at = shape.begin(); at != shape.end(); ++at) known *= at == unknown ? 1 : *at;
    if (known <= 0 || elements % known != 0) r.fail("no extent in place of -1 makes the shape " + to_string(shape) + " hold all elements");
    *unknown = elements / known;
  }
  return shape;
}

/// How often `count` times `extent`: an extent, too, which there may be none of.
int64_t product(const Recorder& r, int64_t count, int64_t extent) { return r.shape({count, extent}).numel(); }

}  // namespace

Tensor reshape(Arg x, Dims shape) {
  Recorder r("reshape", {&x});
  const Value v = r.value(x);
  return r("reshape", {v}, {{"shape", completed(r, std::move(shape), v.shape().numel())}});
}

Tensor view(Arg x, Dims shape) { return reshape(std::move(x), std::move(shape)); }

Tensor flatten(Arg x, int64_t start, int64_t end) {
  Recorder r("flatten", {&x});
  Value v = r.value(x);
  const auto first = r.axis_of(v, start), last = r.axis(end, v.shape().rank());
  if (first > last) r.fail(fmt::format("axis {} comes after axis {}", first, last));
  Dims shape(v.shape().begin(), v.shape().begin() + first);
  shape.push_back(std::accumulate(v.shape().begin() + first, v.shape().begin() + last + 1, int64_t{1}, std::multiplies<>()));
  shape.insert(shape.end(), v.shape().begin() + last + 1, v.shape().end());
  return r.tensor(r.builder.reshape(v, Shape(shape)));
}

Tensor unflatten(Arg x, int64_t axis, Dims shape) {
  Recorder r("unflatten", {&x});
  const Value v = r.value(x);
  const auto at = r.axis(axis, v.shape().rank());
  const int64_t extent = v.shape()[at];
  const Dims parts = completed(r, std::move(shape), extent);
  if (r.shape(parts).numel() != extent) r.fail(fmt::format("axis {} has extent {}, which {} does not make", at, extent, to_string(parts)));
  Dims whole(v.shape().begin(), v.shape().begin() + at);
  whole.insert(whole.end(), parts.begin(), parts.end());
  whole.insert(whole.end(), v.shape().begin() + at + 1, v.shape().end());
  return r.tensor(r.builder.reshape(v, Shape(whole)));
}

Tensor transpose(Arg x, int64_t axis0, int64_t axis1) {
  Recorder r("transpose", {&x});
  const Value v = r.value(x);
  Dims permutation(v.shape().dims().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  const int rank = v.shape().rank();
  if (rank == 0) {
    r.axis(axis0, 1), r.axis(axis1, 1);
    return r.tensor(v);
  }
  std::swap(permutation[static_cast<size_t>(r.axis(axis0, rank))], permutation[static_cast<size_t>(r.axis(axis1, rank))]);
  return r("transpose", {v}, {{"permutation", permutation}});
}

Tensor permute(Arg x, Dims axes) {
  Recorder r("permute", {&x});
  const Value v = r.value(x);
  for (int64_t& axis : axes) axis = r.axis(axis, v.shape().rank());
  return r("transpose", {v}, {{"permutation", axes}});
}

Tensor movedim(Arg x, Axes source, Axes destination) {
  Recorder r("movedim", {&x});
  const Value given = r.value(x);
  const bool is_scalar = given.shape().rank() == 0 && !source.dims.empty();
  const Value v = is_scalar ? r.builder.reshape(given, Shape{1}) : given;
  const int rank = v.shape().rank();
  if (source.dims.size() != destination.dims.size()) r.fail("source and destination must name as many axes");
  Dims permutation(static_cast<size_t>(rank), -1), left;
  if (!source.dims.empty()) r.axes(source, rank), r.axes(destination, rank);
  for (size_t i = 0; i < source.dims.size(); ++i)
    permutation[static_cast<size_t>(r.axis(destination.dims[i], rank))] = r.axis(source.dims[i], rank);
  for (int64_t axis = 0; axis < rank; ++axis)
    if (std::find(permutation.begin(), permutation.end(), axis) == permutation.end()) left.push_back(axis);
  auto next = left.begin();
  for (int64_t& axis : permutation)
    if (axis < 0) axis = *next++;
  const Tensor moved = r("transpose", {v}, {{"permutation", permutation}});
  return is_scalar ? r.tensor(given) : moved;
}

Tensor unsqueeze(Arg x, int64_t axis) {
  Recorder r("unsqueeze", {&x});
  const Value v = r.value(x);
  Dims shape = v.shape().dims();
  shape.insert(shape.begin() + r.axis(axis, v.shape().rank() + 1), 1);
  return r.tensor(r.builder.reshape(v, Shape(shape)));
}

Tensor squeeze(Arg x, Axes axes) {
  Recorder r("squeeze", {&x});
  const Value v = r.value(x);
  const Dims over = r.axes(axes, v.shape().rank());
  Dims shape;
  for (int axis = 0; axis < v.shape().rank(); ++axis)
    if (v.shape()[axis] != 1 || std::find(over.begin(), over.end(), axis) == over.end()) shape.push_back(v.shape()[axis]);
  return r.tensor(r.builder.reshape(v, Shape(shape)));
}

Tensor broadcast_to(Arg x, Dims shape) {
  Recorder r("broadcast_to", {&x});
  return r("broadcast", {r.value(x)}, {{"shape", shape}});
}

Tensor expand(Arg x, Dims shape) {
  Recorder r("expand", {&x});
  const Value v = r.value(x);
  const auto added = static_cast<int>(shape.size()) - v.shape().rank();
  if (added < 0) r.fail("the shape " + to_string(shape) + " has fewer axes than x");
  for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
    int64_t& extent = shape[static_cast<size_t>(d)];
    if (extent < -1 || (extent == -1 && d < added)) r.fail(fmt::format("axis {} of the shape {} has no extent", d, to_string(shape)));
    if (extent == -1) extent = v.shape()[d - added];
  }
  return r("broadcast", {v}, {{"shape", shape}});
}

Tensor repeat(Arg x, Dims counts) {
  Recorder r("repeat", {&x});
  const Value v = r.value(x);
  const auto added = static_cast<int>(counts.size()) - v.shape().rank();
  if (added < 0) r.fail("there must be a count for each axis");
  // [n] -> [1, n] -> [count, n] -> [count n]
  Dims cut, stretched, joined;
  for (int d = 0; d < static_cast<int>(counts.size()); ++d) {
    const int64_t count = counts[static_cast<size_t>(d)], extent = d < added ? 1 : v.shape()[d - added];
    if (count < 0) r.fail(fmt::format("the counts must not be negative, as in {}", to_string(counts)));
    if (count != 1) cut.push_back(1), stretched.push_back(count);
    cut.push_back(extent), stretched.push_back(extent), joined.push_back(product(r, count, extent));
  }
  return r.tensor(r.builder.reshape(r.builder.broadcast(r.builder.reshape(v, Shape(cut)), r.shape(stretched)), r.shape(joined)));
}

Tensor repeat_interleave(Arg x, int64_t repeats, std::optional<int64_t> axis) {
  Recorder r("repeat_interleave", {&x});
  if (repeats < 0) r.fail(fmt::format("repeats must not be negative, but is {}", repeats));
  Value v = r.value(x);
  if (!axis) v = r.builder.reshape(v, Shape{v.shape().numel()});
  const int64_t along = r.axis(axis.value_or(0), v.shape().rank());
  // [n] -> [n, 1] -> [n, repeats] -> [n repeats]
  Dims stretched = v.shape().dims(), joined = stretched;
  stretched.insert(stretched.begin() + along + 1, 1);
  const Value cut = r.builder.reshape(v, Shape(stretched));
  stretched[static_cast<size_t>(along) + 1] = repeats;
  joined[static_cast<size_t>(along)] = product(r, joined[static_cast<size_t>(along)], repeats);
  return r.tensor(r.builder.reshape(r.builder.broadcast(cut, r.shape(stretched)), r.shape(joined)));
}

Tensor flip(Arg x, Axes axes) {
  Recorder r("flip", {&x});
  const Value v = r.value(x);
  const Dims over = r.axes(axes, v.shape().rank());
  return axes.dims.empty() || over.empty() ? r.tensor(v) : r("flip", {v}, {{"axes", over}});
}

namespace {

/// The last `by` elements along the axis, then the others.
Value rolled(Recorder& r, Value v, int64_t axis, int64_t by) {
  const auto along = static_cast<size_t>(axis);
  const int64_t extent = v.shape().dims()[along];
  by = extent == 0 ? 0 : (by % extent + extent) % extent;
  if (by == 0) return v;
  Dims start(v.shape().dims().size(), 0), end = v.shape().dims(), middle = start, until = end;
  middle[along] = until[along] = extent - by;
  const Value last = r.builder("slice", {v}, {{"start", middle}, {"end", end}});
  return r.builder("concat", {last, r.builder("slice", {v}, {{"start", start}, {"end", until}})}, {{"axis", axis}});
}

/// x where `kept` takes the column's number less the row's, and the diagonal's, else 0.
template <class Kept>
Tensor triangle(std::string_view op, const Arg& x, int64_t diagonal, Kept kept) {
  Recorder r(op, {&x});
  const Value v = r.value(x);
  const int rank = v.shape().rank();
  if (rank < 2) r.fail("x needs at least two axes");
  const Dims last{v.shape()[rank - 2], v.shape()[rank - 1]};
  const auto number = [&](int64_t axis) { return ir::Expr(r.builder, r.builder("iota", {}, {{"shape", last}, {"axis", axis}})); };
  const Value bound = r.builder("constant", {}, {{"value", ir::Dense::splat_integer({i64, Shape(last)}, diagonal)}});
  const Value inside = r.builder.broadcast(kept(number(1) - number(0), ir::Expr(r.builder, bound)), v.shape());
  return r("select", {inside, v, r.builder.zeros_like(v)});
}

}  // namespace

Tensor roll(Arg x, Axes shifts, Axes axes) {
  Recorder r("roll", {&x});
  Value v = r.value(x);
  if (axes.dims.empty()) {
    if (shifts.dims.size() != 1) r.fail("without axes, x is rolled flattened, by one shift");
    const Value flat = r.builder.reshape(v, Shape{v.shape().numel()});
    return r.tensor(r.builder.reshape(rolled(r, flat, 0, shifts.dims[0]), v.shape()));
  }
  if (shifts.dims.size() != axes.dims.size()) r.fail("there must be a shift for each axis");
  for (size_t i = 0; i < axes.dims.size(); ++i) v = rolled(r, v, r.axis(axes.dims[i], v.shape().rank()), shifts.dims[i]);
  return r.tensor(v);
}

Tensor tril(Arg x, int64_t diagonal) {
  return triangle("tril", x, diagonal, [](ir::Expr over, ir::Expr bound) { return over <= bound; });
}

Tensor triu(Arg x, int64_t diagonal) {
  return triangle("triu", x, diagonal, [](ir::Expr over, ir::Expr bound) { return bound <= over; });
}

Value detail::diagonal(Recorder& r, Value v, int64_t offset, int64_t axis0, int64_t axis1) {
  const int rank = v.shape().rank();
  Dims permutation;
  for (int64_t axis = 0; axis < rank; ++axis)
    if (axis != axis0 && axis != axis1) permutation.push_back(axis);
  permutation.push_back(axis0), permutation.push_back(axis1);
  const Value rows = r.builder("transpose", {v}, {{"permutation", permutation}});
  // In row-major order a diagonal's elements are one row and one column apart.
  const int64_t height = rows.shape()[rank - 2], width = rows.shape()[rank - 1], columns = std::max<int64_t>(offset, 0),
                lines = std::max<int64_t>(-offset, 0), count = std::max<int64_t>(std::min(height - lines, width - columns), 0);
  Dims flat(rows.shape().begin(), rows.shape().end() - 2);
  flat.push_back(height * width);
  Dims start(flat.size(), 0), end = flat, step(flat.size(), 1);
  start.back() = count == 0 ? 0 : lines * width + columns;
  end.back() = count == 0 ? 0 : start.back() + (count - 1) * (width + 1) + 1;
  step.back() = width + 1;
  return r.builder("slice", {r.builder.reshape(rows, Shape(flat))}, {{"start", start}, {"end", end}, {"step", step}});
}

Tensor diagonal(Arg x, int64_t offset, int64_t axis0, int64_t axis1) {
  Recorder r("diagonal", {&x});
  const Value v = r.value(x);
  axis0 = r.axis(axis0, v.shape().rank()), axis1 = r.axis(axis1, v.shape().rank());
  if (axis0 == axis1) r.fail("the axes must be two");
  return r.tensor(detail::diagonal(r, v, offset, axis0, axis1));
}

Tensor slice(Arg x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  Recorder r("slice", {&x});
  const Value v = r.value(x);
  const auto along = static_cast<size_t>(r.axis(axis, v.shape().rank()));
  const int64_t extent = v.shape().dims()[along];
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + extent : at, 0, extent); };
  Dims starts(v.shape().dims().size(), 0), ends = v.shape().dims(), steps(starts.size(), 1);
  starts[along] = place(start);
  ends[along] = std::max(place(end), starts[along]);
  steps[along] = step;
  return r("slice", {v}, {{"start", starts}, {"end", ends}, {"step", step == 1 ? Dims{} : steps}});
}

}  // namespace weft
