#include "weft/frontend/index_bounds.h"

#include <algorithm>

#include "weft/ir/op_def.h"

namespace weft::detail {

std::map<std::string, int64_t> index_bounds(const ir::Graph& graph) {
  std::map<std::string, int64_t> bounds;
  for (const auto& op : graph.ops()) {
    if (!op->def().index_bound) continue;
    for (int i = 0; i < static_cast<int>(op->operands().size()); ++i) {
      const auto bound = op->def().index_bound(*op, i);
      ir::Value source = op->operand(i);
      while (!source.is_input() && source.op()->def().kind == ir::Kind::view) source = source.op()->operand(0);
      if (!bound || !source.is_input() || source.dtype() != i64) continue;
      const auto [at, added] = bounds.try_emplace(source.name(), *bound);
      if (!added) at->second = std::min(at->second, *bound);
    }
  }
  return bounds;
}

}  // namespace weft::detail
