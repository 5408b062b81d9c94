#pragma once
// The loops that are timed, for one instruction set.

#include <cstddef>
#include <cstdint>

namespace weft::cpu {

/// A loop in registers, and the operations of a round of it.
struct PeakLoop {
  void (*run)(int64_t rounds) = nullptr;
  int64_t operations = 0;
};

struct SpeedLoops {
  PeakLoop f32, f64;
  /// Reads and writes so many elements, whole vectors at an address that is aligned for them.
  void (*stream)(float* p, size_t count);
};

extern const SpeedLoops sse4_speed_loops, avx2_speed_loops, avx512_speed_loops;

/// By the fastest instructions of the machine for bf16, whatever the limit; without them no loop.
PeakLoop bf16_peak_loop();

}  // namespace weft::cpu
