#pragma once
// Groups of ops that grow by merging, kept free of cycles: what a fusion pass works on.

#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/passes/dependencies.h"

namespace weft::passes {

class Groups {
 public:
  /// Every op starts in a group of its own.
  explicit Groups(const ir::Graph& graph);

  int of(const ir::Op* op) const { return group_.at(op); }
  /// In program order.
  const std::vector<ir::Op*>& ops(int group) const { return members_[static_cast<size_t>(group)]; }
  int count() const { return static_cast<int>(members_.size()); }

  /// Would one of the two groups, once merged, have to run both before and after some third group?
  bool would_cycle(int a, int b) const;
  /// Is there any dependency between the two, direct or through others?
  bool connected(int a, int b) const;
  /// The ops of both, in program order.
  std::vector<ir::Op*> united(int a, int b) const;
  /// Empties b into a.
  void merge(int a, int b);

  /// The results of these ops that other ops or the graph's outputs read, in program order.
  std::vector<ir::Value> results_read_outside(const std::vector<ir::Op*>& ops) const;

 private:
  /// Is there a path from `from` to `to` that passes through another group?
  bool detour(int from, int to, bool count_direct) const;

  const ir::Graph& graph_;
  Dependencies dependencies_;
  std::unordered_map<const ir::Op*, int> group_;
  std::unordered_map<const ir::Op*, int> position_;
  std::vector<std::vector<ir::Op*>> members_;
};

/// Replaces `ops` by one op `name` whose body holds them; operands are what they read from outside, results what is
/// read outside. Inserted last: sort the graph afterwards.
ir::Op& outline(ir::Graph& graph, std::string_view name, const std::vector<ir::Op*>& ops,
                const std::vector<ir::Value>& results, ir::NamedAttributes attributes = {});

}  // namespace weft::passes
