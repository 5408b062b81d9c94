// Archives of NumPy's arrays.

#include "weft/runtime/data/npz.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    weft::read_npz(weft::test::memory_file(data, size));
  } catch (const weft::Error&) {}
  return 0;
}
