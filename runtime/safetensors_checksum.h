#pragma once
// The checksum of safetensors files that weft writes, for what must have one.

#include <string>

#include "weft/runtime/safetensors.h"

namespace weft::detail {

/// Its name among a file's metadata.
inline constexpr const char* checksum_key = "weft.checksum";

/// As read_safetensors, but a checksum, which was verified, stays among the metadata.
SafeTensors read_with_checksum(const std::string& path);

}  // namespace weft::detail
