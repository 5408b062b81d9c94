#pragma once
// Parts of a call, which threads compute.

#include <cstdint>

namespace weft {

/// In no more parts is a call computed.
inline constexpr int64_t most_slices = 1 << 16;

}  // namespace weft
