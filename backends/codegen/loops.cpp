#include "weft/backends/codegen/loops.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {
namespace {

using ir::Affine;
using ir::IndexMap;
using ir::Kind;
using ir::Value;

/// Walks the body as the emitter will and notes what each loop must be kept apart for.
class AccessWalk {
 public:
  AccessWalk(const ir::Graph& body, const passes::LoopNest& nest)
      : nest_(nest), count_(static_cast<int>(nest.extents.size())), separate_(nest.extents.size(), false) {
    for (size_t i = 0; i < body.outputs().size(); ++i) {
      const Value v = body.outputs()[i].value;
      offsets_.push_back(linear_offset(v.shape(), nest.outputs[i], count_));
      accesses_.writes.push_back(offsets_.back());
      note_size(offsets_.back());
      visit(v, nest.outputs[i], false);
    }
  }

  /// May loops l and l + 1 run as one?
  bool joins(int l) const {
    const auto a = static_cast<size_t>(l), b = a + 1;
    if (nest_.reduced[a] || nest_.reduced[b] || separate_[a] || separate_[b]) return false;
    return std::all_of(offsets_.begin(), offsets_.end(), [&](const Affine& o) {
      return o.coefficients[a] == ir::wrapping_multiply_add(0, o.coefficients[b], nest_.extents[b]);
    });
  }

  /// Where the operands are read that are so at every point.
  const std::vector<Affine>& reads() const { return reads_; }
  NestAccesses take_accesses() { return std::move(accesses_); }

 private:
  void visit(Value v, IndexMap map, bool guarded) {
    for (Affine& a : map) a.coefficients.resize(static_cast<size_t>(count_));
    if (v.is_input()) {
      offsets_.push_back(linear_offset(v.shape(), map, count_));
      if (!guarded) reads_.push_back(offsets_.back());
      accesses_.reads.push_back({v.index(), map, offsets_.back(), guarded});
      note_size(offsets_.back());
      return;
    }
    auto& seen = seen_[v];
    if (std::find(seen.begin(), seen.end(), map) != seen.end()) return;
    seen.push_back(map);
    for (const Affine& a : map) note_size(a);
    const ir::Op& op = *v.op();
    switch (op.def().kind) {
      case Kind::constant: return;
      case Kind::index: keep_apart(map); return;
      case Kind::movement:
      case Kind::view: {
        const auto accesses = *op.def().access(op);
        for (size_t i = 0; i < accesses.size(); ++i) {
          if (accesses[i].guarded) keep_apart(map);
          visit(op.operands()[i], compose(accesses[i].map, map), guarded || accesses[i].guarded);
        }
        return;
      }
      case Kind::reduction:
        if (passes::combines_nothing(op)) return visit(op.operand(0), passes::reduction_passthrough(op, map), guarded);
        visit(op.operand(0), passes::reduction_operand(op, nest_), guarded);
        return;
      case Kind::elementwise:
        for (Value operand : op.operands()) visit(operand, map, guarded);
        return;
      case Kind::composite:
      case Kind::heavy:
      case Kind::nest:
      case Kind::launch:
      case Kind::loop: break;
    }
    throw InternalError(fmt::format("{} is no part of a loop nest", op.name()));
  }

  void note_size(const Affine& a) {
    double size = std::abs(static_cast<double>(a.offset));
    for (size_t l = 0; l < a.coefficients.size(); ++l)
      size += std::abs(static_cast<double>(a.coefficients[l])) * static_cast<double>(std::max<int64_t>(nest_.extents[l], 1));
    accesses_.largest_index = std::max(accesses_.largest_index, static_cast<int64_t>(std::min(size, 0x1p62)));
  }

  /// Single indices are needed, not only offsets.
  void keep_apart(const IndexMap& map) {
    for (const Affine& a : map)
      for (size_t l = 0; l < a.coefficients.size(); ++l)
        if (a.coefficients[l] != 0) separate_[l] = true;
  }

