#pragma once
// Which values a nest keeps from one sweep over its reduced loops to a later one, rather than computing them again: the
// exponentials of a softmax, which are summed first and divided then.

#include <unordered_map>

#include "weft/ir/graph.h"
#include "weft/passes/analysis/loop_nest.h"

namespace weft::codegen {

/// Bytes that the kept values of one point may take: they are to stay in the first cache, beside what the sweeps read.
constexpr int64_t kept_bytes = 16384;

class KeptValues {
 public:
  KeptValues(const ir::Graph& body, const passes::LoopNest& nest);

  /// Is the value needed in a sweep after `stage` too, and worth a load in place of its computation?
  bool is_needed_after(const ir::Op& op, int stage) const;

 private:
  void visit(ir::Value v, int stage, const passes::LoopNest& nest);

  std::unordered_map<const ir::Op*, int> last_stage_;  // that needs the value
};

}  // namespace weft::codegen
