#include "weft/passes/analysis/min_cut.h"

#include <algorithm>
#include <limits>

#include "weft/support/work.h"

namespace weft::passes {
namespace {

constexpr int source = 0, sink = 1;

}  // namespace

void MinCut::add_edge(int from, int to, double capacity) {
  out_[static_cast<size_t>(from)].push_back(static_cast<int>(edges_.size()));
  edges_.push_back({to, capacity});
  out_[static_cast<size_t>(to)].push_back(static_cast<int>(edges_.size()));
  edges_.push_back({from, 0});
}

// Shortest paths (Edmonds and Karp, 1972): the networks here are small.
bool MinCut::augment() {
  std::vector<int> by(out_.size(), -1), queue{source};  // the edge by which a node was come to
  for (size_t i = 0; i < queue.size() && by[sink] < 0; ++i)
    for (int e : out_[static_cast<size_t>(queue[i])]) {
      const Edge& edge = edges_[static_cast<size_t>(e)];
      if (edge.left <= 0 || edge.to == source || by[static_cast<size_t>(edge.to)] >= 0) continue;
      by[static_cast<size_t>(edge.to)] = e;
      queue.push_back(edge.to);
    }
  if (by[sink] < 0) return false;
  double least = std::numeric_limits<double>::infinity();
  for (int node = sink; node != source; node = reverse(by[static_cast<size_t>(node)]).to)
    least = std::min(least, edges_[static_cast<size_t>(by[static_cast<size_t>(node)])].left);
  for (int node = sink; node != source; node = reverse(by[static_cast<size_t>(node)]).to) {
    const int e = by[static_cast<size_t>(node)];
    edges_[static_cast<size_t>(e)].left -= least;
    reverse(e).left += least;
  }
  count_work(static_cast<int64_t>(queue.size()));
  return true;
}

std::vector<bool> MinCut::sink_side() {
  while (augment()) {}
  std::vector<bool> leads_there(out_.size());
  std::vector<int> queue{sink};
  leads_there[sink] = true;
  for (size_t i = 0; i < queue.size(); ++i)
    for (int e : out_[static_cast<size_t>(queue[i])]) {
      const int from = edges_[static_cast<size_t>(e)].to;  // of the edge back
      if (reverse(e).left <= 0 || leads_there[static_cast<size_t>(from)]) continue;
      leads_there[static_cast<size_t>(from)] = true;
      queue.push_back(from);
    }
  return leads_there;
}

}  // namespace weft::passes
