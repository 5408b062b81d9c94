#include "weft/backends/codegen/mapping.h"

#include <algorithm>

#include "weft/backends/codegen/math/math.h"
#include "weft/ir/op_def.h"

namespace weft::codegen {
namespace {

/// Blocks stride over what is to do, and so many fill any GPU of today.
constexpr int64_t most_blocks = 1024;
/// With fewer threads than this there is room on a GPU for more.
constexpr int64_t many_threads = 65536;
/// A nest of several stages that has as many elements takes launches of its own for each.
constexpr int64_t many_points = int64_t{1} << 21;
/// Of so many reductions the nodes that meet in a block fit its shared memory, whatever their type.
constexpr size_t most_split = 8;
/// A thread's elements have code and registers of their own up to so many.
constexpr int64_t most_unrolled = 32;
/// And as many values of these, with blocks of 256 threads.
constexpr int64_t most_kept = 96;
/// What a block has for what its threads exchange; a bit more is there for scalars.
constexpr int64_t exchange_bytes = 45056;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t clipped(int64_t blocks, const MappingLimits& limits) { return limits.one_block ? 1 : std::clamp<int64_t>(blocks, 1, most_blocks); }

int power_of_two(int64_t at_least, int most) {
  int n = 1;
  while (n < at_least && n < most) n *= 2;
  return n;
}

/// Kept loops' points.
int64_t points_of(const passes::LoopNest& nest) {
  int64_t points = 1;
  for (size_t l = 0; l < nest.extents.size(); ++l)
    if (!nest.reduced[l]) points *= nest.extents[l];
  return points;
}

/// What a block needs for the nodes that its groups exchange, on all levels, and for the lanes of columns, of all stages.
int64_t bytes_exchanged(const Mapping& m, const ReductionTree& tree, const passes::LoopNest& nest) {
  int64_t of_node = 0;
  for (const auto& [op, stage] : nest.reduction_stage)
    of_node += reduction_lanes * m.points * static_cast<int64_t>(std::max(size_of(op->result().dtype()), sizeof(float)));
  const int64_t nodes = m.level == m.block_level ? 0 : tree.nodes[static_cast<size_t>(m.level)];
  return of_node * (nodes + ceil_div(nodes, reduction_chain) + 1 + (m.kind == Mapping::Kind::column));
}

class Choice {
 public:
  Choice(const ir::Graph& body, const passes::LoopNest& nest, const MappingLimits& limits)
      : body_(body), nest_(nest), limits_(limits), accesses_(accesses_of(body, nest)), loops_(plan_loops(body, nest, 1)),
        tree_(body, nest) {
    mapping_.is_wide = accesses_.largest_index >= INT32_MAX || nest.points() >= INT32_MAX / 2;
  }

  Mapping run() {
    if (!nest_.has_reduction()) choose_elements();
    else choose_reduction();
    return mapping_;
  }

 private:
  // ---- elements ----

  void choose_elements() {
    const int64_t points = nest_.points();
    if (points <= 1) {
      mapping_.kind = Mapping::Kind::single;
      return;
    }
    if (const int across = transposed_loop(body_, nest_, loops_, accesses_); across >= 0) {
      mapping_.kind = Mapping::Kind::tile;
      const Loop &inner = loops_.all.back(), &other = loops_.all[static_cast<size_t>(across)];
      mapping_.blocks = clipped(
          points / (inner.extent * other.extent) * ceil_div(inner.extent, tile_extent) * ceil_div(other.extent, tile_extent), limits_);
      return;
    }
    mapping_.vector = vector_lanes();
    const int64_t vectors = points / mapping_.vector;
    if (vectors >= 4 * most_blocks * mapping_.threads) mapping_.at_once = accesses_.reads.size() <= 2 ? 4 : 2;
    mapping_.blocks = clipped(ceil_div(vectors, mapping_.threads * mapping_.at_once), limits_);
  }

