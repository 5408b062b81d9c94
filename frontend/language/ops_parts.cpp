// Ops of the tensor language that put tensors together and take them apart.

#include <algorithm>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Value;

/// All of them, which must be of one graph. There must be one at least.
std::vector<Value> values_of(std::string_view op, const std::vector<Tensor>& xs, std::source_location at) {
  if (xs.empty()) throw Error("needs at least one operand").of(op).at(detail::line_text(at));
  const Arg first(xs[0], at);
  std::vector<Value> values;
  for (const Tensor& x : xs) {
    const Arg other(x, at);
    values.push_back(Recorder(op, {&first, &other}).value(other));
  }
  return values;
}

Value part(Recorder& r, Value v, int64_t axis, int64_t start, int64_t size) {
  Dims from(v.shape().dims().size(), 0), to = v.shape().dims();
  from[static_cast<size_t>(axis)] = start;
  to[static_cast<size_t>(axis)] = start + size;
  return r.builder("slice", {v}, {{"start", from}, {"end", to}});
}

std::vector<Tensor> parts(Recorder& r, Value v, int64_t axis, const Dims& sizes) {
  std::vector<Tensor> all;
  int64_t start = 0;
  for (int64_t size : sizes) {
    all.push_back(r.tensor(part(r, v, axis, start, size)));
    start += size;
  }
  return all;
}

/// An extent as parts of one size, the last perhaps smaller; at least one part.
Dims equal_sizes(int64_t extent, int64_t size) {
  Dims sizes;
  for (int64_t start = 0; start < extent || sizes.empty(); start += size) sizes.push_back(std::min(size, extent - start));
  return sizes;
}

}  // namespace

Tensor concat(const std::vector<Tensor>& xs, int64_t axis, std::source_location at) {
  const std::vector<Value> values = values_of("concat", xs, at);
  const Arg first(xs[0], at);
  Recorder r("concat", {&first});
  return r("concat", values, {{"axis", r.axis(axis, values[0].shape().rank())}});
}

Tensor stack(const std::vector<Tensor>& xs, int64_t axis, std::source_location at) {
  std::vector<Value> values = values_of("stack", xs, at);
  const Arg first(xs[0], at);
  Recorder r("stack", {&first});
  const ir::Type type = values[0].type();
  Dims shape = type.shape.dims();
  const int64_t along = r.axis(axis, type.shape.rank() + 1);
  shape.insert(shape.begin() + along, 1);
  for (size_t i = 0; i < xs.size(); ++i) {
    const Arg other(xs[i], at);
    if (values[i].type() != type) Recorder("stack", {&first, &other}).fail("the operands must have one type");
    values[i] = r.builder.reshape(values[i], Shape(shape));
  }
  return r("concat", values, {{"axis", along}});
}

std::vector<Tensor> split(Arg x, PartSizes sizes, int64_t axis) {
  Recorder r("split", {&x});
  const Value v = r.value(x);
  axis = r.axis(axis, v.shape().rank());
  const int64_t extent = v.shape()[static_cast<int>(axis)];
  if (sizes.one_for_all) {
    if (sizes.sizes[0] < 1) r.fail(fmt::format("the size must be positive, not {}", sizes.sizes[0]));
    return parts(r, v, axis, equal_sizes(extent, sizes.sizes[0]));
  }
  int64_t total = 0;
  for (int64_t size : sizes.sizes) {
    if (size < 0) r.fail("the sizes " + to_string(sizes.sizes) + " must not be negative");
    total += size;
  }
  if (total != extent) r.fail(fmt::format("the sizes {} add up to {}, not to axis {}'s {}", to_string(sizes.sizes), total, axis, extent));
  return parts(r, v, axis, sizes.sizes);
}

std::vector<Tensor> chunk(Arg x, int64_t chunks, int64_t axis) {
  Recorder r("chunk", {&x});
  const Value v = r.value(x);
  axis = r.axis(axis, v.shape().rank());
  if (chunks < 1) r.fail(fmt::format("there must be at least one chunk, not {}", chunks));
  const int64_t extent = v.shape()[static_cast<int>(axis)];
  if (extent == 0) return parts(r, v, axis, Dims(static_cast<size_t>(chunks), 0));
  return parts(r, v, axis, equal_sizes(extent, (extent - 1) / chunks + 1));
}

std::vector<Tensor> unbind(Arg x, int64_t axis) {
  Recorder r("unbind", {&x});
  const Value v = r.value(x);
  axis = r.axis(axis, v.shape().rank());
  Dims shape = v.shape().dims();
  shape.erase(shape.begin() + axis);
  std::vector<Tensor> all;
  for (int64_t i = 0; i < v.shape()[static_cast<int>(axis)]; ++i)
    all.push_back(r.tensor(r.builder.reshape(part(r, v, axis, i, 1), Shape(shape))));
  return all;
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& xs, std::string indexing, std::source_location at) {
  const std::vector<Value> values = values_of("meshgrid", xs, at);
  const Arg first(xs[0], at);
  Recorder r("meshgrid", {&first});
  if (indexing != "ij" && indexing != "xy") r.fail("the indexing must be \"ij\" or \"xy\", not \"" + indexing + "\"");
  const auto axis_of = [&](size_t i) { return indexing == "xy" && i < 2 && values.size() > 1 ? 1 - i : i; };
  Dims grid(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const Arg other(xs[i], at);
    if (values[i].shape().rank() > 1) Recorder("meshgrid", {&first, &other}).fail("the operands must be vectors or scalars");
    grid[axis_of(i)] = values[i].shape().numel();
  }
  std::vector<Tensor> all;
  for (size_t i = 0; i < values.size(); ++i) {
    Dims thin(values.size(), 1);
    thin[axis_of(i)] = values[i].shape().numel();
    all.push_back(r.tensor(r.builder.broadcast(r.builder.reshape(values[i], Shape(thin)), Shape(grid))));
  }
  return all;
}

}  // namespace weft
