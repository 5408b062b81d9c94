// The arrays of NumPy, whole and by parts, which must be the same.

#include <algorithm>

#include "weft/runtime/data/npy.h"
#include "weft/runtime/data/npy_file.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = weft::test::memory_file(data, size);
  try {
    const weft::Array whole = weft::read_npy(path);
    const weft::NpyFile file(path);
    if (file.shape() != whole.shape() || file.dtype() != whole.dtype()) std::abort();
    if (whole.shape().rank() == 0) return 0;
    const int64_t rows = whole.shape()[0], half = rows / 2;
    const weft::Array first = file.rows(0, half), rest = file.rows(half, rows - half);
    if (!std::equal(first.data(), first.data() + first.bytes(), whole.data())) std::abort();
    if (!std::equal(rest.data(), rest.data() + rest.bytes(), whole.data() + first.bytes())) std::abort();
  } catch (const weft::Error&) {}
  return 0;
}
