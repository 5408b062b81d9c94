#include "weft/runtime/file_elements.h"

#include <fmt/format.h>

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

template <class T>
void put(std::byte* to, size_t i, T value) {
  std::memcpy(to + i * sizeof value, &value, sizeof value);
}

/// Element `i` of `to` from its bits, but for those that are copied as they are.
void store(FileType type, uint64_t bits, std::byte* to, size_t i) {
  const auto small = [&](int exponent, int mantissa, bool finite) {
    put(to, i, static_cast<float>(small_float(static_cast<unsigned>(bits), exponent, mantissa, finite)));
  };
  switch (type) {
    case FileType::f64: return put(to, i, std::bit_cast<double>(bits));
    case FileType::f32: return put(to, i, std::bit_cast<float>(static_cast<uint32_t>(bits)));
    case FileType::f8_e4m3: return small(4, 3, true);
    case FileType::f8_e5m2: return small(5, 2, false);
    case FileType::i64:
    case FileType::u64: return put(to, i, bits);
    case FileType::i32:
    case FileType::u32: return put(to, i, static_cast<uint32_t>(bits));
    case FileType::f16:
    case FileType::bf16:
    case FileType::i16:
    case FileType::u16: return put(to, i, static_cast<uint16_t>(bits));
    case FileType::i8:
    case FileType::u8:
    case FileType::bool_: return put(to, i, static_cast<uint8_t>(bits));
  }
}

}  // namespace

bool is_copied(FileType type, std::endian order) {
  const bool kept = type != FileType::f8_e4m3 && type != FileType::f8_e5m2 && type != FileType::u64;
  return kept && (size_of(type) == 1 || order == std::endian::native);
}

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
    case FileType::f8_e4m3:
    case FileType::f8_e5m2: return f32;
    case FileType::f16: return f16;
    case FileType::bf16: return bf16;
    case FileType::i64:
    case FileType::u64: return i64;
    case FileType::i32: return i32;
    case FileType::i16: return i16;
    case FileType::i8: return i8;
    case FileType::u32: return u32;
    case FileType::u16: return u16;
    case FileType::u8: return u8;
    case FileType::bool_: return boolean;
  }
  return f32;
}

std::optional<BadElement> decode(FileType type, std::endian order, std::span<const std::byte> from, std::byte* to) {
  const size_t size = size_of(type), count = from.size() / size;
  if (is_copied(type, order)) {
    if (from.data() != to) std::copy(from.begin(), from.end(), to);
  } else {
    for (size_t i = 0; i < count; ++i) store(type, bits_of(from.data() + i * size, size, order), to, i);
  }
  if (type == FileType::bool_)
    for (size_t i = 0; i < count; ++i)
      if (const int value = std::to_integer<int>(to[i]); value > 1) return BadElement{i, fmt::format("a bool is 0 or 1, not {}", value)};
  if (type == FileType::u64)
    for (size_t i = 0; i < count; ++i) {
      int64_t value = 0;
      std::memcpy(&value, to + i * sizeof value, sizeof value);
      if (value < 0) return BadElement{i, fmt::format("{} does not fit into i64, which u64 becomes", static_cast<uint64_t>(value))};
    }
  return std::nullopt;
}

}  // namespace weft
