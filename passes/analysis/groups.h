#pragma once
// Groups of ops that grow by merging, kept free of cycles: what a fusion pass works on.
//
// The groups stand in an order that respects their dependencies, so a path between two can only pass through those that
// stand between them. A search walks from both ends in turns. It ends when the walks meet or one of them comes to a group
// from which a path is known (passes/analysis/tree_paths.h); or when one can go no further: then there is no path, and what that
// walk has seen is what moves to the other side of the merged group, so that the order stays right. (Pearce and Kelly, "A
// dynamic topological sort algorithm", 2006, has the same order for single edges.)

#include <vector>

#include "weft/ir/graph.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/analysis/order_list.h"
#include "weft/passes/analysis/tree_paths.h"

namespace weft::passes {

class Groups {
 public:
  /// Every op starts in a group of its own.
  explicit Groups(const ir::Graph& graph);

  int of(const ir::Op* op) const { return group_[number(op)]; }
  /// In program order.
  std::vector<ir::Op*> ops(int group) const;
  size_t size(int group) const { return static_cast<size_t>(groups_[static_cast<size_t>(group)].size); }
  int count() const { return static_cast<int>(groups_.size()); }
  /// The groups in an order that respects every dependency.
  std::vector<int> in_order() const;
  /// The groups that must run before this one, with repetitions and in no order.
  std::vector<int> before(int group) const { return neighbours(group, false); }
  std::vector<int> after(int group) const { return neighbours(group, true); }

  /// Would one of the two groups, once merged, have to run both before and after some third group? Also true where a
  /// search of `most_steps` edges does not find that out.
  bool would_cycle(int a, int b);
  /// The groups that have to run after one of the two and before the other, the nearest to the first of them first. Looks at all that is
  /// before them.
  std::vector<int> between(int a, int b) const;
  /// Is there any dependency between the two, direct or through others?
  bool connected(int a, int b);
  /// Does one of them read what the other makes?
  bool share_a_result(int a, int b) const;
  /// The ops of both, in program order.
  std::vector<ir::Op*> united(int a, int b) const;
  /// Empties b into a. Requires that they would not cycle.
  void merge(int a, int b);

  /// The results of these ops that other ops or the graph's outputs read, in program order.
  std::vector<ir::Value> results_read_outside(const std::vector<ir::Op*>& ops) const;

 private:
  /// Its ops hang together by next_, from first to last.
  struct Group {
    int first, last, size = 1;
    int64_t edges_before, edges_after;  // of its ops, those inside included
    int lowest, highest;                // its ops with the lowest and the highest place
    bool sorted = true;                 // do its ops hang together as they stand in the graph?
  };

  /// One of the two walks of a search: the groups seen, and how far the edges of the one at hand are followed.
  struct Walk {
    std::vector<int> seen;
    size_t at = 0, edge = 0;
    int op = -1;  // of the group at hand; -1: not begun
    bool done() const { return at == seen.size(); }
  };

  Group& group(int g) { return groups_[static_cast<size_t>(g)]; }
  const Group& group(int g) const { return groups_[static_cast<size_t>(g)]; }
  int next(int op) const { return next_[static_cast<size_t>(op)]; }
  /// The numbers of its ops, as they stand in the graph.
  std::vector<int> sorted(int g) const;
  std::vector<int> neighbours(int g, bool after) const;
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
  std::vector<int> group_;  // per op
  // Which ops are in a group is settled; in what order they hang together is when somebody asks.
  mutable std::vector<Group> groups_;
  mutable std::vector<int> next_;   // per op: the next of its group, or -1
  mutable std::vector<int> asked_;  // per op: the last question about what is read outside in which it was inside
  mutable int questions_ = 0;
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
/// read outside. Inserted last: sort the graph afterwards. What was computed once for many, as a constant, has in the body the lines of
/// the layers that read it there.
ir::Op& outline(ir::Graph& graph, std::string_view name, const std::vector<ir::Op*>& ops, const std::vector<ir::Value>& results,
                ir::NamedAttributes attributes = {});

}  // namespace weft::passes