  const passes::LoopNest& nest_;
  int count_;
  std::vector<bool> separate_;
  std::vector<Affine> offsets_, reads_;
  NestAccesses accesses_;
  std::unordered_map<Value, std::vector<IndexMap>, ir::ValueHash> seen_;
};

/// The innermost loop. Where that is reduced and a row has no more elements than a vector, the innermost kept one: then each lane adds
/// up a row of its own, and none is combined with others.
int vector_loop(const std::vector<Loop>& all, int lanes) {
  int64_t row = 1;
  int kept = -1;
  for (size_t l = 0; l < all.size(); ++l) {
    if (all[l].reduced) row *= all[l].extent;
    else kept = static_cast<int>(l);
  }
  const bool is_short = !all.empty() && all.back().reduced && row <= reduction_lanes;
  return is_short && kept >= 0 && all[static_cast<size_t>(kept)].extent >= lanes ? kept : static_cast<int>(all.size()) - 1;
}

/// The loop along which most operands lie that are strided along the vector loop, of the innermost ones: a row loop or, where there are
/// reduced ones, the last of these. -1: where there is none, or so little of it that transposing costs more than reading element by element.
int tiled_loop(const Loops& loops, const std::vector<Affine>& reads, const passes::LoopNest& nest, int lanes) {
  if (loops.vector < 0 || loops.vector_reduced() || loops.strip > 1) return -1;
  if (loops.all[static_cast<size_t>(loops.vector)].extent < lanes) return -1;
  int best = -1;
  int64_t most = 0;
  for (int loop : loops.inner.empty() ? loops.rows : std::vector{loops.inner.back()}) {
    if (loops.all[static_cast<size_t>(loop)].extent < lanes / 2) continue;
    const int64_t count =
        std::count_if(reads.begin(), reads.end(), [&](const Affine& a) { return lies_along(collapsed(a, nest, loops), loop, loops); });
    if (count > most) best = loop, most = count;
  }
  return best;
}

/// Vectors that run together. Their partial results stay in the first cache: 16 each, of 64 bytes.
constexpr int strip_vectors = 8;

/// Does the only sweep need anything that is computed for a point of the kept loops alone? Where vectors run together it would be
/// computed again at every point of the sweep.
bool sweep_computes_per_point(const ir::Graph& body, const passes::LoopNest& nest) {
  std::unordered_set<const ir::Op*> needed;
  std::vector<Value> next;
  for (size_t i = 0; i < body.outputs().size(); ++i)
    if (nest.output_stage[i] < nest.stages) next.push_back(body.outputs()[i].value);
  for (const auto& [reduction, stage] : nest.reduction_stage) next.push_back(reduction->operand(0));
  while (!next.empty()) {
    const Value v = next.back();
    next.pop_back();
    if (v.is_input() || !needed.insert(v.op()).second) continue;
    const int64_t elements = v.shape().numel();
    if (v.op()->def().kind == Kind::elementwise && elements > 1 && elements < nest.points()) return true;
    for (Value operand : v.op()->operands()) next.push_back(operand);
  }
  return false;
}

int strip_of(const Loops& loops, const ir::Graph& body, const passes::LoopNest& nest, int lanes) {
  if (loops.vector < 0 || loops.vector_reduced() || loops.inner.empty() || nest.stages > 1) return 1;
  if (loops.all[static_cast<size_t>(loops.vector)].extent < strip_vectors * lanes || sweep_computes_per_point(body, nest)) return 1;
  return strip_vectors;
}

}  // namespace

bool lies_along(const Walk& walk, int loop, const Loops& loops) {
  const int64_t step = walk.along.coefficients[static_cast<size_t>(loops.vector)];
  return walk.apart.empty() && step != 0 && step != 1 && walk.along.coefficients[static_cast<size_t>(loop)] == 1;
}

ir::Affine linear_offset(const Shape& shape, const IndexMap& map, int loop_count) {
  Affine sum = Affine::zero(loop_count);
  const Dims strides = shape.strides();
  for (size_t d = 0; d < map.size(); ++d) {
    sum.offset = ir::wrapping_multiply_add(sum.offset, strides[d], map[d].offset);
    for (size_t l = 0; l < map[d].coefficients.size(); ++l)
      sum.coefficients[l] = ir::wrapping_multiply_add(sum.coefficients[l], strides[d], map[d].coefficients[l]);
  }
  return sum;
}

Walk collapsed(const Affine& a, const passes::LoopNest& nest, const Loops& loops) {
  Walk walk{Affine::zero(static_cast<int>(loops.all.size())), {}};
  walk.along.offset = a.offset;
  if (a.coefficients.empty()) return walk;
  for (size_t l = 0; l < loops.all.size(); ++l) {
    const auto first = static_cast<size_t>(loops.all[l].first), last = static_cast<size_t>(loops.all[l].last);
    bool as_one = true;
    for (size_t k = first; k < last; ++k) as_one = as_one && a.coefficients[k] == a.coefficients[k + 1] * nest.extents[k + 1];
    // In loops that walk as one the innermost one's step is the run's.
    if (as_one) walk.along.coefficients[l] = a.coefficients[last];
    for (size_t k = first; !as_one && k <= last; ++k)
      if (a.coefficients[k] != 0) walk.apart.emplace_back(static_cast<int>(k), a.coefficients[k]);
  }
  return walk;
}

NestAccesses accesses_of(const ir::Graph& body, const passes::LoopNest& nest) { return AccessWalk(body, nest).take_accesses(); }

Loops plan_loops(const ir::Graph& body, const passes::LoopNest& nest, int lanes) {
  const AccessWalk walk(body, nest);
  Loops loops;
  const auto lane = lane_axis(nest.extents, nest.reduced);
  for (int l = 0; l < static_cast<int>(nest.extents.size()); ++l) {
    const auto i = static_cast<size_t>(l);
    if (l > 0 && (walk.joins(l - 1) || (lane && i > lane->first && i <= lane->last))) {
      loops.all.back().last = l;
      loops.all.back().extent *= nest.extents[i];
    } else {
      loops.all.push_back({l, l, nest.extents[i], nest.reduced[i]});
    }
  }
  loops.vector = lanes > 1 ? vector_loop(loops.all, lanes) : -1;
  for (int l = 0; l < static_cast<int>(loops.all.size()); ++l) {
    const Loop& loop = loops.all[static_cast<size_t>(l)];
    if (loop.reduced) loops.inner.push_back(l);
    else if (l != loops.vector) loops.rows.push_back(l);
    else loops.blocks = (loop.extent + lanes - 1) / lanes;
  }
  loops.strip = strip_of(loops, body, nest, lanes);
  loops.tile = tiled_loop(loops, walk.reads(), nest, lanes);
  for (int row : loops.rows) loops.row_count *= loops.rows_of(row, lanes);
  loops.units_are_blocks = loops.vector >= 0 && loops.row_count < 4 && loops.blocks > loops.row_count;
  loops.units = loops.units_are_blocks ? loops.blocks : loops.row_count;
  return loops;
}

}  // namespace weft::codegen
