#pragma once
// Order maintenance: a list whose members know which of two comes first.
//
// Members are numbers 0 .. n - 1. Each has a label; labels grow along the list, so comparing two members is comparing two
// numbers. Where a member is moved to a place without a free label, the labels around it are spread out: over the
// smallest aligned range of labels that is sparse enough (Bender et al., "Two simplified algorithms for maintaining order
// in a list", 2002), which costs O(log n) labels a move on average.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::passes {

class OrderList {
 public:
  /// The members in this order, each of 0 .. n - 1 once.
  explicit OrderList(const std::vector<int>& order);

  bool precedes(int a, int b) const { return label(a) < label(b); }
  uint64_t label(int member) const { return nodes_[static_cast<std::size_t>(member)].label; }
  void remove(int member);
  /// Takes the member from where it is and puts it right behind `place`.
  void move_behind(int member, int place);
  void move_before(int member, int place);

 private:
  struct Node {
    int previous, next;
    uint64_t label = 0;
  };

  Node& node(int member) { return nodes_[static_cast<std::size_t>(member)]; }
  /// Spreads the labels around a member out.
  void relabel(int member);

  std::vector<Node> nodes_;  // the last two are the ends
  int first_, last_;
};

}  // namespace weft::passes
