#include "weft/frontend/nn/linear.h"

#include <cmath>

#include "weft/frontend/language/ops.h"

namespace weft::nn {

Linear::Linear(int64_t in_features, int64_t out_features, LinearOptions options, std::source_location at) {
  const detail::Making make{"nn::Linear", at};
  const double bound = in_features > 0 ? 1 / std::sqrt(static_cast<double>(in_features)) : 0;
  weight = add("weight", make.uniform("weight", {out_features, in_features}, bound, options.dtype));
  if (options.bias) bias = add("bias", make.uniform("bias", {out_features}, bound, options.dtype));
}

Tensor Linear::forward(Tensor x) { return bias.defined() ? linear(x, weight, bias) : linear(x, weight); }

}  // namespace weft::nn
