#pragma once
// A program for a GPU. It needs neither the IR nor LLVM, and of CUDA the driver alone.
//
// A step: what is bound to memory of the host (a batch, hyper-parameters, counters, the key) is written into pinned memory and copied to
// the device beside what that still does for the step before; then come the launches. From its third run with the same memory on, a step is
// a graph that was captured once and is launched as one. run() returns once all is asked for: the host prepares the next batch
// meanwhile, in a second slot. Who reads a result, or a parameter, waits for it.

#include <functional>
#include <memory>
#include <string>

#include "weft/backends/cuda/exec/context.h"
#include "weft/backends/cuda/exec/launches.h"
#include "weft/runtime/array.h"
#include "weft/runtime/program.h"
#include "weft/runtime/program_data.h"

namespace weft::cuda {

/// The launches of a program in a context: where it is loaded, and once more where they have failed and are done again elsewhere.
using MakeLaunches = std::function<std::unique_ptr<DeviceLaunches>(const std::shared_ptr<Context>& where, LaunchList list)>;

/// `check`: as LoadOptions says.
std::unique_ptr<Program> make_program(LaunchList list, MakeLaunches make, std::shared_ptr<Context> context, bool check);

struct LoadOptions {
  /// The device's number.
  int device = 0;
  /// See driver().
  std::string driver = {};
  /// Waits for every launch before the next, so that one that fails is named, with its line; slow. Also on by the environment variable
  /// WEFT_CUDA_CHECK=1.
  bool check = false;
  /// May NVIDIA's libraries run what they can, where they are installed? Else weft's own kernels do.
  bool libraries = true;
};

/// The kernels of each launch of a program from a file, which needs no device. Throws weft::Error where the data contradict themselves.
std::vector<KernelCall> kernels_of(const ProgramData& data);

/// The program that `data`, made for this backend, describe.
///
/// Throws weft::Error where there is no driver or device, where the device is older than all of the code, where the driver refuses it,
/// and where the data contradict themselves; OutOfMemory.
std::unique_ptr<Program> load_program(ProgramData data, const LoadOptions& options = {});

}  // namespace weft::cuda
