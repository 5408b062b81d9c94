#pragma once
// The CUDA backend: LLVM-compiled kernels on an NVIDIA GPU, a step of them launched as one graph. To compile a program neither a GPU nor
// CUDA is needed; to run it, the driver alone.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/backends/program/backend.h"
#include "weft/runtime/program_data.h"

namespace weft::cuda {

struct Options {
  /// The device's number, as the driver counts them (CUDA_VISIBLE_DEVICES).
  int device = 0;
  /// The oldest architecture that kernels are for: "sm_70" or newer. "": the device's own; of a program that is saved, "sm_80".
  std::string arch = {};
  /// Mixed precision (passes/autocast.h): products and convolutions run in this type, bf16, while parameters, states, sums and losses
  /// stay as they are. None: everything runs as recorded.
  std::optional<DType> autocast = {};
  /// Products and convolutions in f32 by matrix units, which round their factors to TF32: 10 bits of mantissa in place of 23. By the
  /// libraries alone: without them, they stay f32.
  bool tf32 = false;
  /// Of the algorithms that cuBLASLt proposes for a product, takes the one that is fastest on the device, measured when a program is
  /// compiled, in place of the first. The choice is part of the plan: it stands in the program's text and in its file, where the same
  /// library on the same kind of device finds it again, and computes the same bits.
  bool tune = false;
  /// May NVIDIA's libraries run what they can, where they are installed? Else weft's own kernels do, whose bits depend on the device alone.
  /// cuBLASLt is looked for by the environment variable WEFT_CUBLASLT (its file, or "none"), by the loader, in the folders of a CUDA
  /// toolkit and in Python's packages; cuDNN likewise, by WEFT_CUDNN.
  bool libraries = true;
  /// Most bytes that the arena may have, as of cpu::Options.
  std::optional<int64_t> memory_limit = {};
  /// Waits for every launch before the next, so that one that fails is named, with its line; slow. Also on by the environment variable
  /// WEFT_CUDA_CHECK=1.
  bool check = false;
  /// The driver's file. "": the environment variable WEFT_CUDA_DRIVER decides, else libcuda.so.1.
  std::string driver = {};
};

/// What the passes ask, as Options say.
const passes::Target& target(std::optional<DType> autocast = {}, bool tf32 = false, std::optional<int64_t> memory_limit = {});

/// A module that has been planned for target(), as data: kernels in PTX for `arch` and newer; `tf32` as Options say. Needs no GPU. When `kernels` is given, also
/// fills in the generated code. Throws weft::Error for a module of another stage or target, for an op that the backend cannot run, and
/// for an unknown architecture.
ProgramData lower(const ir::Module& module, const std::string& arch, std::vector<KernelText>* kernels = nullptr, bool tf32 = false);

/// The backend. Nobody looks for a device before a program is built. Throws weft::Error for a negative device and for an unknown
/// architecture, and for autocast to another type than bf16.
std::shared_ptr<const Backend> backend(Options options = {});

}  // namespace weft::cuda
