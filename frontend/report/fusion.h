#pragma once
// What became one kernel or library call, and why the boundaries between them are where they are.

#include <span>
#include <string>
#include <vector>

#include "weft/frontend/report/origin.h"
#include "weft/ir/module.h"
#include "weft/passes/remark.h"
#include "weft/passes/target.h"

namespace weft {

/// A kernel, or a library call with what it does besides.
struct FusedCall {
  std::string call;  // what is called, on what: as Step::calls() says it
  Origin origin;
  std::vector<std::string> ops;  // that run in it, in order: "max", "sub", "exp"; of a library call the call itself and its epilogue
  std::string body = {};         // of a loop nest, a launch of several or an epilogue: its text
  double flops = 0, bytes = 0;   // of one run
};

struct Fusion {
  std::vector<FusedCall> calls;  // in the order in which they run
  /// In the order of the passes: what was written out, what was not fused, what runs slowly; each with its lines and why.
  std::vector<passes::Remark> remarks;

  std::string table() const;
  /// {"calls": [...], "remarks": [...]}
  std::string json() const;
};

namespace detail {

/// `calls` are a program's, of the planned graph; empty: they are named after their ops.
std::vector<FusedCall> fused_calls(const ir::Graph& planned, std::span<const std::string> calls);
/// Runs the passes on a copy.
std::vector<passes::Remark> remarks_of(const ir::Module& recorded, const std::vector<std::string>& passes, const passes::Target& target);

}  // namespace detail
}  // namespace weft
