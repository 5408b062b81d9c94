#pragma once
// Where the time of a step goes, as values: call by call, and summed by what the calls have in common.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/frontend/report/machine.h"
#include "weft/frontend/report/origin.h"
#include "weft/runtime/profiler.h"

namespace weft {

/// Calls summed. Times are of one step, on average, on the caller's thread.
struct ProfileRow {
  std::string name;         // of a call what is called, on what ("matmul (f32[64,784], f32[512,784]) -> f32[64,512]  by weft:avx2")
  Origin origin = {};       // of a call
  std::string kernel = {};  // of a call: the kernel, or the op and the library's implementation of it
  int64_t calls = 0;
  int64_t runs = 1;  // of a call: how often a step runs it, more than once in a loop
  double microseconds = 0;
  double waiting = 0;           // of these, for other threads
  double flops = 0, bytes = 0;  // in a step, all runs together
  /// Of a call what was recorded that it computes, each op once: "relu", "cross_entropy". Empty where that is not known.
  std::vector<std::string> recorded = {};
  DType computes_in = f32;  // of a call: f32, f64, or bf16 with sums in f32
  double least = 0;         // microseconds that it takes at the machine's limits; 0 where these are not known

  /// 1 is as fast as the machine could be; 0 where that is not known.
  double share_of_limits() const { return microseconds > 0 ? least / microseconds : 0; }
};

/// Empty unless Step::start_profile() came before the steps, and for the reference, which measures nothing.
struct Profile {
  ProfileRow step;                // all of it
  std::vector<ProfileRow> calls;  // in the order in which they run
  /// Sums, the largest first. A call that computes several layers is in a row of them all; one outside of all layers is under its
  /// source lines.
  std::vector<ProfileRow> layers = {}, sources = {}, phases = {}, ops = {}, kernels = {};
  /// Of the machine with the threads that the step has, if `weft machine` has measured them.
  std::optional<MachineLimits> limits = {};

  bool empty() const { return calls.empty(); }
  /// Within 100 columns: by phase, layer, source line, op and kernel, and call by call, the largest first; each with its share of the
  /// machine's limits, where they are known.
  std::string table() const;
  /// An object of lists: "calls", "layers", "sources", "phases", "ops", "kernels"; and the limits, if they are known.
  std::string json() const;
};

namespace detail {

/// `calls` are those of the planned graph, in order; `recorded`, if it is known, is what was recorded of each.
Profile profile_of(std::span<const CallTime> calls, const ir::Graph& planned, const std::optional<MachineLimits>& limits = {},
                   const std::vector<std::vector<std::string>>& recorded = {});
/// What is called: a kernel, or an op and the library's implementation of it. Program::calls() begins with it, in a loop behind how often
/// it runs: "24 x weft_k03_exp (...".
std::string kernel_of(const std::string& call);

}  // namespace detail
}  // namespace weft
