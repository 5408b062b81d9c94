#pragma once
// What must run before what: an op after the producers of its operands, and, where its result takes over an input's
// memory, after every other reader of that input (read before write).

#include <span>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

/// Ops are numbered as they stand in the graph.
class Dependencies {
 public:
  explicit Dependencies(const ir::Graph& graph);

  int count() const { return static_cast<int>(ops_.size()); }
  ir::Op* op(int number) const { return ops_[static_cast<size_t>(number)]; }
  /// -1: inserted since.
  int number(const ir::Op* op) const {
    const auto at = static_cast<size_t>(op->number());
    return at < number_.size() ? number_[at] : -1;
  }
  /// Each op once: in the order of the operands, then of what is read before it is written.
  std::span<const int> before(int number) const { return before_.of(number); }
  /// As they stand in the graph.
  std::span<const int> after(int number) const { return after_.of(number); }

  /// An order that respects every dependency, otherwise as the ops stand; ops that wait for each other in a circle, and
  /// those that wait for them, are left out.
  std::vector<int> order() const;

 private:
  /// A list for each op, all in one piece.
  struct Lists {
    std::vector<size_t> begin{0};  // of each list, and the end of the last
    std::vector<int> all;

    std::span<const int> of(int number) const {
      const auto i = static_cast<size_t>(number);
      return {all.data() + begin[i], begin[i + 1] - begin[i]};
    }
  };

  void find_before(const ir::Graph& graph);

  std::vector<ir::Op*> ops_;
  std::vector<int> number_;  // by the op's number in its graph
  Lists before_, after_;
};

/// Puts the ops of the graph in an order that respects every dependency, otherwise as they stand. There must be one.
void sort_by_dependencies(ir::Graph& graph);

/// The outputs whose ops wait for each other in a circle, so that there is no order: updates that each read what another
/// one replaces. By number; none when there is an order.
std::vector<int> circular_updates(const ir::Graph& graph);

}  // namespace weft::passes
