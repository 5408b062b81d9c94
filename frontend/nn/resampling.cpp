#include "weft/frontend/nn/resampling.h"

namespace weft::nn {

Tensor Upsample::forward(Tensor x) { return interpolate(x, options_); }
Tensor PixelShuffle::forward(Tensor x) { return pixel_shuffle(x, factor_); }
Tensor PixelUnshuffle::forward(Tensor x) { return pixel_unshuffle(x, factor_); }
Tensor ChannelShuffle::forward(Tensor x) { return channel_shuffle(x, groups_); }
Tensor Unfold::forward(Tensor x) { return unfold(x, kernel_, options_); }
Tensor Fold::forward(Tensor x) { return fold(x, size_, kernel_, options_); }

}  // namespace weft::nn
