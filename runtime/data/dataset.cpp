#include "weft/runtime/data/dataset.h"

#include <cmath>

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

void Dataset::check() const {
  const DType in = inputs.dtype(), out = targets.dtype();
  if (in != u8 && in != f32 && in != i64) throw Error("data set inputs must be u8, f32 or i64, but they are {}", name_of(in));
  if (out != i64 && out != f32) throw Error("data set targets must be i64 or f32, but they are {}", name_of(out));
  if (inputs.shape().rank() == 0 || targets.shape().rank() == 0)
    throw Error("data set arrays need an axis of examples, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  if (inputs.shape()[0] != targets.shape()[0])
    throw Error("a data set needs one target for each input, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  if (!std::isfinite(divisor) || divisor <= 0) throw Error("a data set's divisor must be positive and finite, but it is {}", divisor);
  if (in == i64 && divisor != 1.0f) throw Error("i64 inputs are delivered as they are, so the divisor must be 1, but it is {}", divisor);
  for (size_t i = 0; i < transforms.size(); ++i)
    if (const Transform& t = transforms[i]; !t.shape || !t.apply)
      throw Error("transform {} of data set '{}', '{}', has no function .{}: both .shape and .apply must be set", i, this->name, t.name,
                  t.shape ? "apply" : "shape");
  if (in == i64 && !transforms.empty())
    throw Error("i64 inputs are delivered as they are, but the data set has the transform '{}'", transforms[0].name);
  input_shape(1);  // lets every transform look at what it gets
}

int64_t Dataset::size() const { return inputs.shape().rank() == 0 ? 0 : inputs.shape()[0]; }
Shape Dataset::input_shape(int64_t batch) const {
  Dims dims = inputs.shape().dims();
  Shape example(Dims(dims.begin() + 1, dims.end()));
  for (const Transform& transform : transforms) example = transform.shape(example);
  dims = example.dims();
  dims.insert(dims.begin(), batch);
  return Shape(std::move(dims));
}
Shape Dataset::target_shape(int64_t batch) const { return with_batch(targets.shape(), batch); }

}  // namespace weft
