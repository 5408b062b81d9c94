// Records of CIFAR-10, in one file and in two.

#include "weft/runtime/data/cifar.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string path = weft::test::memory_file(data, size);
  try {
    const weft::Dataset once = weft::read_cifar10({path});
    if (weft::read_cifar10({path, path}).size() != 2 * once.size()) std::abort();
  } catch (const weft::Error&) {}
  return 0;
}