  /// So many elements are 16 bytes of what has the smallest elements; 1 where an access is strided, or the rows end inside a vector.
  int vector_lanes() const {
    const auto innermost = loops_.all.size() - 1;
    size_t smallest = 8;
    const auto allows = [&](const ir::Affine& offset, DType t) {
      const Walk walk = collapsed(offset, nest_, loops_);
      const int64_t step = walk.along.coefficients[innermost];
      if (step == 1 && size_of(t) > 1) smallest = std::min(smallest, size_of(t));
      return walk.apart.empty() && (step == 0 || step == 1);
    };
    for (const OperandRead& r : accesses_.reads)
      if (r.guarded || !allows(r.offset, body_.inputs()[static_cast<size_t>(r.input)].value().dtype())) return 1;
    for (size_t i = 0; i < accesses_.writes.size(); ++i)
      if (!allows(accesses_.writes[i], body_.outputs()[i].value.dtype())) return 1;
    const int64_t extent = loops_.all[innermost].extent;
    int lanes = static_cast<int>(16 / smallest);
    while (lanes > 1 && (loops_.all.size() == 1 ? extent < lanes : extent % lanes != 0)) lanes /= 2;
    return lanes;
  }

  // ---- reductions ----

  void choose_reduction() {
    const int64_t points = points_of(nest_);
    int64_t elements = 1;
    for (int64_t extent : tree_.extents) elements *= extent;
    const bool is_row = is_contiguous();
    mapping_.kind = is_row ? Mapping::Kind::row : Mapping::Kind::column;
    if (fits_thread(elements, points, is_row)) {
      mapping_.kind = points == 1 ? Mapping::Kind::single : Mapping::Kind::column;
      mapping_.lanes = 1;
      mapping_.points = mapping_.threads;
      mapping_.is_unrolled = true;
      mapping_.blocks = clipped(ceil_div(points, mapping_.points), limits_);
      return;
    }
    if (is_row) choose_row(points);
    else choose_column(points);
    const int64_t children = mapping_.block_level == tree_.top() ? tree_.nodes[0] : reduction_chain;
    const int64_t own = ceil_div(children, mapping_.groups) * tree_.lane_elements();
    mapping_.is_unrolled = mapping_.level == 0 && own <= most_unrolled && own * code_of(body_) <= most_unrolled_code &&
                           own * kept_values() <= most_kept * 256 / mapping_.threads;
  }

  /// Values of an element that a later stage may need again: the operands' that follow the reduced loops.
  int64_t kept_values() const {
    if (nest_.stages == 1) return 0;
    return std::count_if(accesses_.reads.begin(), accesses_.reads.end(), [&](const OperandRead& r) {
      return std::any_of(loops_.inner.begin(), loops_.inner.end(), [&](int l) {
        const Loop& loop = loops_.all[static_cast<size_t>(l)];
        const auto& steps = r.offset.coefficients;
        return std::any_of(steps.begin() + loop.first, steps.begin() + loop.last + 1, [](int64_t c) { return c != 0; });
      });
    });
  }

  /// Few elements, and results enough for all threads.
  bool fits_thread(int64_t elements, int64_t points, bool is_row) const {
    if (tree_.pieces) return false;
    if (elements <= 4) return true;
    if (elements * code_of(body_) > most_unrolled_code) return false;
    return elements <= 16 ? points >= (is_row ? 16384 : 512) : !is_row && elements <= 64 && points >= many_threads;
  }

  /// Do more operands lie along the lane axis than along the innermost kept loop?
  bool is_contiguous() const {
    int64_t along_lanes = 0, along_points = 0;
    const int kept = loops_.rows.empty() ? -1 : loops_.rows.back();
    for (const OperandRead& r : accesses_.reads) {
      const Walk walk = collapsed(r.offset, nest_, loops_);
      const int64_t bytes = body_.inputs()[static_cast<size_t>(r.input)].value().type().bytes();
      if (loops_.inner.empty() || walk.along.coefficients[static_cast<size_t>(loops_.inner.back())] == 1) along_lanes += bytes;
      else if (kept >= 0 && walk.along.coefficients[static_cast<size_t>(kept)] == 1) along_points += bytes;
    }
    return kept < 0 || along_lanes >= along_points;
  }

