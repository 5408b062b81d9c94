#pragma once
// What convolutions and pooling do with x [n, channels, spatial...] and with options that have a number per spatial axis.

#include <utility>

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/language/recorder.h"

namespace weft::detail {

/// x with a batch axis, and whether it had none.
std::pair<ir::Value, bool> batched(Recorder& r, ir::Value x, int spatial);
/// Without the batch axis that `batched` added.
Tensor unbatched(Recorder& r, ir::Value y, bool single);
/// A number for each spatial axis. Throws weft::Error, naming `what`, for another number of them.
Dims over(Recorder& r, const PerAxis& values, int spatial, const char* what);

}  // namespace weft::detail
