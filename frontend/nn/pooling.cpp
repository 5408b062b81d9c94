#include "weft/frontend/nn/pooling.h"

namespace weft::nn {

Tensor MaxPool2d::forward(Tensor x) { return max_pool2d(x, kernel_, options_); }
Tensor AvgPool2d::forward(Tensor x) { return avg_pool2d(x, kernel_, options_); }
Tensor AdaptiveAvgPool2d::forward(Tensor x) { return adaptive_avg_pool2d(x, extents_); }

}  // namespace weft::nn
