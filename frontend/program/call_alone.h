#pragma once
// A call in a graph of its own, for the reference to interpret.

#include "weft/ir/graph.h"

namespace weft::detail {

class CallAlone {
 public:
  /// Its results are the graph's outputs, but for scratch memory, which comes last.
  explicit CallAlone(const ir::Op& call);

  /// Inputs are the call's operands, in order.
  const ir::Graph& graph() const { return graph_; }
  const ir::Op& op() const { return *op_; }

 private:
  ir::Graph graph_;
  ir::Op* op_;
};

}  // namespace weft::detail
