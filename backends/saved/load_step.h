#pragma once
// From a file to a step that runs: no IR, no compiler, no LLVM.

#include <string>

#include "weft/runtime/saved_step.h"

namespace weft {

struct LoadStepOptions {
  /// Compute threads, at most; 0: the environment variable WEFT_THREADS decides, else one per core that the process may use. A step that
  /// is too small to gain by several runs on one.
  int threads = 0;
  /// The widest instruction set to use: "sse4", "avx2" or "avx512". "": the environment variable WEFT_MAX_ISA decides, else what
  /// the machine has.
  std::string max_isa = {};
  /// Of a program for a GPU: the device's number.
  int device = 0;
};

/// A step that Step::save or `weft compile` wrote. Its code is that of the widest instruction set that the file and the machine have.
///
/// Throws weft::Error naming the file: where it is damaged or none of weft's, of another format, for another backend, has no code
/// that runs here, or where the library on this machine refuses what it was compiled for.
SavedStep load_step(const std::string& path, const LoadStepOptions& options = {});

}  // namespace weft
