#pragma once
// Reachability: paths of a graph of dependencies that are known without a search.
//
// Every op hangs below one of those that it waits for, which makes trees; that an op lies below another is two comparisons
// of numbers. There are three such forests: below the op that stands last, below the one with the longest chain of ops
// before it, and below the first. A path that is in none of them is found by walking until one that is.

#include <array>
#include <vector>

#include "weft/passes/analysis/dependencies.h"

namespace weft::passes {

class TreePaths {
 public:
  /// `place`: each op's place in an order that respects the dependencies.
  TreePaths(const Dependencies& dependencies, const std::vector<int>& order, const std::vector<int>& place);

  /// Is there surely a path? False may mean that the trees do not have it.
  bool has(int from, int to) const {
    const auto f = static_cast<size_t>(from), t = static_cast<size_t>(to);
    for (const Forest& forest : forests_)
      if (forest.begin[f] <= forest.begin[t] && forest.begin[t] < forest.end[f]) return true;
    return false;
  }

 private:
  /// What lies below an op has the numbers begin + 1 to end - 1.
  struct Forest {
    std::vector<int> begin, end;
  };

  static Forest forest_of(const std::vector<int>& parent, const std::vector<int>& order);

  std::array<Forest, 3> forests_;
};

}  // namespace weft::passes
