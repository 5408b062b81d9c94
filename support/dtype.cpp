#include "weft/support/dtype.h"

#include <bit>

namespace weft {

bf16_t to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value) return {static_cast<uint16_t>((bits >> 16) | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

f16_t to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
  uint32_t result = 0;
  if (size > 0x7f800000) result = 0x7e00 | (size >> 13 & 0x3ff);                                          // nan, made quiet
  else if (size >= 0x47800000) result = 0x7c00;                                                           // 2^16 and more
  else if (size >= 0x38800000) result = (size + 0xfff + (size >> 13 & 1) - (uint32_t{112} << 23)) >> 13;  // normal; may become infinity
  else result = std::bit_cast<uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3f000000;  // 0.5's last bit is f16's smallest number
  return {static_cast<uint16_t>(sign | result)};
}

float from_f16(f16_t value) {
  const uint32_t sign = uint32_t{value.bits} << 16 & 0x80000000, size = value.bits & 0x7fff;
  uint32_t result = 0;
  if (size > 0x7c00) result = ((size << 13) + (uint32_t{224} << 23)) | 0x400000;
  else if (size >= 0x400) result = (size << 13) + (uint32_t{size == 0x7c00 ? 224u : 112u} << 23);
  else result = std::bit_cast<uint32_t>(static_cast<float>(size) * 0x1p-24f);
  return std::bit_cast<float>(sign | result);
}

float from_bf16(bf16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

}  // namespace weft
