#include "weft/frontend/nn/layers.h"

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft::nn {

void detail::Making::fail(const std::string& what) const { throw Error("{}", what).of(layer).at(weft::detail::line_text(at)); }

namespace {

Shape shape_of(const detail::Making& make, const Dims& extents) try { return Shape(extents); } catch (Error& e) {
  e.of(make.layer).at(weft::detail::line_text(make.at));
  throw;
}

}  // namespace

Array detail::Making::filled(const Dims& shape, double value, std::optional<DType> dtype) const {
  const DType type = dtype.value_or(default_dtype());
  require(is_floating(type), fmt::format("the element type must be floating, not {}", name_of(type)));
  for (int64_t extent : shape) require(extent >= 0, fmt::format("sizes must not be negative, but there is {}", extent));
  Array array(type, shape_of(*this, shape), at);
  if (value != 0) array.generate([value](int64_t) { return value; });
  return array;
}

Parameter detail::Making::constant(const char* name, const Dims& shape, double value, std::optional<DType> dtype) const {
  return {name, filled(shape, value, dtype)};
}

Parameter detail::Making::uniform(const char* name, const Dims& shape, double bound, std::optional<DType> dtype) const {
  Array values = filled(shape, 0, dtype);
  fill_uniform(values, -bound, bound);
  return {name, std::move(values)};
}

Hyper detail::Making::dropout_rate(double p) const {
  require(p >= 0 && p <= 1, fmt::format("dropout must lie in [0, 1], not be {}", p));
  return {fmt::format("{}'s dropout", layer), p, {.low = 0, .high = 1}};
}

Tensor Identity::forward(Tensor x) { return x; }
Tensor Flatten::forward(Tensor x) { return flatten(x, start_, end_); }
Tensor Unflatten::forward(Tensor x) { return unflatten(x, axis_, shape_); }

namespace {

Hyper probability(const char* name, double p, std::source_location at) try { return {name, p, {.low = 0, .high = 1}}; } catch (Error& e) {
  e.at(weft::detail::line_text(at));
  throw;
}

}  // namespace

Dropout::Dropout(double p, std::source_location at) : p(probability("nn::Dropout's p", p, at)) {}
Tensor Dropout::forward(Tensor x) { return training() ? weft::detail::dropout_at_rate(x, p) : x; }

Dropout2d::Dropout2d(double p, std::source_location at) : p(probability("nn::Dropout2d's p", p, at)) {}
Tensor Dropout2d::forward(Tensor x) {
  const Arg operand(x);
  if (x.shape().rank() != 4) weft::detail::Recorder("nn::Dropout2d", {&operand}).fail("x must be [n, channels, height, width]");
  if (!training()) return x;
  return x * weft::detail::dropout_at_rate(ones({x.shape()[0], x.shape()[1], 1, 1}, x.dtype()), p);
}

}  // namespace weft::nn
