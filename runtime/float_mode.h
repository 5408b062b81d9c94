#pragma once
// The floating-point mode of a thread: how it rounds and what becomes of denormal numbers.

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace weft {

/// Numbers below the smallest normal one (1.2e-38 in f32): kept, as IEEE 754 says, or taken for 0 where they are read and where they result.
enum class Denormals { kept, flushed };

/// While it lives, this thread computes as IEEE 754 says: round to nearest even, no traps, denormal numbers kept unless they are to be
/// flushed. A host program that flushes denormals for its own work still gets the bits that every other program gets.
class FloatMode {
#if defined(__x86_64__)
 public:
  FloatMode(Denormals denormals = Denormals::kept)
      : before_(_mm_getcsr()), wanted_(denormals == Denormals::kept ? standard : standard | flush_results | flush_operands) {
    if (differs()) _mm_setcsr(wanted_);
  }
  ~FloatMode() {
    if (differs()) _mm_setcsr(before_);
  }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  static constexpr unsigned standard = 0x1f80;  // what a process starts with
  static constexpr unsigned flush_results = 0x8000, flush_operands = 0x0040;
  static constexpr unsigned noted = 0x003f;  // what has happened so far, which is no part of the mode

  bool differs() const { return (before_ & ~noted) != wanted_; }

  unsigned before_, wanted_;
#else
 public:
  FloatMode(Denormals = Denormals::kept) {}
#endif
};

}  // namespace weft
