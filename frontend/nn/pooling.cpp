#include "weft/frontend/nn/pooling.h"

namespace weft::nn {

Tensor MaxPool1d::forward(Tensor x) { return max_pool1d(x, kernel_, options_); }
Tensor MaxPool2d::forward(Tensor x) { return max_pool2d(x, kernel_, options_); }
Tensor MaxPool3d::forward(Tensor x) { return max_pool3d(x, kernel_, options_); }
Tensor AvgPool1d::forward(Tensor x) { return avg_pool1d(x, kernel_, options_); }
Tensor AvgPool2d::forward(Tensor x) { return avg_pool2d(x, kernel_, options_); }
Tensor AvgPool3d::forward(Tensor x) { return avg_pool3d(x, kernel_, options_); }
Tensor AdaptiveAvgPool1d::forward(Tensor x) { return adaptive_avg_pool1d(x, extents_); }
Tensor AdaptiveAvgPool2d::forward(Tensor x) { return adaptive_avg_pool2d(x, extents_); }
Tensor AdaptiveAvgPool3d::forward(Tensor x) { return adaptive_avg_pool3d(x, extents_); }
Tensor AdaptiveMaxPool1d::forward(Tensor x) { return adaptive_max_pool1d(x, extents_); }
Tensor AdaptiveMaxPool2d::forward(Tensor x) { return adaptive_max_pool2d(x, extents_); }
Tensor AdaptiveMaxPool3d::forward(Tensor x) { return adaptive_max_pool3d(x, extents_); }

}  // namespace weft::nn
