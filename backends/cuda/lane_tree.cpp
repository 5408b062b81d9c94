#include "weft/backends/cuda/lane_tree.h"

#include <algorithm>

#include "weft/backends/codegen/accumulators.h"
#include "weft/backends/cuda/thread_code.h"

namespace weft::cuda {

using Ops = std::vector<const ir::Op*>;

Values LaneTree::neutral(const Ops& reductions) {
  Values values;
  for (const ir::Op* op : reductions) values.push_back(codegen::identity(*op, type_of(*op)));
  return values;
}

Values LaneTree::combined(const Ops& reductions, const Values& x, const Values& y) {
  Values values;
  for (size_t r = 0; r < reductions.size(); ++r) values.push_back(codegen::combine(b_, *reductions[r], x[r], y[r]));
  return values;
}

Values LaneTree::sum_of_loops(const Ops& reductions, const std::function<void(const Update&)>& loops) {
  // In memory until LLVM makes registers of it, which it does since nothing indexes it.
  llvm::BasicBlock& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
  Values memory;
  for (const ir::Op* op : reductions) {
    memory.push_back(codegen::IRBuilder(&entry, entry.begin()).CreateAlloca(type_of(*op)));
    b_.CreateStore(codegen::identity(*op, type_of(*op)), memory.back());
  }
  const auto load = [&] {
    Values values;
    for (size_t r = 0; r < reductions.size(); ++r) values.push_back(b_.CreateLoad(type_of(*reductions[r]), memory[r]));
    return values;
  };
  loops([&](const std::function<void(Values&)>& change) {
    Values values = load();
    change(values);
    for (size_t r = 0; r < reductions.size(); ++r) b_.CreateStore(values[r], memory[r]);
  });
  return load();
}

Values LaneTree::in_order(const Ops& reductions, llvm::Value* begin, llvm::Value* end,
                          const std::function<Values(llvm::Value*)>& value_of) {
  return sum_of_loops(reductions, [&](const Update& update) {
    build_.loop(begin, end, index(1), "node", [&](llvm::Value* n) {
      const Values next = value_of(n);
      update([&](Values& sums) { sums = combined(reductions, sums, next); });
    });
  });
}

// ---- shared memory ----

LaneTree::Exchange LaneTree::exchange(const Ops& reductions, int64_t nodes) {
  Exchange memory;
  for (const ir::Op* op : reductions) {
    memory.bases.push_back(b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), shared_, bytes_));
    const uint64_t size = std::max(1u, exchange_type(type_of(*op))->getScalarSizeInBits() / 8);
    bytes_ += (static_cast<uint64_t>(nodes) * static_cast<uint64_t>(reduction_lanes * mapping_.points) * size + 15) / 16 * 16;
  }
  most_bytes_ = std::max(most_bytes_, bytes_);
  return memory;
}

/// Neighbouring threads are of neighbouring lanes of a row, and of neighbouring columns.
llvm::Value* LaneTree::place(llvm::Value* node, llvm::Value* lane) {
  const bool is_row = mapping_.kind == codegen::Mapping::Kind::row;
  llvm::Value* slow = is_row ? at_.point : lane;
  llvm::Value* fast = is_row ? lane : at_.point;
  const int64_t fast_count = is_row ? reduction_lanes : mapping_.points;
  llvm::Value* in_node = b_.CreateAdd(b_.CreateMul(slow, index(fast_count)), fast);
  return b_.CreateAdd(b_.CreateMul(node, index(int64_t{reduction_lanes} * mapping_.points)), in_node);
}

void LaneTree::put(const Exchange& to, const Values& values, llvm::Value* node) {
  llvm::Value* element = place(node, at_.lane);
  for (size_t r = 0; r < values.size(); ++r) store_exchanged(b_, values[r], to.bases[r], element);
}

Values LaneTree::get(const Ops& reductions, const Exchange& from, llvm::Value* node, llvm::Value* lane) {
  llvm::Value* element = place(node, lane);
  Values values;
  for (size_t r = 0; r < reductions.size(); ++r) values.push_back(load_exchanged(b_, type_of(*reductions[r]), from.bases[r], element));
  return values;
}

Values LaneTree::combine_nodes(const Ops& reductions, Exchange nodes, llvm::Value* count, int64_t most) {
  barrier(b_);
  const auto value_of = [&](llvm::Value* n) { return get(reductions, nodes, n, at_.lane); };
  while (most > reduction_chain) {
    most = (most + reduction_chain - 1) / reduction_chain;
    const Exchange next = exchange(reductions, most);
    llvm::Value* parents = b_.CreateUDiv(b_.CreateAdd(count, index(reduction_chain - 1)), index(reduction_chain));
    build_.loop(at_.group, parents, index(mapping_.groups), "parent", [&](llvm::Value* parent) {
      llvm::Value* first = b_.CreateMul(parent, index(reduction_chain));
      llvm::Value* end = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateAdd(first, index(reduction_chain)), count);
      put(next, in_order(reductions, first, end, value_of), parent);
    });
    barrier(b_);
    nodes = next, count = parents;
  }
  return in_order(reductions, index(0), count, value_of);
}

// ---- lanes ----

Values LaneTree::combine_lanes_of_warp(const Ops& reductions, Values own) {
  for (int apart = reduction_lanes / 2; apart > 0; apart /= 2) {
    // The lower lane is the left operand, in both.
    llvm::Value* is_lower = b_.CreateICmpEQ(b_.CreateAnd(at_.lane, index(apart)), index(0));
    Values left, right;
    for (llvm::Value* v : own) {
      llvm::Value* other = shuffled(b_, v, apart);
      left.push_back(b_.CreateSelect(is_lower, v, other));
      right.push_back(b_.CreateSelect(is_lower, other, v));
    }
    own = combined(reductions, left, right);
  }
  return own;
}

Values LaneTree::combine_lanes_of(const Ops& reductions, const Exchange& lanes) {
  std::vector<Values> all;
  for (int lane = 0; lane < reduction_lanes; ++lane) all.push_back(get(reductions, lanes, index(0), index(lane)));
  return combine_own_lanes(reductions, std::move(all));
}

Values LaneTree::combine_own_lanes(const Ops& reductions, std::vector<Values> lanes) {
  // The neutral element of an empty lane changes no partial result, for each has begun with it.
  for (size_t width = reduction_lanes / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i)
      if (lanes[i].empty()) lanes[i] = lanes[i + width];
      else if (!lanes[i + width].empty()) lanes[i] = combined(reductions, lanes[i], lanes[i + width]);
  return lanes[0].empty() ? neutral(reductions) : lanes[0];
}

}  // namespace weft::cuda
