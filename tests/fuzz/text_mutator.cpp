// How fuzzers of texts that are no programs change them: by bytes, and as often by edits that know lines, tokens and numbers.

#include "weft/tests/fuzz/text_edits.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  return weft::test::edit_in_place(data, size, most, seed);
}
#endif
