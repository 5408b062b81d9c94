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

/// Puts the ops of the graph in an order that respects every dependency, otherwise as they stand. Throws weft::Error
/// naming the lines when there is none: two updates that each read what the other replaces.
void sort_by_dependencies(ir::Graph& graph);

}  // namespace weft::passes
