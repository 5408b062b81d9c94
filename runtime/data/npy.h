#pragma once
// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): one array
// each, to exchange with Python.

#include <string>

#include "weft/runtime/array.h"

namespace weft {

/// Reads an array of format version 1.0, 2.0 or 3.0, of either byte order, in C or Fortran order (the result is row-major):
/// elements stay what they are (i2 is i16, b1 bool), but u8, of 64 bits, becomes i64, each with its value. Throws weft::Error naming the file and the byte offset when it is anything else, when its header is malformed, when
/// it is shorter or longer than its header says, and for a value that its type does not have: a bool of 2, a u8 beyond i64.
Array read_npy(const std::string& path);

/// Writes version 1.0 (2.0 if the header needs it); bf16, which NumPy does not know, is written as f4, which
/// is exact. The file is written beside `path` and renamed, so `path` is never seen half-written. Throws
/// weft::Error naming the file when it cannot be written.
void write_npy(const std::string& path, const Array& array);

}  // namespace weft
