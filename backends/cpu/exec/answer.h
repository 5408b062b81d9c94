#pragma once
// What the library says of a call before it is made: plans hold it, and the call is made as it was answered.

#include <cstdint>
#include <string>

namespace weft::cpu {

struct Answer {
  std::string implementation;  // as the library names it, "jit:avx512_core"; of the slices, all that differ
  int64_t scratch_bytes = 0;   // of all slices together

  /// Its reference loops, which are there for want of anything else: thousands of times slower.
  bool is_plain() const { return implementation.find("ref") != std::string::npos; }
  /// Adds a slice.
  void add(const std::string& name, int64_t bytes) {
    scratch_bytes += bytes;
    if (implementation.find(name) == std::string::npos) implementation += (implementation.empty() ? "" : ", ") + name;
  }
};

}  // namespace weft::cpu
