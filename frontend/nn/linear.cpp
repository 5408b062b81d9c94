#include "weft/frontend/nn/linear.h"

#include <cmath>

#include "weft/frontend/defaults.h"
#include "weft/frontend/ops.h"

namespace weft::nn {
namespace {

Parameter uniform(const char* name, DType dtype, Shape shape, double bound) {
  Array values(dtype, std::move(shape));
  fill_uniform(values, -bound, bound);
  return {name, std::move(values)};
}

}  // namespace

Linear::Linear(int64_t in_features, int64_t out_features, LinearOptions options) {
  const DType dtype = options.dtype.value_or(default_dtype());
  if (in_features < 0 || out_features < 0 || !is_floating(dtype))
    throw Error("nn::Linear({}, {}) of {}: sizes must not be negative and the element type must be floating", in_features,
                out_features, name_of(dtype));
  const double bound = in_features > 0 ? 1 / std::sqrt(static_cast<double>(in_features)) : 0;
  weight = add("weight", uniform("weight", dtype, {out_features, in_features}, bound));
  if (options.bias) bias = add("bias", uniform("bias", dtype, {out_features}, bound));
}

Tensor Linear::forward(Tensor x) { return bias.defined() ? linear(x, weight, bias) : linear(x, weight); }

}  // namespace weft::nn
