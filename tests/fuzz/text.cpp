// The text form: parsed, verified, printed, sent through the passes, lowered and run.

#include <cstdint>
#include <string>

#include "weft/tests/fuzz/text_check.h"
#include "weft/tests/fuzz/text_edits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weft::test::try_text(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

/// Bytes alone seldom make another program: mostly the edits know lines, tokens and numbers.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  return weft::test::edit_in_place(data, size, most, seed);
}
#endif
