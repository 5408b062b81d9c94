#include "weft/frontend/index_bounds.h"

#include <algorithm>

#include "weft/ir/op_def.h"

namespace weft::detail {

namespace {

ir::Value behind_views(ir::Value v) {
  while (!v.is_input() && v.op()->def().kind == ir::Kind::view) v = v.op()->operand(0);
  return v;
}

/// Some rows of an input that are indices.
struct Rows {
  int64_t begin, end, bound;
};

/// The rows of an input that `v` consists of, if it is such a part.
std::optional<Rows> rows_of_input(ir::Value v, int64_t bound) {
  if (v.is_input() || !v.op()->is("slice") || !v.op()->operand(0).is_input()) return std::nullopt;
  const Shape &all = v.op()->operand(0).shape(), &part = v.shape();
  if (all.rank() == 0) return std::nullopt;  // has no rows
  const Rows rows{v.op()->dims("start")[0], v.op()->dims("end")[0], bound};
  const bool whole = part[0] == rows.end - rows.begin && std::equal(all.begin() + 1, all.end(), part.begin() + 1, part.end());
  return whole ? std::optional(rows) : std::nullopt;
}

/// The bound of an input of which parts are indices, if all of it is.
std::optional<int64_t> bound_of_all(std::vector<Rows> parts, int64_t rows) {
  std::sort(parts.begin(), parts.end(), [](const Rows& a, const Rows& b) { return a.begin < b.begin; });
  int64_t covered = 0, bound = 0;
  for (const Rows& part : parts) {
    if (part.begin > covered) return std::nullopt;
    covered = std::max(covered, part.end);
    bound = std::max(bound, part.bound);
  }
  return covered == rows ? std::optional(bound) : std::nullopt;
}

}  // namespace

std::map<std::string, int64_t> index_bounds(const ir::Graph& graph) {
  std::map<std::string, int64_t> bounds;
  std::map<std::string, std::vector<Rows>> parts;
  for (const auto& op : graph.ops()) {
    if (!op->def().index_bound) continue;
    for (int i = 0; i < static_cast<int>(op->operands().size()); ++i) {
      const auto bound = op->def().index_bound(*op, i);
      if (!bound) continue;
      const ir::Value source = behind_views(op->operand(i));
      if (const auto rows = rows_of_input(source, *bound)) parts[source.op()->operand(0).name()].push_back(*rows);
      if (!source.is_input() || source.dtype() != i64) continue;
      const auto [at, added] = bounds.try_emplace(source.name(), *bound);
      if (!added) at->second = std::min(at->second, *bound);
    }
  }
  for (auto& [name, rows] : parts) {
    const ir::Type& type = graph.find_input(name)->node->type;
    if (const auto bound = bound_of_all(std::move(rows), type.shape[0]); bound && type.dtype == i64) bounds.try_emplace(name, *bound);
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
