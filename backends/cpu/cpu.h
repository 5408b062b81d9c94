#pragma once
// The CPU backend: oneDNN for products, LLVM-compiled loop nests for everything else.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/backends/program/backend.h"
#include "weft/runtime/program_data.h"

namespace weft::cpu {

struct Options {
  /// Compute threads, at most; 0: the environment variable WEFT_THREADS decides (a positive integer, anything else is an error), else
  /// one per core that the process may use. A step that is too small to gain by several runs on one.
  int threads = 0;
  /// The widest instruction set to use: "sse4", "avx2" or "avx512". "": the environment variable WEFT_MAX_ISA decides,
  /// else what the machine has. oneDNN takes its limit when it is first used, so one process should keep to one value.
  std::string max_isa = {};
  /// Mixed precision (passes/autocast.h): products and convolutions run in this type, bf16, while parameters, states, sums and losses
  /// stay f32. Where the machine has no instructions for bf16 they are computed in f32 and rounded to it.
  std::optional<DType> autocast = {};
  /// Convolutions are summed as they are defined. Otherwise those with kernels of 3 x 3 may be computed between transforms of tiles
  /// (Winograd, exec/winograd.h) where that is faster: in f32 the error is about as large, but a number that is infinite or nan makes
  /// its whole tile nan.
  bool strict = false;
  /// Most bytes that the arena may have: all that a step computes in between, without parameters, states, batches and results' copies.
  /// Where it would take more, kernels and calls run again when what they gave is wanted later (passes/rematerialize.h), with the same
  /// bits. Compiling throws weft::Error, which names the largest values, where that is not enough. None: as many as it takes.
  std::optional<int64_t> memory_limit = {};
  /// What a step computes takes numbers below the smallest normal one (1.2e-38 in f32) for 0, as operands and as results, as
  /// torch.set_flush_denormal(True) has it. They turn up where gradients vanish and momentum fades away, and an operation on them takes
  /// some hundred cycles on many processors. Otherwise they are kept, as IEEE 754 says.
  bool flush_denormals = false;
  /// All threads work on what they can share, whether they gain by it or not: to measure it, and for tests.
  bool share_all = false;

  Denormals denormals() const { return flush_denormals ? Denormals::flushed : Denormals::kept; }
};

/// What the passes ask; of the options, what they decide.
const passes::Target& target(const Options& options = {});

/// Compiles a module that has been planned for target(). When `kernels` is given, also fills in the generated code.
/// Throws weft::Error for a module of another stage or target, and for an op that the backend cannot run.
std::unique_ptr<Program> compile(const ir::Module& module, const Options& options = {}, std::vector<KernelText>* kernels = nullptr);

/// The first half of that: what is loaded then, with kernels for this machine.
ProgramData lower(const ir::Module& module, const Options& options = {});
/// The same with kernels for each of these instruction sets (exec/isa.h), which this machine need not have.
ProgramData compile_portably(const ir::Module& module, std::span<const std::string> isas, const Options& options = {});

/// The backend. Throws weft::Error for a negative number of threads, for an unknown instruction set and for autocast to another type
/// than bf16.
std::shared_ptr<const Backend> backend(Options options = {});

}  // namespace weft::cpu
