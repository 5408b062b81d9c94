#include "weft/frontend/program/index_bounds.h"

#include <algorithm>
#include <limits>

#include "weft/ir/op_def.h"
#include "weft/support/conversion.h"

namespace weft::detail {

namespace {

ir::Value behind_views(ir::Value v) {
  while (!v.is_input() && v.op()->def().kind == ir::Kind::view) v = v.op()->operand(0);
  return v;
}

/// The one number that every element of `v` is.
std::optional<int64_t> number_in(ir::Value v) {
  while (!v.is_input() && (v.op()->def().broadcasts || v.op()->def().kind == ir::Kind::view)) v = v.op()->operand(0);
  if (v.is_input() || v.op()->def().kind != ir::Kind::constant || v.dtype() != i64) return std::nullopt;
  const auto& d = v.op()->attribute<ir::Dense>("value");
  return d.is_splat() ? std::optional(d.integer_at(0)) : std::nullopt;
}

/// Wraps, as the sums that it undoes.
int64_t moved(int64_t number, int64_t by) { return static_cast<int64_t>(static_cast<uint64_t>(number) + static_cast<uint64_t>(by)); }

void move(IndexBound& bound, int64_t by) {
  bound.low = moved(bound.low, by), bound.high = moved(bound.high, by);
  for (int64_t& index : bound.besides) index = moved(index, by);
  bound.ascending = false;  // from 0
}

/// One step from indices that `bound` allows towards what they are made of, whose bound it then is.
std::optional<ir::Value> before(ir::Value v, IndexBound& bound) {
  const ir::Op& op = *v.op();
  if (op.def().index_bound && op.operands().size() == 1 && op.result().type() == op.operand(0).type()) return op.operand(0);
  if (op.def().converts && v.dtype() == i64 && is_integer(op.operand(0).dtype())) {
    const auto [least, largest] = range_of(op.operand(0).dtype());
    bound.low = std::max(bound.low, least);
    if (bound.high > largest) bound.high = largest == std::numeric_limits<int64_t>::max() ? largest : largest + 1;
    return op.operand(0);
  }
  if (const int sign = op.def().adds) {
    const auto by = number_in(op.operand(1));
    if (!by) return std::nullopt;
    move(bound, sign > 0 ? static_cast<int64_t>(0 - static_cast<uint64_t>(*by)) : *by);
    return op.operand(0);
  }
  if (!op.is("select") || op.operand(0).is_input() || !op.operand(0).op()->is("eq")) return std::nullopt;
  const ir::Op& test = *op.operand(0).op();
  const auto left_out = number_in(test.operand(1)), instead = number_in(op.operand(1));
  if (!left_out || !instead || behind_views(test.operand(0)) != behind_views(op.operand(2))) return std::nullopt;
  if (bound.allows(*instead) && !bound.allows(*left_out)) bound.besides.push_back(*left_out);
  return op.operand(2);
}

/// Some rows of an input, whose elements are bounded.
template <class Bound>
struct Rows {
  int64_t begin, end;
  Bound bound;
};

/// The rows of an input that `v` consists of, if it is such a part.
template <class Bound>
std::optional<Rows<Bound>> rows_of_input(ir::Value v, const Bound& bound) {
  if (!v.op()->is("slice") || !v.op()->operand(0).is_input()) return std::nullopt;
  const Shape &all = v.op()->operand(0).shape(), &part = v.shape();
  if (all.rank() == 0) return std::nullopt;  // has no rows
  const Rows<Bound> rows{v.op()->dims("start")[0], v.op()->dims("end")[0], bound};
  const bool whole = part[0] == rows.end - rows.begin && std::equal(all.begin() + 1, all.end(), part.begin() + 1, part.end());
  return whole ? std::optional(rows) : std::nullopt;
}

/// What both allow.
IndexBound both(const IndexBound& a, const IndexBound& b) {
  IndexBound result{std::max(a.low, b.low), std::min(a.high, b.high)};
  for (const IndexBound* from : {&a, &b})
    for (const int64_t index : from->besides)
      if (a.allows(index) && b.allows(index) && !result.allows(index)) result.besides.push_back(index);
  result.ascending = a.ascending || b.ascending;
  result.what = a.what == IndexBound().what ? b.what : a.what;
  return result;
}

/// What one or the other allows, and what lies between.
IndexBound either(const IndexBound& a, const IndexBound& b) {
  IndexBound result{std::min(a.low, b.low), std::max(a.high, b.high)};
  if (a.what == b.what) result.what = a.what;
  for (const IndexBound* from : {&a, &b})
    for (const int64_t index : from->besides)
      if (!result.allows(index)) result.besides.push_back(index);
  return result;
}

ValueRange both(const ValueRange& a, const ValueRange& b) { return {std::max(a.low, b.low), std::min(a.high, b.high)}; }
ValueRange either(const ValueRange& a, const ValueRange& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

/// The bound of an input of which parts are bounded, if all of it is.
template <class Bound>
std::optional<Bound> bound_of_all(std::vector<Rows<Bound>> parts, int64_t rows) {
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  int64_t covered = 0;
  Bound bound = parts.front().bound;
  for (const Rows<Bound>& part : parts) {
    if (part.begin > covered) return std::nullopt;
    covered = std::max(covered, part.end);
    bound = either(bound, part.bound);
  }
  return covered == rows ? std::optional(bound) : std::nullopt;
}

}  // namespace

namespace {

/// Gathers the bounds of inputs.
template <class Bound>
class Bounds {
 public:
  /// Every element of `v` is so bounded.
  void add(ir::Value v, const Bound& bound) {
    if (v.is_input()) {
      const auto [at, added] = bounds_.try_emplace(v.name(), bound);
      if (!added) at->second = both(at->second, bound);
    } else if (const auto rows = rows_of_input(v, bound)) {
      parts_[v.op()->operand(0).name()].push_back(*rows);
    }
  }

