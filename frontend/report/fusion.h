#pragma once
// What became one kernel or library call, and why the boundaries between them are where they are.

#include <span>
#include <string>
#include <vector>

#include "weft/frontend/report/origin.h"
#include "weft/ir/graph.h"
#include "weft/passes/remark.h"

namespace weft {

/// A kernel, or a library call with what it does besides.
struct FusedCall {
  std::string call;  // what is called, on what: as Step::calls() says it
  Origin origin;
  std::vector<std::string> ops;  // that run in it, in order: "max", "sub", "exp"; of a library call the call itself and its epilogue
  /// What was recorded that it computes, each op once: "relu", "cross_entropy". Empty where that is not known.
  std::vector<std::string> recorded = {};
  std::string body = {};        // of a loop nest, a launch of several or an epilogue: its text
  int64_t runs = 1;             // how often a step runs it: more than once in a loop
  int64_t scratch = 0;          // bytes of its last result, in which it works
  double flops = 0, bytes = 0;  // in a step, all runs together
};

struct Fusion {
  std::vector<FusedCall> calls;  // in the order in which they run
  /// What was written out and what runs slowly; what was not fused and what is reordered, the dearest first; then, as `aside`, in which
  /// layouts calls are made and what runs them. Each with its lines, why, and the numbers of the calls that it is about.
  std::vector<passes::Remark> remarks;

  std::string table() const;
  /// {"calls": [...], "remarks": [...]}
  std::string json() const;
};

namespace detail {

class Replay;

/// `calls` are a program's, of the planned graph; empty: they are named after their ops.
std::vector<FusedCall> fused_calls(const ir::Graph& planned, std::span<const std::string> calls);
/// The same, with what was recorded and the remarks, from a replay that has run all of the program's passes.
Fusion fusion_of(const ir::Graph& planned, std::span<const std::string> calls, const Replay& replay);

}  // namespace detail
}  // namespace weft
