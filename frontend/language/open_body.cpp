#include "weft/frontend/language/open_body.h"

#include <algorithm>
#include <limits>

namespace weft {

std::vector<detail::Recording::Seen> detail::by_first_use(std::vector<detail::Recording::Seen> seen, const ir::Graph& body) {
  using detail::Recording;
  using ir::Value;
  std::vector<int> rank(body.inputs().size(), std::numeric_limits<int>::max());
  int next = 0;
  const auto use = [&](Value v) {
    if (v.is_input() && rank[static_cast<size_t>(v.index())] == std::numeric_limits<int>::max())
      rank[static_cast<size_t>(v.index())] = next++;
  };
  for (const ir::Op* op : body.ops())
    for (Value v : op->operands()) use(v);
  for (const ir::Output& output : body.outputs()) use(output.value);
  std::stable_sort(seen.begin(), seen.end(), [&](const Recording::Seen& x, const Recording::Seen& y) {
    return rank[static_cast<size_t>(x.here.index())] < rank[static_cast<size_t>(y.here.index())];
  });
  return seen;
}

}  // namespace weft
