#include "weft/passes/analysis/tree_paths.h"

#include <algorithm>

#include "weft/support/work.h"

namespace weft::passes {

TreePaths::TreePaths(const Dependencies& dependencies, const std::vector<int>& order, const std::vector<int>& place) {
  const auto count = static_cast<size_t>(dependencies.count());
  std::vector<int> depth(count, 0);
  std::array<std::vector<int>, 3> parents;
  parents.fill(std::vector<int>(count, -1));
  for (int op : order) {
    const auto i = static_cast<size_t>(op);
    const std::span<const int> before = dependencies.before(op);
    if (before.empty()) continue;
    const auto last_by = [&](const std::vector<int>& key) {
      return *std::max_element(before.begin(), before.end(),
                               [&](int x, int y) { return key[static_cast<size_t>(x)] < key[static_cast<size_t>(y)]; });
    };
    const int deepest = last_by(depth);
    depth[i] = depth[static_cast<size_t>(deepest)] + 1;
    parents[0][i] = last_by(place);
    parents[1][i] = deepest;
    parents[2][i] = before[0];
    count_work(static_cast<int64_t>(before.size()));
  }
  for (size_t k = 0; k < parents.size(); ++k) forests_[k] = forest_of(parents[k], order);
}

TreePaths::Forest TreePaths::forest_of(const std::vector<int>& parent, const std::vector<int>& order) {
  // Sizes from the leaves up, then numbers from the roots down: parents stand before their children in the order.
  const size_t count = parent.size();
  std::vector<int> size(count, 1), next(count, 0);
  for (auto at = order.rbegin(); at != order.rend(); ++at)
    if (const int p = parent[static_cast<size_t>(*at)]; p >= 0) size[static_cast<size_t>(p)] += size[static_cast<size_t>(*at)];
  Forest forest{std::vector<int>(count, -1), std::vector<int>(count, -1)};
  int roots = 0;
  for (int op : order) {
    const auto i = static_cast<size_t>(op);
    int& from = parent[i] < 0 ? roots : next[static_cast<size_t>(parent[i])];
    forest.begin[i] = from;
    from += size[i];
    forest.end[i] = from;
    next[i] = forest.begin[i] + 1;
  }
  return forest;
}

}  // namespace weft::passes
