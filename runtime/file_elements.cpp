#include "weft/runtime/file_elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "elements of most files are copied as they are");

/// A small float: a sign, bits of exponent, and bits of mantissa below it. The widest exponent is that of infinities and
/// nans, but where `finite` one that only the widest mantissa makes a nan.
double small_float(unsigned bits, int exponent_bits, int mantissa_bits, bool finite) {
  const unsigned mantissa = bits & ((1u << mantissa_bits) - 1), widest = (1u << exponent_bits) - 1;
  const unsigned exponent = bits >> mantissa_bits & widest;
  const double sign = bits >> (exponent_bits + mantissa_bits) & 1 ? -1 : 1;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == widest && (!finite || mantissa == (1u << mantissa_bits) - 1)) {
    if (mantissa != 0) return std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
    return sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1u << mantissa_bits), static_cast<int>(exponent) - bias - mantissa_bits);
}

uint64_t bits_of(const std::byte* bytes, size_t count, std::endian order) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<uint64_t>(bytes[order == std::endian::big ? i : count - 1 - i]);
  return value;
}

/// Element `i` of `to` from its bits, but for those that are copied as they are.
void store(FileType type, uint64_t bits, Array& to, size_t i) {
  switch (type) {
    case FileType::f64: to.values<double>()[i] = std::bit_cast<double>(bits); return;
    case FileType::f32: to.values<float>()[i] = std::bit_cast<float>(static_cast<uint32_t>(bits)); return;
    case FileType::bf16: to.values<bf16_t>()[i] = {static_cast<uint16_t>(bits)}; return;
    case FileType::f16: to.values<float>()[i] = static_cast<float>(small_float(static_cast<unsigned>(bits), 5, 10, false)); return;
    case FileType::f8_e4m3: to.values<float>()[i] = static_cast<float>(small_float(static_cast<unsigned>(bits), 4, 3, true)); return;
    case FileType::f8_e5m2: to.values<float>()[i] = static_cast<float>(small_float(static_cast<unsigned>(bits), 5, 2, false)); return;
    case FileType::i64:
    case FileType::u64:
    case FileType::u32: to.values<int64_t>()[i] = static_cast<int64_t>(bits); return;
    case FileType::i32:
    case FileType::u16: to.values<int32_t>()[i] = static_cast<int32_t>(bits); return;
    case FileType::i16: to.values<int32_t>()[i] = static_cast<int16_t>(bits); return;
    case FileType::i8: to.values<int32_t>()[i] = static_cast<int8_t>(bits); return;
    case FileType::u8: to.values<uint8_t>()[i] = static_cast<uint8_t>(bits); return;
    case FileType::bool_: to.data()[i] = static_cast<std::byte>(bits); return;
  }
}

/// Whether the array holds the bytes of the file.
bool is_copied(FileType type, std::endian order) {
  const bool kept = type == FileType::bool_ || type == FileType::u8 || type == FileType::bf16 || type == FileType::f32 ||
                    type == FileType::f64 || type == FileType::i32 || type == FileType::i64;
  return kept && (size_of(type) == 1 || order == std::endian::native);
}

}  // namespace

size_t size_of(FileType type) {
  switch (type) {
    case FileType::f64:
    case FileType::i64:
    case FileType::u64: return 8;
    case FileType::f32:
    case FileType::i32:
    case FileType::u32: return 4;
    case FileType::bf16:
    case FileType::f16:
    case FileType::i16:
    case FileType::u16: return 2;
    case FileType::f8_e4m3:
    case FileType::f8_e5m2:
    case FileType::i8:
    case FileType::u8:
    case FileType::bool_: return 1;
  }
  return 0;
}

DType becomes(FileType type) {
  switch (type) {
    case FileType::f64: return f64;
    case FileType::f32:
    case FileType::f16:
    case FileType::f8_e4m3:
    case FileType::f8_e5m2: return f32;
    case FileType::bf16: return bf16;
    case FileType::i64:
    case FileType::u64:
    case FileType::u32: return i64;
    case FileType::i32:
    case FileType::i16:
    case FileType::i8:
    case FileType::u16: return i32;
    case FileType::u8: return u8;
    case FileType::bool_: return boolean;
  }
  return f32;
}

std::optional<BadElement> decode(FileType type, std::endian order, std::span<const std::byte> from, Array& to) {
  const size_t size = size_of(type), count = static_cast<size_t>(to.shape().numel());
  WEFT_CHECK(to.dtype() == becomes(type) && from.size() == count * size, "{} bytes for {} elements of {}", from.size(), count,
             name_of(to.dtype()));
  if (is_copied(type, order)) std::copy(from.begin(), from.end(), to.data());
  else
    for (size_t i = 0; i < count; ++i) store(type, bits_of(from.data() + i * size, size, order), to, i);
  if (type == FileType::bool_)
    for (size_t i = 0; i < count; ++i)
      if (const int value = std::to_integer<int>(to.data()[i]); value > 1)
        return BadElement{i, fmt::format("a bool is 0 or 1, not {}", value)};
  if (type == FileType::u64)
    for (size_t i = 0; i < count; ++i)
      if (const int64_t value = to.values<int64_t>()[i]; value < 0)
        return BadElement{i, fmt::format("{} does not fit into i64, which u64 becomes", static_cast<uint64_t>(value))};
  return std::nullopt;
}

}  // namespace weft
