#include "weft/frontend/nn/layers.h"

#include "weft/frontend/dropout_rate.h"
#include "weft/frontend/ops.h"

namespace weft::nn {

Tensor ReLU::forward(Tensor x) { return relu(x); }
Tensor Sigmoid::forward(Tensor x) { return sigmoid(x); }
Tensor Tanh::forward(Tensor x) { return tanh(x); }
Tensor GELU::forward(Tensor x) { return gelu(x, approximate_); }
Tensor Identity::forward(Tensor x) { return x; }
Tensor Flatten::forward(Tensor x) { return flatten(x, start_, end_); }

Dropout::Dropout(double p) : p("nn::Dropout's p", p, {.low = 0, .high = 1}) {}
Tensor Dropout::forward(Tensor x) { return training() ? weft::detail::dropout_at_rate(x, p) : x; }

}  // namespace weft::nn
