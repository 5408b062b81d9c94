#pragma once
// What must run before what: an op after the producers of its operands, and, where its result takes over an input's
// memory, after every other reader of that input (read before write).

#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

/// Ops are numbered as they stand in the graph.
class Dependencies {
 public:
  explicit Dependencies(const ir::Graph& graph);

  int count() const { return static_cast<int>(ops_.size()); }
  ir::Op* op(int number) const { return ops_[static_cast<size_t>(number)]; }
  int number(const ir::Op* op) const { return number_.at(op); }
  /// Each op once, in the order of the operands and readers.
  const std::vector<int>& before(int number) const { return before_[static_cast<size_t>(number)]; }
  const std::vector<int>& after(int number) const { return after_[static_cast<size_t>(number)]; }

  /// An order that respects every dependency, otherwise as the ops stand; ops that wait for each other in a circle, and
  /// those that wait for them, are left out.
  std::vector<int> order() const;

 private:
  std::vector<ir::Op*> ops_;
  std::unordered_map<const ir::Op*, int> number_;
  std::vector<std::vector<int>> before_, after_;
};

/// Puts the ops of the graph in an order that respects every dependency, otherwise as they stand. There must be one.
void sort_by_dependencies(ir::Graph& graph);

/// The outputs whose ops wait for each other in a circle, so that there is no order: updates that each read what another
/// one replaces. By number; none when there is an order.
std::vector<int> circular_updates(const ir::Graph& graph);

}  // namespace weft::passes