  void choose_row(int64_t points) {
    const int64_t pieces = tree_.nodes[0];
    mapping_.block_level = tree_.top();
    if (nest_.stages > 1 && pieces > reduction_chain) mapping_.threads = limits_.most_threads;
    mapping_.groups = power_of_two(pieces, mapping_.threads / reduction_lanes);
    if (pieces > reduction_chain && can_split(points * mapping_.threads)) {
      mapping_.threads = 256;
      // A block's 16 groups take the 16 children of a node each.
      mapping_.block_level = 1;
      while (mapping_.block_level + 1 < tree_.top() && points * tree_.nodes[static_cast<size_t>(mapping_.block_level + 1)] >= 512)
        ++mapping_.block_level;
      mapping_.level = mapping_.block_level - 1;
      mapping_.groups = reduction_chain;
      mapping_.points = mapping_.threads / (reduction_lanes * mapping_.groups);
      mapping_.blocks = clipped(ceil_div(points, mapping_.points) * tree_.nodes[static_cast<size_t>(mapping_.block_level)], limits_);
      return;
    }
    mapping_.points = mapping_.threads / (reduction_lanes * mapping_.groups);
    set_level();
    mapping_.blocks = clipped(ceil_div(points, mapping_.points), limits_);
  }

  void choose_column(int64_t points) {
    const int64_t pieces = tree_.nodes[0];
    mapping_.block_level = tree_.top();
    mapping_.points = 16;
    if (pieces > 1 && can_split(points * reduction_lanes)) {
      const auto threads_at = [&](int level) { return points * reduction_lanes * tree_.nodes[static_cast<size_t>(level)]; };
      mapping_.block_level = tree_.top() - 1;
      while (mapping_.block_level > 0 && threads_at(mapping_.block_level) < many_threads) --mapping_.block_level;
      mapping_.level = mapping_.block_level;
      mapping_.groups = mapping_.threads / (reduction_lanes * mapping_.points);
      mapping_.blocks = clipped(ceil_div(points, mapping_.points) * tree_.nodes[static_cast<size_t>(mapping_.block_level)], limits_);
      return;
    }
    if (pieces >= 4) mapping_.threads = limits_.most_threads;
    mapping_.groups = mapping_.threads / (reduction_lanes * mapping_.points);
    if (mapping_.groups == 1) mapping_.level = tree_.top();
    set_level();
    mapping_.blocks = clipped(ceil_div(points, mapping_.points), limits_);
  }

  /// The highest level that has a node for each group; higher where the exchange would be too large. Where it always is, there is none,
  /// and lanes meet by shuffles.
  void set_level() {
    const auto above = [&] { return tree_.nodes[static_cast<size_t>(mapping_.level + 1)]; };
    if (tree_.nodes[0] > 2 * mapping_.groups)
      while (mapping_.level + 1 < tree_.top() && above() >= mapping_.groups) ++mapping_.level;
    while (mapping_.level + 1 < tree_.top() && bytes_exchanged(mapping_, tree_, nest_) > exchange_bytes) ++mapping_.level;
    if (bytes_exchanged(mapping_, tree_, nest_) <= exchange_bytes) return;
    mapping_.kind = Mapping::Kind::row;
    mapping_.threads = 256, mapping_.points = 16, mapping_.groups = 1;
    mapping_.level = tree_.top();
  }

  /// Would the launches of so many threads leave room, and is there enough to do that two launches a stage are worth it?
  bool can_split(int64_t threads) const {
    if (limits_.one_block || nest_.reduction_stage.size() > most_split) return false;
    return nest_.stages == 1 ? threads < many_threads : threads < many_threads / 2 && nest_.points() >= many_points;
  }

