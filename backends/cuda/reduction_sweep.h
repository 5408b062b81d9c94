#pragma once
// A thread's share of one sweep over the reduced loops.

#include "weft/backends/cuda/lane_tree.h"
#include "weft/backends/cuda/nest_code.h"

namespace weft::cuda {

class ReductionSweep {
 public:
  ReductionSweep(NestFunction& f, const codegen::ReductionTree& tree, const codegen::Mapping& mapping, const Position& at, LaneTree& lanes)
      : f_(f), tree_(tree), mapping_(mapping), at_(at), lanes_(lanes) {}

  /// These reductions, of a node of the block's level, and the results that have all loops. Where `is_point` (null: everywhere) is
  /// false, nothing is written.
  void start(int stage, const std::vector<const ir::Op*>& reductions, llvm::Value* is_point, llvm::Value* node);

  /// What each lane has of the node, where a thread has them all.
  std::vector<Values> own_lanes();
  /// What the thread's lane has of the node, brought together from all groups.
  Values total();
  /// The same where the leaves are nodes of this level, which are there already.
  Values total(const std::function<Values(llvm::Value*)>& leaf, int leaf_level);

 private:
  /// One element of a piece, by its place along each reduced loop from the cut one on.
  using Places = std::vector<int64_t>;

  /// What an element writes, where `active` (null: surely).
  struct Results {
    llvm::Value* active;
    std::vector<std::pair<size_t, llvm::Value*>> values;
  };

  Values node_value(int level, llvm::Value* node);
  Values piece(llvm::Value* piece, llvm::Value* exists, int first_number);
  Values piece_by_loops(llvm::Value* piece);
  bool is_small_piece() const;
  llvm::Value* start_piece(llvm::Value* piece);
  llvm::Value* place_element(const Places& places, llvm::Value* cut_first, llvm::Value* lane);
  void place_own_element(const Places& places, int lane);
  void each_element(const std::function<void(const Places&)>& body) const;
  Results take(Values& sums, llvm::Value* exists);
  void store(const Results& results);
  int64_t places_along(size_t axis) const;
  int loop_of(size_t axis) const { return f_.loops.inner[axis]; }
  llvm::Value* both(llvm::Value* x, llvm::Value* y) { return !x ? y : !y ? x : f_.b.CreateAnd(x, y); }

  NestFunction& f_;
  const codegen::ReductionTree& tree_;
  const codegen::Mapping& mapping_;
  const Position& at_;
  LaneTree& lanes_;
  int stage_ = 0;
  std::vector<const ir::Op*> reductions_;
  llvm::Value *is_point_ = nullptr, *node_ = nullptr;
  std::function<Values(llvm::Value*)> leaf_;  // null: pieces of elements
  int leaf_level_ = 0;
};

}  // namespace weft::cuda
