#pragma once
// The generated kernels of a program as PTX, the assembly language of NVIDIA's GPUs, by the same code as the CPU's. The
// text is complete: ptxas or a driver compiles it as it is.

#include <string>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/ir/module.h"

namespace weft::cuda {

/// What an op became: entry points that are launched in order, each with the same table of addresses, which
/// codegen/kernel_buffers.h describes.
struct PtxKernel {
  std::string name;
  std::vector<KernelLaunch> launches;
  /// Of the first op that it computes.
  std::string source_lines;
};

struct Ptx {
  std::string text;
  std::vector<PtxKernel> kernels;  // in program order; ops that compute the same share one
};

/// The PTX of every `fused` and `kernel` op of a module whose passes have come to "fuse" or further, for any target;
/// library calls are left out. Results are bit for bit those of the CPU's kernels: operations round one by one, and
/// reductions combine in the order of support/reduction_order.h.
///
/// `arch` is a virtual architecture, "sm_70" or newer; its code runs on newer GPUs too. Throws weft::Error for another
/// one, for an op that has not been fused, for a function that has no code on a GPU (f64 sin and cos) with the op's
/// source lines, and for a kernel of more than 4095 operands, results and slices.
Ptx emit_ptx(const ir::Module& module, const std::string& arch = "sm_90");

}  // namespace weft::cuda
