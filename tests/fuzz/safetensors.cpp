// Files of named arrays.

#include <algorithm>
#include <cstring>

#include "weft/runtime/safetensors.h"
#include "weft/tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    weft::read_safetensors(weft::test::memory_file(data, size));
  } catch (const weft::Error&) {}
  return 0;
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

/// Mostly only the header is changed, and its length says so: otherwise hardly any input would come past it.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  constexpr size_t prefix = 8;
  uint64_t length = 0;
  if (size >= prefix) std::memcpy(&length, data, prefix);
  if (seed % 4 == 0 || size < prefix || length > size - prefix) return LLVMFuzzerMutate(data, size, most);
  std::string header(reinterpret_cast<const char*>(data + prefix), length);
  const std::string rest(reinterpret_cast<const char*>(data + prefix + length), size - prefix - length);
  const size_t room = most - prefix - std::min(rest.size(), most - prefix);
  header.resize(std::max(room, header.size()));
  length = LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(header.data()), std::min<size_t>(length, room), room);
  std::memcpy(data, &length, prefix);
  std::memcpy(data + prefix, header.data(), length);
  std::memcpy(data + prefix + length, rest.data(), rest.size());
  return prefix + length + rest.size();
}
#endif
