#pragma once
// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one array
// each, to exchange with Python.

#include <string>

#include "weft/runtime/array.h"

namespace weft {

/// Reads a little-endian, C-order array of format version 1.0 or 2.0: f8, f4, i8, i4, u1 (u8) or b1 (bool).
/// Throws weft::Error naming the file and the byte offset when it is anything else, when its header is
/// malformed and when it is shorter or longer than its header says.
Array read_npy(const std::string& path);

/// Writes version 1.0 (2.0 if the header needs it); bf16, which NumPy does not know, is written as f4, which
/// is exact. The file is written beside `path` and renamed, so `path` is never seen half-written. Throws
/// weft::Error naming the file when it cannot be written.
void write_npy(const std::string& path, const Array& array);

}  // namespace weft
