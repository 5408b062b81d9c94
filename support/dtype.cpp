#include "weft/support/dtype.h"

#include <bit>

namespace weft {

bf16_t to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value) return {static_cast<uint16_t>((bits >> 16) | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

float from_bf16(bf16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

}  // namespace weft
