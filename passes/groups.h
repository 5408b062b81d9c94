#pragma once
// Groups of ops that grow by merging, kept free of cycles: what a fusion pass works on.
//
// The groups stand in an order that respects their dependencies, so a path between two can only pass through those that
// stand between them. A search walks from both ends in turns. It ends when the walks meet or one of them comes to a group
// from which a path is known (passes/tree_paths.h); or when one can go no further: then there is no path, and what that
// walk has seen is what moves to the other side of the merged group, so that the order stays right. (Pearce and Kelly, "A
// dynamic topological sort algorithm", 2006, has the same order for single edges.)

#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/passes/dependencies.h"
#include "weft/passes/order_list.h"
#include "weft/passes/tree_paths.h"

namespace weft::passes {

class Groups {
 public:
  /// Every op starts in a group of its own.
  explicit Groups(const ir::Graph& graph);

  int of(const ir::Op* op) const { return group_[number(op)]; }
  /// In program order.
  const std::vector<ir::Op*>& ops(int group) const;
  size_t size(int group) const { return members_[static_cast<size_t>(group)].size(); }
  int count() const { return static_cast<int>(members_.size()); }
  /// The groups in an order that respects every dependency.
  std::vector<int> in_order() const;
  /// The groups that must run before this one, with repetitions.
  std::vector<int> before(int group) const;
  std::vector<int> after(int group) const;

  /// Would one of the two groups, once merged, have to run both before and after some third group? Also true where a
  /// search of `most_steps` edges does not find that out.
  bool would_cycle(int a, int b);
  /// Is there any dependency between the two, direct or through others?
  bool connected(int a, int b);
  /// The ops of both, in program order.
  std::vector<ir::Op*> united(int a, int b) const;
  /// Empties b into a. Requires that they would not cycle.
  void merge(int a, int b);

  /// The results of these ops that other ops or the graph's outputs read, in program order.
  std::vector<ir::Value> results_read_outside(const std::vector<ir::Op*>& ops) const;

 private:
  /// One of the two walks of a search: the groups seen, and how far each one's edges are followed.
  struct Walk {
    std::vector<int> seen;
    size_t at = 0, edge = 0;
    bool done() const { return at == seen.size(); }
  };

  size_t number(const ir::Op* op) const { return static_cast<size_t>(dependencies_.number(op)); }
  int group_of(int op) const { return group_[static_cast<size_t>(op)]; }
  /// Follows one edge; true when that shows a path.
  bool step(Walk& walk, bool forward, int from, int to);
  bool has_direct(int from, int to) const;

  const ir::Graph& graph_;
  Dependencies dependencies_;
  std::vector<int> sorted_, place_;  // ops by number: in an order that respects the dependencies; each one's place there
  TreePaths paths_;
  OrderList order_;
  std::vector<int> group_;                           // per op
  mutable std::vector<std::vector<ir::Op*>> members_;  // per group; sorted when asked for
  mutable std::vector<bool> is_sorted_;
  std::vector<std::vector<int>> before_, after_;     // per group: ops outside, and such as have come inside since
  std::vector<int> first_, last_;                    // per group: its ops with the lowest and the highest place
  /// The last search: between which groups, whether there is a path, and else the walk that came to its end.
  struct {
    int first = -1, second = -1;
    bool path = false, forward = false;
    std::vector<int> seen;
  } last_search_;
  std::vector<int> mark_;  // per group: the search that saw it, doubled, plus 1 from behind
  int searches_ = 0;
};

/// Replaces `ops` by one op `name` whose body holds them; operands are what they read from outside, results what is
/// read outside. Inserted last: sort the graph afterwards.
ir::Op& outline(ir::Graph& graph, std::string_view name, const std::vector<ir::Op*>& ops,
                const std::vector<ir::Value>& results, ir::NamedAttributes attributes = {});

}  // namespace weft::passes
