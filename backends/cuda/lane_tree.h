#pragma once
// How a block's threads bring the partial results of reductions together, in the order of support/reduction_order.h.

#include "weft/backends/codegen/loop_builder.h"
#include "weft/backends/codegen/mapping.h"
#include "weft/ir/graph.h"

namespace weft::cuda {

/// Which of a block's results, lanes and groups a thread has.
struct Position {
  llvm::Value *point, *lane, *group;
};

/// A value for each of some reductions.
using Values = std::vector<llvm::Value*>;

class LaneTree {
 public:
  /// `first_byte`: of the shared memory, what lies before it being somebody else's.
  LaneTree(codegen::IRBuilder& b, codegen::LoopBuilder& build, const codegen::Mapping& mapping, const Position& at, llvm::Value* shared,
           uint64_t first_byte)
      : b_(b), build_(build), mapping_(mapping), at_(at), shared_(shared), first_byte_(first_byte), bytes_(first_byte),
        most_bytes_(first_byte) {}

  /// value_of(begin) to value_of(end - 1), combined one after the other from the neutral elements on.
  Values in_order(const std::vector<const ir::Op*>& reductions, llvm::Value* begin, llvm::Value* end,
                  const std::function<Values(llvm::Value*)>& value_of);
  /// What loops come to that call `update` with what changes the values, which start as the neutral elements.
  using Update = std::function<void(const std::function<void(Values&)>&)>;
  Values sum_of_loops(const std::vector<const ir::Op*>& reductions, const std::function<void(const Update&)>& loops);
  Values neutral(const std::vector<const ir::Op*>& reductions);
  Values combined(const std::vector<const ir::Op*>& reductions, const Values& x, const Values& y);

  /// Memory for so many nodes, of every point and lane of the block: a place for each reduction.
  struct Exchange {
    std::vector<llvm::Value*> bases;
  };
  Exchange exchange(const std::vector<const ir::Op*>& reductions, int64_t nodes);
  void put(const Exchange& to, const Values& values, llvm::Value* node);
  Values get(const std::vector<const ir::Op*>& reductions, const Exchange& from, llvm::Value* node, llvm::Value* lane);

  /// The groups' nodes, `count` of them and at most `most`, to one: its value for the thread's lane and point.
  Values combine_nodes(const std::vector<const ir::Op*>& reductions, Exchange nodes, llvm::Value* count, int64_t most);

  /// The 16 lanes of the thread's point to one result, the same for all of its threads; of neighbouring threads by shuffles.
  Values combine_lanes_of_warp(const std::vector<const ir::Op*>& reductions, Values own);
  /// From shared memory.
  Values combine_lanes_of(const std::vector<const ir::Op*>& reductions, const Exchange& lanes);
  /// A thread has all lanes; null where a lane has nothing.
  Values combine_own_lanes(const std::vector<const ir::Op*>& reductions, std::vector<Values> lanes);

  uint64_t shared_bytes() const { return most_bytes_; }
  /// The exchanges so far are over, since a barrier: their memory is free.
  void forget() { bytes_ = first_byte_; }

 private:
  llvm::Value* index(int64_t value) { return llvm::ConstantInt::get(at_.lane->getType(), static_cast<uint64_t>(value), true); }
  llvm::Type* type_of(const ir::Op& op) const { return codegen::register_type(b_.getContext(), op.result().dtype()); }
  llvm::Value* place(llvm::Value* node, llvm::Value* lane);

  codegen::IRBuilder& b_;
  codegen::LoopBuilder& build_;
  const codegen::Mapping& mapping_;
  Position at_;
  llvm::Value* shared_;
  uint64_t first_byte_, bytes_, most_bytes_;
};

}  // namespace weft::cuda