  const ir::Graph& body_;
  const passes::LoopNest& nest_;
  MappingLimits limits_;
  NestAccesses accesses_;
  Loops loops_;
  ReductionTree tree_;
  Mapping mapping_;
};

}  // namespace

int64_t code_of(const ir::Graph& body) {
  int64_t sum = 0;
  for (const auto& op : body.ops()) {
    ++sum;
    if (op->def().kind != ir::Kind::elementwise) continue;
    for (const ir::ScalarNode& n : ir::scalar_of(*op).nodes) sum += find_function(n.primitive) ? 25 : 1;
  }
  return sum;
}

ReductionTree::ReductionTree(const ir::Graph& body, const passes::LoopNest& nest) {
  const Loops loops = plan_loops(body, nest, 1);
  for (int l : loops.inner) extents.push_back(loops.all[static_cast<size_t>(l)].extent);
  if (std::find(extents.begin(), extents.end(), 0) == extents.end()) pieces = reduction_pieces(extents);
  int64_t count = cuts();
  for (size_t axis = 0; pieces && axis < pieces->axis; ++axis) count *= extents[axis];
  nodes.push_back(count);
  while (count > 1) nodes.push_back(count = ceil_div(count, reduction_chain));
}

int64_t ReductionTree::cut_length() const {
  if (pieces) return pieces->length;
  const int64_t extent = extents.empty() ? 1 : extents[0];
  return extents.size() == 1 ? ceil_div(extent, reduction_lanes) * reduction_lanes : extent;
}

int64_t ReductionTree::lane_elements() const {
  if (extents.empty()) return 1;
  int64_t count = 1;
  for (size_t axis = cut_axis(); axis < extents.size(); ++axis) {
    const int64_t extent = axis == cut_axis() ? cut_length() : extents[axis];
    count *= axis + 1 == extents.size() ? ceil_div(extent, reduction_lanes) : extent;
  }
  return count;
}

int transposed_loop(const ir::Graph& body, const passes::LoopNest& nest, const Loops& loops, const NestAccesses& accesses) {
  if (loops.all.size() < 2 || !loops.inner.empty() || loops.all.back().extent < tile_extent / 2) return -1;
  const auto inner = loops.all.size() - 1;
  // The exchange is of whole elements, and all of it has to fit a block's shared memory.
  int64_t bytes = 0;
  int best = -1;
  for (const OperandRead& r : accesses.reads) {
    const Walk walk = collapsed(r.offset, nest, loops);
    const int64_t step = walk.along.coefficients[inner];
    if (r.guarded || !walk.apart.empty() || step == 0 || step == 1) continue;
    for (size_t l = 0; l < inner; ++l)
      if (walk.along.coefficients[l] == 1 && loops.all[l].extent >= tile_extent / 2 && (best < 0 || best == static_cast<int>(l))) {
        best = static_cast<int>(l);
        bytes +=
            tile_extent * (tile_extent + 1) * static_cast<int64_t>(size_of(body.inputs()[static_cast<size_t>(r.input)].value().dtype()));
      }
  }
  return bytes <= exchange_bytes ? best : -1;
}

Mapping choose_mapping(const ir::Graph& body, const passes::LoopNest& nest, const MappingLimits& limits) {
  return Choice(body, nest, limits).run();
}

Mapping combining_mapping(const Mapping& first, const ReductionTree& tree, const passes::LoopNest& nest) {
  Mapping m = first;
  const auto below = static_cast<size_t>(first.block_level + 1);
  m.threads = 256;
  m.block_level = tree.top();
  m.groups = power_of_two(tree.nodes[below], reduction_chain);
  m.points = m.threads / (reduction_lanes * m.groups);
  m.level = first.block_level + 1;
  while (m.level + 1 < tree.top() && bytes_exchanged(m, tree, nest) > exchange_bytes) ++m.level;
  m.is_unrolled = false;
  m.blocks = std::clamp<int64_t>(ceil_div(points_of(nest), m.points), 1, most_blocks);
  return m;
}

}  // namespace weft::codegen
