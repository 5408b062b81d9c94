#pragma once
// The smallest cut of a network: which of its nodes lie on the source's side when the capacity of the edges to the other side is least.

#include <cstddef>
#include <vector>

namespace weft::passes {

class MinCut {
 public:
  /// Node 0 is the source, node 1 the sink.
  explicit MinCut(int nodes) : out_(static_cast<size_t>(nodes)) {}

  /// A capacity may be infinite.
  void add_edge(int from, int to, double capacity);
  /// Per node: is it on the sink's side? Of several smallest cuts that whose sink's side is smallest. To be called once.
  std::vector<bool> sink_side();

 private:
  struct Edge {
    int to;
    double left;  // of its capacity
  };

  /// Adds to the flow along one path; false where there is none.
  bool augment();
  Edge& reverse(int edge) { return edges_[static_cast<size_t>(edge ^ 1)]; }

  std::vector<Edge> edges_;            // each followed by its reverse
  std::vector<std::vector<int>> out_;  // per node: its edges
};

}  // namespace weft::passes
