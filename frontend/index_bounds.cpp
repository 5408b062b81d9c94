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

std::optional<size_t> find_outside(std::span<const int64_t> indices, int64_t bound) {
  const auto outside = [bound](int64_t index) { return static_cast<uint64_t>(index) >= static_cast<uint64_t>(bound); };
  const auto bad = std::find_if(indices.begin(), indices.end(), outside);
  if (bad == indices.end()) return std::nullopt;
  return static_cast<size_t>(bad - indices.begin());
}

}  // namespace weft::detail
