#pragma once
// What the cores and memories of this machine do at most, measured. Each thread has a core of its own, all begin together, and the slowest
// counts; of many runs the best. Throw weft::Error where the process may use fewer cores than it is to have threads.

#include <cstdint>

#include "weft/support/dtype.h"

namespace weft::cpu {

/// Multiplications and additions in registers, in 1e9 a second, by the widest instructions within the limit (exec/isa.h): of f32, f64, or
/// bf16 summed in f32. 0 where there are no instructions for the type.
double peak_gflops(DType dtype, int threads);

/// A read and a write of each of so many bytes, of which each thread has a part, over and over: 1e9 bytes a second, both counted.
double stream_gbs(int64_t bytes, int threads);

/// A fixed loop of dependent integer operations: longer than its best means that something else ran there, or that the clock is lower.
double spin_milliseconds(int threads);

}  // namespace weft::cpu
