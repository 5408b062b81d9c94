#include "weft/backends/cuda/reduction_sweep.h"

#include <algorithm>

#include "weft/backends/codegen/accumulators.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

/// A loop's body has a whole piece's elements one after the other, so that their loads do not wait for each other.
constexpr int64_t most_elements_in_loop = 16;

}  // namespace

void ReductionSweep::start(int stage, const std::vector<const ir::Op*>& reductions, llvm::Value* is_point, llvm::Value* node) {
  stage_ = stage, reductions_ = reductions, is_point_ = is_point, node_ = node;
  leaf_ = nullptr, leaf_level_ = 0;
}

// ---- nodes ----

Values ReductionSweep::total(const std::function<Values(llvm::Value*)>& leaf, int leaf_level) {
  leaf_ = leaf, leaf_level_ = leaf_level;
  return total();
}

Values ReductionSweep::total() {
  const int level = mapping_.level, own = mapping_.block_level;
  if (level == own) return mapping_.is_unrolled ? piece(node_, nullptr, 0) : node_value(level, node_);
  const int64_t all = tree_.nodes[static_cast<size_t>(level)];
  int64_t most = 1;  // of the block's
  for (int l = level; l < own && most < all; ++l) most *= reduction_chain;
  most = std::min(most, all);
  llvm::Value *first = f_.index(0), *count = f_.index(all);
  if (own < tree_.top()) {
    first = f_.b.CreateMul(node_, f_.index(most));
    count = f_.b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, f_.b.CreateSub(f_.index(all), first), f_.index(most));
  }
  const LaneTree::Exchange nodes = lanes_.exchange(reductions_, most);
  if (mapping_.is_unrolled) {
    for (int64_t turn = 0; turn * mapping_.groups < most; ++turn) {
      llvm::Value* n = f_.b.CreateAdd(at_.group, f_.index(turn * mapping_.groups));
      const bool surely = own == tree_.top() && (turn + 1) * mapping_.groups <= most;
      llvm::Value* exists = surely ? nullptr : f_.b.CreateICmpULT(n, count);
      llvm::Value* number = f_.b.CreateAdd(first, exists ? f_.b.CreateSelect(exists, n, f_.index(0)) : n);
      const Values values = piece(number, exists, static_cast<int>(turn * tree_.lane_elements()));
      if (reductions_.empty()) continue;
      if (exists) f_.values->when(exists, "exists", [&] { lanes_.put(nodes, values, n); });
      else lanes_.put(nodes, values, n);
    }
  } else {
    f_.build.loop(at_.group, count, f_.index(mapping_.groups), "own",
                  [&](llvm::Value* n) { lanes_.put(nodes, node_value(level, f_.b.CreateAdd(first, n)), n); });
  }
  return reductions_.empty() ? Values() : lanes_.combine_nodes(reductions_, nodes, count, most);
}

Values ReductionSweep::node_value(int level, llvm::Value* node) {
  if (leaf_ && level == leaf_level_) return leaf_(node);
  if (level == 0) return is_small_piece() ? piece(node, nullptr, -1) : piece_by_loops(node);
  llvm::Value* first = f_.b.CreateMul(node, f_.index(reduction_chain));
  llvm::Value* end = f_.b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, f_.b.CreateAdd(first, f_.index(reduction_chain)),
                                                f_.index(tree_.nodes[static_cast<size_t>(level - 1)]));
  return lanes_.in_order(reductions_, first, end, [&](llvm::Value* child) { return node_value(level - 1, child); });
}

// ---- pieces ----

int64_t ReductionSweep::places_along(size_t axis) const {
  const int64_t extent = axis == tree_.cut_axis() ? tree_.cut_length() : tree_.extents[axis];
  return axis + 1 == tree_.extents.size() ? (extent + reduction_lanes - 1) / reduction_lanes : extent;
}

bool ReductionSweep::is_small_piece() const {
  return tree_.lane_elements() <= most_elements_in_loop &&
         tree_.lane_elements() * codegen::code_of(f_.source.body) <= codegen::most_unrolled_code;
}

/// Sets the loops outside of the cut one; returns the piece's first index along that.
llvm::Value* ReductionSweep::start_piece(llvm::Value* piece) {
  llvm::Value* cuts = f_.index(std::max<int64_t>(1, tree_.cuts()));
  llvm::Value* first = f_.b.CreateMul(f_.b.CreateURem(piece, cuts), f_.index(tree_.cut_length()));
  if (tree_.cut_axis() == 0) return first;
  piece = f_.b.CreateUDiv(piece, cuts);
  for (size_t axis = tree_.cut_axis(); axis-- > 0;) {
    llvm::Value* extent = f_.index(tree_.extents[axis]);
    f_.values->set_index(loop_of(axis), axis == 0 ? piece : f_.b.CreateURem(piece, extent));
    if (axis > 0) piece = f_.b.CreateUDiv(piece, extent);
  }
  return first;
}

/// body(places) of every element of a lane, as they are combined.
void ReductionSweep::each_element(const std::function<void(const Places&)>& body) const {
  Places places(tree_.extents.size(), 0);
  const std::function<void(size_t)> walk = [&](size_t axis) {
    if (axis == places.size()) return body(places);
    for (places[axis] = 0; places[axis] < places_along(axis); ++places[axis]) walk(axis + 1);
  };
  walk(tree_.cut_axis());
}

