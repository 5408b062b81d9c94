#pragma once
// The element types that files hold, and what weft has in their place.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "weft/support/dtype.h"

namespace weft {

/// Those of weft, and others' besides; f8_e4m3 and f8_e5m2 are those of "FP8 Formats for Deep Learning" (2022), which
/// PyTorch calls float8_e4m3fn and float8_e5m2.
enum class FileType : uint8_t { f64, f32, bf16, f16, f8_e4m3, f8_e5m2, i64, i32, i16, i8, u64, u32, u16, u8, bool_ };

/// Bytes of one element in a file.
size_t size_of(FileType type);

/// What elements of the type become, their values unchanged: both f8 are f32, u64 is i64; the others stay what they are.
DType becomes(FileType type);

/// An element that has no place in its array, and why.
struct BadElement {
  uint64_t index;
  std::string why;
};

/// Fills `to`, memory of what `type` becomes, from as many elements of a file; it may be where they lie, of a type that becomes itself.
/// Returns the first element that is no value of its new type: a bool that is neither 0 nor 1, a u64 beyond i64.
std::optional<BadElement> decode(FileType type, std::endian order, std::span<const std::byte> from, std::byte* to);

/// Does decode() copy the bytes as they are?
bool is_copied(FileType type, std::endian order);

}  // namespace weft
