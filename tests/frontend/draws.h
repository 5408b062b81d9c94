#pragma once
// The formula by which scripts in tests/expected draw numbers that they do not store.

#include <cstdint>

namespace weft::testing {

inline uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352D;
  x = (x ^ (x >> 15)) * 0x846CA68B;
  return x ^ (x >> 16);
}

/// Element i of draw number n, in [0, 1).
inline double draw(int64_t n, int64_t i) { return mix(mix(static_cast<uint32_t>(i)) + static_cast<uint32_t>(n)) / 4294967296.0; }

}  // namespace weft::testing
