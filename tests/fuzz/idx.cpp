// The files of MNIST, plain and compressed.

#include "weft/runtime/data/idx.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    weft::read_idx(weft::test::memory_file(data, size));
  } catch (const weft::Error&) {}
  return 0;
}