  std::map<std::string, Bound> of(const ir::Graph& graph) && {
    for (auto& [name, rows] : parts_)
      if (const auto bound = bound_of_all(std::move(rows), graph.find_input(name)->node->type.shape[0])) bounds_.try_emplace(name, *bound);
    return std::move(bounds_);
  }

 private:
  std::map<std::string, Bound> bounds_;
  std::map<std::string, std::vector<Rows<Bound>>> parts_;
};

}  // namespace

namespace {

/// Calls `take` with every index operand, its exclusive bound, and what it is made of with that one's bound.
template <class Take>
void for_indices(const ir::Graph& graph, const Take& take) {
  for (const auto& op : graph.ops()) {
    if (!op->def().index_bound) continue;
    for (int i = 0; i < static_cast<int>(op->operands().size()); ++i) {
      const auto high = op->def().index_bound(*op, i);
      if (!high) continue;
      IndexBound bound{0, *high};
      bound.ascending = op->def().attribute_index("ascending") >= 0 && op->flag("ascending");
      if (op->def().attribute_index("what") >= 0) bound.what = op->attribute<std::string>("what");
      ir::Value source = behind_views(op->operand(i));
      while (!source.is_input()) {
        const auto next = before(source, bound);
        if (!next) break;
        source = behind_views(*next);
      }
      take(ComputedIndex{op, op->operand(i), *high}, source, bound);
    }
  }
}

}  // namespace

std::map<std::string, IndexBound> index_bounds(const ir::Graph& graph) {
  Bounds<IndexBound> bounds;
  for_indices(graph, [&](const ComputedIndex&, ir::Value source, const IndexBound& bound) {
    if (is_integer(source.dtype())) bounds.add(source, bound);
  });
  return std::move(bounds).of(graph);
}

std::vector<ComputedIndex> computed_indices(const ir::Graph& graph) {
  const auto fed = index_bounds(graph);
  std::vector<ComputedIndex> all;
  for_indices(graph, [&](const ComputedIndex& index, ir::Value source, const IndexBound& bound) {
    const auto rows = source.is_input() ? std::nullopt : rows_of_input(source, bound);
    const ir::Value input = rows ? source.op()->operand(0) : source;
    const bool checked = input.is_input() && fed.contains(input.name()) && graph.find_input(input.name())->role == ir::Role::batch;
    if (!checked) all.push_back(index);
  });
  return all;
}

std::map<std::string, ValueRange> value_ranges(const ir::Graph& graph) {
  Bounds<ValueRange> bounds;
  for (const auto& op : graph.ops()) {
    const auto& specs = op->def().operands;
    for (size_t i = 0; i < specs.size(); ++i) {
      if (!specs[i].range) continue;
      const ir::Value source = behind_views(op->operands()[i]);
      if (is_floating(source.dtype())) bounds.add(source, {specs[i].range->first, specs[i].range->second});
    }
  }
  return std::move(bounds).of(graph);
}

}  // namespace weft::detail
