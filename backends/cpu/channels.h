#pragma once
// With how many channels a convolution is computed.

#include <optional>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/passes/target.h"

namespace weft::cpu {

/// The channels of x and y with which the library, or Winograd's transforms unless `strict`, compute it faster than with those that it
/// has: numbers that fill vectors. None: with its own.
std::optional<passes::Target::Channels> better_channels(const ConvolutionSpec& spec, bool strict);

}  // namespace weft::cpu
