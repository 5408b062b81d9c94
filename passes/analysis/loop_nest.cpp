#include "weft/passes/analysis/loop_nest.h"

#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <memory_resource>
#include <numeric>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::IndexMap;
using ir::Kind;
using ir::Op;
using ir::Value;

/// More floating-point work than this per element is not repeated for every outer iteration.
constexpr double cheap_flops = 4;
/// Inside a pad or a concat a value is computed at every point of the loops, though only some are its elements: up to this
/// much work for each of these.
constexpr double guarded_flops = 128;
/// A concat of more values is not looked through at every point of another.
constexpr size_t few_joined = 8;

/// Whoever walks a nest from a result to what it reads goes this deep at most, one call an op.
constexpr int most_depth = 1000;

bool reduces_axis(const Op& op, int axis) {
  const Dims& axes = op.dims("axes");
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// The index of a value of `shape` whose axes of extent other than 1 are, in order, the given loops.
std::optional<IndexMap> map_in_order(const Shape& shape, const Dims& extents, const std::vector<int>& loops) {
  IndexMap map;
  size_t next = 0;
  const int rank = static_cast<int>(extents.size());
  for (int64_t extent : shape) {
    if (extent == 1) {
      map.push_back(ir::Affine::zero(rank));
      continue;
    }
    if (next == loops.size() || extents[static_cast<size_t>(loops[next])] != extent) return std::nullopt;
    map.push_back(ir::Affine::axis(rank, loops[next++]));
  }
  if (next != loops.size()) return std::nullopt;
  return map;
}

/// The same where an axis may also be several neighbouring loops, whose extents multiply to the axis.
std::optional<IndexMap> map_joining(const Shape& shape, const Dims& extents, const std::vector<int>& loops) {
  IndexMap map;
  size_t next = 0;
  for (int64_t extent : shape) {
    ir::Affine a = ir::Affine::zero(static_cast<int>(extents.size()));
    // Loops, outermost first, until their extents multiply to the axis.
    for (int64_t rest = extent; rest != 1; ++next) {
      if (next == loops.size()) return std::nullopt;
      const auto l = static_cast<size_t>(loops[next]);
      const bool empty = rest == 0 || extents[l] == 0;  // is one loop, which joins with no other
      if (empty ? rest != extents[l] : rest % extents[l] != 0) return std::nullopt;
      rest = empty ? 1 : rest / extents[l];
      a.coefficients[l] = rest;
    }
    map.push_back(std::move(a));
  }
  if (next != loops.size()) return std::nullopt;
  return map;
}

class Analysis {
 public:
  explicit Analysis(const NestRegion& region)
      : region_(region), inside_(region.ops.begin(), region.ops.end(), &memory_), seen_by_op_(region.ops.size(), -1, &memory_) {
    std::sort(inside_.begin(), inside_.end(), std::less<>());
  }

  std::optional<LoopNest> run(NoNest* why_not) {
    if (find_loops() && place_outputs() && visit_outputs() && check_in_place()) return std::move(nest_);
    if (why_not) *why_not = why_;
    return std::nullopt;
  }

 private:
  bool fail(std::string why, std::string unless) {
    why_ = {std::move(why), std::move(unless)};
    return false;
  }

  /// The loops are the extents of what is reduced, or of the largest output: of several the one with most axes, since
  /// another one's axes may be several loops each.
  bool find_loops() {
    const Op* first = nullptr;
    for (const Op* op : region_.ops)
      if (op->def().kind == Kind::reduction && !combines_nothing(*op)) {
        if (!first) first = op;
      }
    Shape shape = first ? first->operand(0).shape() : region_.outputs.empty() ? Shape() : region_.outputs[0].shape();
    if (!first)
      for (Value v : region_.outputs)
        if (v.shape().numel() > shape.numel() || (v.shape().numel() == shape.numel() && loops_of(v.shape()) >= loops_of(shape)))
          shape = v.shape();
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      const int loop = static_cast<int>(nest_.extents.size());
      const bool reduced = first && reduces_axis(*first, axis);
      nest_.extents.push_back(shape[axis]);
      nest_.reduced.push_back(reduced);
      all_.push_back(loop);
      if (!reduced) kept_.push_back(loop);
    }
    return true;
  }

  static std::ptrdiff_t loops_of(const Shape& s) {
    return std::count_if(s.begin(), s.end(), [](int64_t extent) { return extent != 1; });
  }

  bool place_outputs() {
    for (Value v : region_.outputs) {
      auto map = map_joining(v.shape(), nest_.extents, all_);
      full_.push_back(map.has_value());
      if (!map) map = map_joining(v.shape(), nest_.extents, kept_);
      if (!map)
        return fail("a result " + to_string(v.type()) + " does not fit the loops " + weft::to_string(nest_.extents),
                    "it has all of these axes, or those that the reductions leave");
      nest_.outputs.push_back(std::move(*map));
    }
    return true;
  }

  bool visit_outputs() {
    int stages = 1;
    for (size_t i = 0; i < region_.outputs.size(); ++i) {
      const auto level = visit(region_.outputs[i], keep(nest_.outputs[i]));
      if (!level) return false;
      nest_.output_stage.push_back(*level);
      // What is written in the sweep of stage s needs a sweep s; a reduction of stage s makes level s + 1.
      if (full_[i]) stages = std::max(stages, *level + 1);
      else stages = std::max(stages, *level);
    }
    for (const auto& [op, stage] : nest_.reduction_stage) stages = std::max(stages, stage + 1);
    nest_.stages = stages;
    for (size_t i = 0; i < region_.outputs.size(); ++i)
      if (!full_[i] || kept_.size() == all_.size()) nest_.output_stage[i] = full_[i] ? 0 : stages;
    return true;
  }

  const IndexMap& keep(IndexMap map) { return maps_.emplace_back(std::move(map)); }

  /// The place of the op in inside_, or -1: it is read from outside.
  int place_of(Value v) const {
    if (v.is_input()) return -1;
    const auto at = std::lower_bound(inside_.begin(), inside_.end(), v.op(), std::less<>());
    return at != inside_.end() && *at == v.op() ? static_cast<int>(at - inside_.begin()) : -1;
  }

  [[gnu::noinline]] void too_deep() { fail(fmt::format("a result is more than {} ops from what it reads", most_depth), "they are fewer"); }

  /// How many stages must have finished before the value can be evaluated. The map is one that was kept.
  std::optional<int> visit(Value v, const IndexMap& map) {
    const int place = place_of(v);
    if (place < 0) {
      reads_.push_back({v, &map});
      return 0;
    }
    int& last = seen_by_op_[static_cast<size_t>(place)];
    bool elsewhere = false;
    for (int i = last; i >= 0; i = seen_[static_cast<size_t>(i)].before) {
      const Seen& s = seen_[static_cast<size_t>(i)];
      if (s.value != v) continue;
      if (s.map == &map || *s.map == map) return s.level;
      elsewhere = true;
    }
    if (depth_ == most_depth) {
      too_deep();
      return std::nullopt;
    }
    ++depth_;
    const std::optional<int> level = visit_op(*v.op(), v, map, elsewhere);
    --depth_;
    if (level) {
      seen_.push_back({v, &map, *level, last});
      last = static_cast<int>(seen_.size()) - 1;
    }
    return level;
  }

  // One call an op, so what these keep on the stack is kept as often as the chain is long: whatever needs room for itself is a
  // function of its own that has returned before the operands are visited.

  /// `elsewhere`: the value was evaluated at another index before.
  std::optional<int> visit_op(const Op& op, Value v, const IndexMap& map, bool elsewhere) {
    switch (op.def().kind) {
      case Kind::constant:
        return op.attribute<ir::Dense>("value").is_splat() ? std::optional(0)
                                                           : no(op, {"holds unequal elements", "all elements are equal"});
      case Kind::index: return 0;
      case Kind::elementwise:
        if (const auto why = why_not_here(op, v, map, elsewhere)) return no(op, *why);
        return visit_operands(op, [&](int) { return &map; });
      case Kind::movement:
      case Kind::view: return visit_movement(op, map);
      case Kind::reduction:
        if (combines_nothing(op)) return visit_operands(op, [&](int) { return passed_through(op, map); });
        return visit_reduction(op, v, map);
      case Kind::composite:
      case Kind::heavy:
      case Kind::nest:
      case Kind::launch:
      case Kind::loop: break;
    }
    return no(op, {"is no part of a loop nest", ""});
  }

  struct Reason {
    const char *why, *unless;
  };

  [[gnu::noinline]] std::optional<int> no(const Op& op, const Reason& reason) {
    return fail(fmt::format("{} {}", op.name(), reason.why), reason.unless), std::nullopt;
  }

  /// Why an elementwise op cannot be computed at this index; none when it can.
  [[gnu::noinline]] std::optional<Reason> why_not_here(const Op& op, Value v, const IndexMap& map, bool elsewhere) const {
    const auto elements = static_cast<double>(v.shape().numel());
    if (elements <= 1) return std::nullopt;
    if (elsewhere) return Reason{"would be computed twice, at two places", "all that reads it reads the same elements"};
    if (guards_ > 0 && flops_of(op) * static_cast<double>(nest_.points()) > guarded_flops * elements * elements)
      return Reason{"is too dear to be computed where it has no elements", "less is padded or joined around it"};
    if (repeated(map) && flops_of(op) > cheap_flops * elements)
      return Reason{"is too dear to be computed again for every outer iteration", "it is computed behind what repeats its elements"};
    return std::nullopt;
  }

  [[gnu::noinline]] std::optional<int> visit_movement(const Op& op, const IndexMap& map) {
    const auto accesses = op.def().access(op);
    if (!accesses) return no(op, {"is no affine movement", "its elements stand at a fixed step from each other"});
    if (guards_ > 0 && accesses->size() > few_joined) return no(op, {"joins too many values to be looked through", "it joins fewer"});
    const bool guarded = accesses->size() > 0 && (*accesses)[0].guarded;
    guards_ += guarded;
    const auto level = visit_operands(op, [&](int i) { return moved((*accesses)[static_cast<size_t>(i)].map, map); });
    guards_ -= guarded;
    return level;
  }

  [[gnu::noinline]] const IndexMap* moved(const IndexMap& inner, const IndexMap& outer) { return &keep_padded(compose(inner, outer)); }
  [[gnu::noinline]] const IndexMap* passed_through(const Op& op, const IndexMap& map) {
    return &keep_padded(reduction_passthrough(op, map));
  }

  [[gnu::noinline]] std::optional<int> visit_reduction(const Op& op, Value v, const IndexMap& map) {
    const IndexMap* operand = operand_of_reduction(op, v, map);
    if (!operand) return std::nullopt;
    const std::optional<int> level = visit(op.operand(0), *operand);
    if (!level) return std::nullopt;
    nest_.reduction_stage[&op] = *level;
    return *level + 1;
  }

  /// The index of its operand, or null and why it is none of the nest.
  [[gnu::noinline]] const IndexMap* operand_of_reduction(const Op& op, Value v, const IndexMap& map) {
    const char* same = "all reductions are over the same axes of the same shape";
    const auto not_here = [&](const char* why, const char* unless) { return no(op, {why, unless}), nullptr; };
    auto operand = map_in_order(op.operand(0).shape(), nest_.extents, all_);
    const auto result = map_in_order(v.shape(), nest_.extents, kept_);
    if (!operand || !result) return not_here("has other loops", same);
    size_t loop = 0;
    for (int axis = 0; axis < op.operand(0).shape().rank(); ++axis)
      if (op.operand(0).shape()[axis] != 1 && reduces_axis(op, axis) != nest_.reduced[loop++]) return not_here("reduces other loops", same);
    if (map != *result) return not_here("is read at another place than it is computed", "whoever reads it reads its own row's element");
    return &keep(std::move(*operand));
  }

  /// A rank-0 result gives no loop count to the maps derived from it.
  const IndexMap& keep_padded(IndexMap map) {
    for (ir::Affine& a : map) a.coefficients.resize(nest_.extents.size());
    return keep(std::move(map));
  }

  template <class MapOf>
  std::optional<int> visit_operands(const Op& op, MapOf map_of) {
    int level = 0;
    for (int i = 0; i < static_cast<int>(op.operands().size()); ++i) {
      const auto l = visit(op.operand(i), *map_of(i));
      if (!l) return std::nullopt;
      level = std::max(level, *l);
    }
    return level;
  }

  /// Does the index ignore a loop that runs outside of one it follows?
  bool repeated(const IndexMap& map) const {
    std::vector<bool> follows(nest_.extents.size(), false);
    for (const ir::Affine& a : map)
      for (size_t l = 0; l < a.coefficients.size(); ++l) follows[l] = follows[l] || a.coefficients[l] != 0;
    // The order in which the loops run: kept ones outside, reduced ones inside.
    bool ignored = false;
    for (bool reduced : {false, true})
      for (size_t l = 0; l < follows.size(); ++l) {
        if (nest_.reduced[l] != reduced) continue;
        if (follows[l] && ignored) return true;
        ignored = ignored || !follows[l];
      }
    return false;
  }

  /// An output may be written over a value when every read of the value stands at the element being written, and no
  /// later sweep reads it again.
  bool check_in_place() {
    for (const auto& [output, old] : region_.in_place) {
      const size_t o = static_cast<size_t>(output);
      for (const Read& read : reads_) {
        if (read.value != old) continue;
        if (*read.map != nest_.outputs[o])
          return fail("the old value is read at other elements than the one replaced", "each element's update reads that element alone");
        if (full_[o] && nest_.stages > 1 && nest_.output_stage[o] + 1 < nest_.stages)
          return fail("the old value may be read again by a later sweep", "nothing is reduced that the update reads");
      }
    }
    return true;
  }

  struct Read {
    Value value;
    const IndexMap* map;
  };

  struct Seen {
    Value value;
    const IndexMap* map;
    int level;
    int before;  // of the same op, or -1
  };

  const NestRegion& region_;
  // Fusion asks for a nest at every merge that it tries: what is needed only meanwhile lies here, most of it on the stack.
  std::array<std::byte, 4096> first_bytes_;
  std::pmr::monotonic_buffer_resource memory_{first_bytes_.data(), first_bytes_.size()};
  std::pmr::vector<const Op*> inside_;  // sorted
  LoopNest nest_;
  std::vector<int> all_, kept_;  // loop numbers
  std::vector<bool> full_;       // per output: does it have all loops?
  std::pmr::list<IndexMap> maps_{&memory_};
  std::pmr::vector<Seen> seen_{&memory_};
  std::pmr::vector<int> seen_by_op_;  // per op of inside_: the last in seen_, or -1
  std::pmr::vector<Read> reads_{&memory_};
  int depth_ = 0;
  int guards_ = 0;  // pads and concats around what is visited
  NoNest why_;
};

}  // namespace