/// Sets the loops from the cut one on. Returns where there is such an element (null: everywhere); elsewhere the loops stand at 0.
llvm::Value* ReductionSweep::place_element(const Places& places, llvm::Value* cut_first, llvm::Value* lane) {
  llvm::Value* exists = nullptr;
  for (size_t axis = tree_.cut_axis(); axis < places.size(); ++axis) {
    const bool is_lanes = axis + 1 == places.size(), is_cut = axis == tree_.cut_axis();
    const int64_t extent = tree_.extents[axis], place = places[axis] * (is_lanes ? reduction_lanes : 1);
    llvm::Value* i = f_.index(place);
    if (is_lanes) i = f_.b.CreateAdd(i, lane);
    if (is_cut) i = f_.b.CreateAdd(i, cut_first);
    // The last piece has the fewest.
    const int64_t fewest = is_cut ? extent - (tree_.cuts() - 1) * tree_.cut_length() : extent;
    if (place + (is_lanes ? reduction_lanes : 1) > fewest) {
      llvm::Value* inside = f_.b.CreateICmpULT(i, f_.index(extent));
      i = f_.b.CreateSelect(inside, i, f_.index(0));
      exists = both(exists, inside);
    }
    f_.values->set_index(loop_of(axis), i);
  }
  return exists;
}

/// Combines the element where the loops stand with the sums. Returns what is to be written there.
ReductionSweep::Results ReductionSweep::take(Values& sums, llvm::Value* exists) {
  Results results{both(exists, is_point_), {}};
  f_.values->set_active(results.active);
  Values x;
  for (const ir::Op* op : reductions_) x.push_back(f_.values->eval(op->operand(0), passes::reduction_operand(*op, f_.source.nest)));
  results.values = f_.values->eval_outputs(stage_);
  f_.values->set_active(nullptr);
  const Values next = lanes_.combined(reductions_, sums, x);
  for (size_t r = 0; r < sums.size(); ++r) sums[r] = exists ? f_.b.CreateSelect(exists, next[r], sums[r]) : next[r];
  return results;
}

void ReductionSweep::store(const Results& results) {
  if (results.values.empty()) return;
  if (results.active) f_.values->when(results.active, "exists", [&] { f_.values->store(results.values); });
  else f_.values->store(results.values);
}

/// The elements one after the other, with numbers from `first_number` on under which their values are kept (-1: they are not).
/// Where the piece does not exist (null: it does), it is another one, of which nothing counts.
Values ReductionSweep::piece(llvm::Value* number, llvm::Value* exists, int first_number) {
  Values sums = lanes_.neutral(reductions_);
  llvm::Value* first = start_piece(number);
  int element = first_number;
  std::vector<Results> results;
  each_element([&](const Places& places) {
    f_.build.scope([&] {
      llvm::Value* here = both(exists, place_element(places, first, at_.lane));
      if (first_number >= 0) f_.values->recall_level(element);
      results.push_back(take(sums, here));
      if (first_number >= 0) f_.values->keep_level(element++);
    });
  });
  // Behind all loads, none of which then waits for a store.
  auto next = results.begin();
  each_element([&](const Places& places) {
    if (next->values.empty()) return;
    f_.build.scope([&] {
      place_element(places, first, at_.lane);
      store(*next++);
    });
  });
  return sums;
}

std::vector<Values> ReductionSweep::own_lanes() {
  std::vector<Values> lanes(reduction_lanes);
  std::vector<Results> results;
  const auto each = [&](const std::function<void(Values&, int)>& body) {
    int element = 0;
    each_element([&](const Places& places) {
      for (int lane = 0; lane < reduction_lanes; ++lane) {
        if (!places.empty() && places.back() * reduction_lanes + lane >= tree_.extents.back()) return;
        f_.build.scope([&] {
          place_own_element(places, lane);
          body(lanes[static_cast<size_t>(lane)], element++);
        });
      }
    });
  };
  each([&](Values& sums, int element) {
    f_.values->recall_level(element);
    if (sums.empty()) sums = lanes_.neutral(reductions_);
    results.push_back(take(sums, nullptr));
    f_.values->keep_level(element);
  });
  // Behind all loads.
  if (!results.empty() && !results[0].values.empty()) each([&](Values&, int element) { store(results[static_cast<size_t>(element)]); });
  return lanes;
}

/// Of a thread that has all lanes: the element is there.
void ReductionSweep::place_own_element(const Places& places, int lane) {
  for (size_t axis = 0; axis < places.size(); ++axis) {
    const bool is_lanes = axis + 1 == places.size();
    f_.values->set_index(loop_of(axis), f_.index(is_lanes ? places[axis] * reduction_lanes + lane : places[axis]));
  }
}

/// The elements in loops.
Values ReductionSweep::piece_by_loops(llvm::Value* number) {
  llvm::Value* first = start_piece(number);
  return lanes_.sum_of_loops(reductions_, [&](const std::function<void(const std::function<void(Values&)>&)>& update) {
    const std::function<void(size_t)> walk = [&](size_t axis) {
      if (axis == tree_.extents.size()) return update([&](Values& sums) { store(take(sums, nullptr)); });
      const bool is_lanes = axis + 1 == tree_.extents.size(), is_cut = axis == tree_.cut_axis();
      llvm::Value *begin = f_.index(0), *end = f_.index(tree_.extents[axis]);
      if (is_cut) {
        begin = first;
        end = f_.b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, end, f_.b.CreateAdd(first, f_.index(tree_.cut_length())));
      }
      if (is_lanes) begin = f_.b.CreateAdd(begin, at_.lane);
      f_.build.loop(begin, end, f_.index(is_lanes ? reduction_lanes : 1), "reduce", [&](llvm::Value* i) {
        f_.values->set_index(loop_of(axis), i);
        walk(axis + 1);
      });
    };
    walk(tree_.cut_axis());
  });
}

}  // namespace weft::cuda
