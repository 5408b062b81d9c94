#include "weft/runtime/data/dataset.h"

#include <cmath>
#include <set>

#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

Array converted(const Array& from, DType dtype) {
  Array result(dtype, from.shape(), std::source_location());
  for (int64_t i = 0; i < from.shape().numel(); ++i) result.set(i, from.at(i));
  return result;
}

Shape with_batch(const Shape& shape, int64_t batch) {
  Dims dims = shape.dims();
  dims.at(0) = batch;
  return Shape(std::move(dims));
}

Shape several(const Shape& example, int64_t count) {
  Dims dims = example.dims();
  dims.insert(dims.begin(), count);
  return Shape(std::move(dims));
}

}  // namespace

Dataset Dataset::from(Array inputs, Array targets) {
  const FloatMode mode;
  Dataset result;
  if (inputs.dtype() == f64) inputs = converted(inputs, f32);
  if (inputs.dtype() == i32) inputs = converted(inputs, i64);
  if (targets.dtype() == f64) targets = converted(targets, f32);
  if (targets.dtype() == u8 || targets.dtype() == i32) targets = converted(targets, i64);
  result.inputs = std::move(inputs);
  result.targets = std::move(targets);
  result.check();
  return result;
}

Shape Dataset::Column::batch(int64_t size) const { return several(example, size); }

bool Dataset::is_left_out(const Array& array) const { return array.shape() == Shape{0} && size() > 0; }

std::vector<Dataset::Column> Dataset::columns() const {
  std::vector<Column> all;
  const auto example = [](const Shape& batch) { return Shape(Dims(batch.dims().begin() + 1, batch.dims().end())); };
  if (!is_left_out(inputs)) all.push_back({"x", &inputs, input_dtype(), example(input_shape(1))});
  if (!is_left_out(targets)) all.push_back({"y", &targets, target_dtype(), example(targets.shape())});
  for (const auto& [array, values] : arrays) all.push_back({array, &values, values.dtype(), example(values.shape())});
  return all;
}

void Dataset::check_counts() const {
  if (inputs.shape().rank() == 0 || targets.shape().rank() == 0)
    throw Error("data set arrays need an axis of examples, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  if (!is_left_out(inputs) && !is_left_out(targets) && inputs.shape()[0] != targets.shape()[0])
    throw Error("a data set needs one target for each input, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  std::set<std::string_view> names;
  if (!is_left_out(inputs)) names.insert("x");
  if (!is_left_out(targets)) names.insert("y");
  for (const auto& [array, values] : arrays) {
    if (array.empty() || !names.insert(array).second)
      throw Error("data set '{}' has {}", name, array.empty() ? "an array without a name" : "two arrays called '" + array + "'");
    if (values.shape().rank() == 0 || values.shape()[0] != size())
      throw Error("data set '{}' has {} examples, but its array '{}' is {}", name, size(), array, to_string(values.shape()));
  }
}

void Dataset::check() const {
  const DType in = inputs.dtype(), out = targets.dtype();
  if (in != u8 && in != f32 && in != i64) throw Error("data set inputs must be u8, f32 or i64, but they are {}", name_of(in));
  if (out != i64 && out != f32) throw Error("data set targets must be i64 or f32, but they are {}", name_of(out));
  check_counts();
  if (!std::isfinite(divisor) || divisor <= 0) throw Error("a data set's divisor must be positive and finite, but it is {}", divisor);
  if (in == i64 && divisor != 1.0f) throw Error("i64 inputs are delivered as they are, so the divisor must be 1, but it is {}", divisor);
  for (size_t i = 0; i < transforms.size(); ++i)
    if (const Transform& t = transforms[i]; !t.shape || !t.apply)
      throw Error("transform {} of data set '{}', '{}', has no function .{}: both .shape and .apply must be set", i, this->name, t.name,
                  t.shape ? "apply" : "shape");
  if (in == i64 && !transforms.empty())
    throw Error("i64 inputs are delivered as they are, but the data set has the transform '{}'", transforms[0].name);
  if (!is_left_out(inputs)) input_shape(1);  // lets every transform look at what it gets
}

int64_t Dataset::size() const {
  const auto count = [](const Array& array) { return array.shape().rank() == 0 ? 0 : array.shape()[0]; };
  for (const Array* array : {&inputs, &targets})
    if (array->shape() != Shape{0}) return count(*array);
  return arrays.empty() ? 0 : count(arrays[0].second);
}

Shape Dataset::input_shape(int64_t batch) const {
  const Dims& dims = inputs.shape().dims();
  Shape example(Dims(dims.begin() + 1, dims.end()));
  for (const Transform& transform : transforms) example = transform.shape(example);
  return several(example, batch);
}
Shape Dataset::target_shape(int64_t batch) const { return with_batch(targets.shape(), batch); }

}  // namespace weft
