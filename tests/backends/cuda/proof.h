#pragma once
// The generated kernels on the PTX machine, against the same kernels as the processor runs them.

#include <cstdint>
#include <string>

#include "weft/backends/cuda/ptx.h"
#include "weft/ir/module.h"

namespace weft::test {

struct Proof {
  size_t kernels = 0, launches = 0;
  uint64_t instructions = 0;

  Proof& operator+=(const Proof& other);
};

/// Runs every kernel of a planned module's PTX with its launches, on ordinary numbers and, the threads in another order, on those where
/// functions turn, and checks (by Catch2) that each result has the bits of the CPU backend's vector kernel, any nan being equal to any
/// other, and that the machine finds no fault. Memory is shared as the plan says; each operand and result is an allocation of its own.
Proof prove(const ir::Module& planned, const cuda::Ptx& ptx);

}  // namespace weft::test