bool LoopNest::has_reduction() const { return !reduction_stage.empty(); }

int64_t LoopNest::points() const {
  int64_t n = 1;
  for (int64_t e : extents) n *= e;
  return n;
}

bool combines_nothing(const ir::Op& op) {
  for (int64_t axis : op.dims("axes"))
    if (op.operand(0).shape()[static_cast<int>(axis)] != 1) return false;
  return true;
}

IndexMap reduction_operand(const Op& reduction, const LoopNest& nest) {
  std::vector<int> all(nest.extents.size());
  std::iota(all.begin(), all.end(), 0);
  return *map_in_order(reduction.operand(0).shape(), nest.extents, all);
}

IndexMap reduction_passthrough(const ir::Op& op, const IndexMap& result) {
  if (op.flag("keep_dims")) return result;
  IndexMap map;
  size_t next = 0;
  const int loops = result.empty() ? 0 : static_cast<int>(result[0].coefficients.size());
  for (int axis = 0; axis < op.operand(0).shape().rank(); ++axis)
    map.push_back(reduces_axis(op, axis) ? ir::Affine::zero(loops) : result[next++]);
  return map;
}

NestRegion region_of(const ir::Graph& body) {
  NestRegion region;
  for (const auto& op : body.ops()) region.ops.push_back(op);
  for (const ir::Output& output : body.outputs()) region.outputs.push_back(output.value);
  return region;
}

std::optional<LoopNest> analyze(const NestRegion& region, NoNest* why_not) { return Analysis(region).run(why_not); }

}  // namespace weft::passes
