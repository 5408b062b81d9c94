#pragma once
// The floating-point mode of a thread: how it rounds and what becomes of denormal numbers.

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace weft {

/// While it lives, this thread computes as IEEE 754 says: round to nearest even, denormal numbers kept, no traps. A host
/// program that flushes denormals for its own work still gets the bits that every other program gets.
class FloatMode {
#if defined(__x86_64__)
 public:
  FloatMode() : before_(_mm_getcsr()) {
    if (before_ != standard) _mm_setcsr(standard);
  }
  ~FloatMode() {
    if (before_ != standard) _mm_setcsr(before_);
  }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  static constexpr unsigned standard = 0x1f80;  // what a process starts with
  unsigned before_;
#endif
};

}  // namespace weft
