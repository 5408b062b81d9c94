#pragma once
// What must run before what: an op after the producers of its operands, and, where its result takes over an input's
// memory, after every other reader of that input (read before write).

#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

class Dependencies {
 public:
  explicit Dependencies(const ir::Graph& graph);

  const std::vector<const ir::Op*>& before(const ir::Op* op) const { return before_.at(op); }
  const std::vector<const ir::Op*>& after(const ir::Op* op) const { return after_.at(op); }

 private:
  void edge(const ir::Op* first, const ir::Op* second);

  std::unordered_map<const ir::Op*, std::vector<const ir::Op*>> before_, after_;
};

/// Puts the ops of the graph in an order that respects every dependency, otherwise as they stand. There must be one.
void sort_by_dependencies(ir::Graph& graph);

/// The outputs whose ops wait for each other in a circle, so that there is no order: updates that each read what another
/// one replaces. By number; none when there is an order.
std::vector<int> circular_updates(const ir::Graph& graph);

}  // namespace weft::passes
