#pragma once
// The partial results of reductions (support/reduction_order.h) while their loops run.

#include <functional>
#include <unordered_map>
#include <vector>

#include "weft/backends/codegen/loop_builder.h"
#include "weft/ir/graph.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {

/// The reduction of two partial results; those of narrow types are kept in f32.
llvm::Value* combine(IRBuilder& b, const ir::Op& reduction, llvm::Value* x, llvm::Value* y);
/// What it starts from, in every element of `type`.
llvm::Constant* identity(const ir::Op& reduction, llvm::Type* type);

class Accumulators {
 public:
  enum class Kept {
    in_lanes,    // in the lanes of one vector
    as_vectors,  // 16 vectors, of neighbouring results
    as_scalars,  // 16 scalars
  };

  /// `levels`: those above the pieces in which a lane takes its elements; 0: all is one piece.
  Accumulators(IRBuilder& b, LoopBuilder& build, llvm::Function& function, Kept kept, int levels)
      : b_(b), build_(build), function_(function), kept_(kept), levels_(levels) {}

  /// Starts these reductions, and forgets those before: `strip` times, of as many neighbouring vectors.
  void open(const std::vector<const ir::Op*>& reductions, int strip = 1);
  /// Combines x into partial result `number`, 16 for each vector of the strip; kept in lanes, into those that `mask` (null: all)
  /// has, whatever `number` is.
  void take(const ir::Op& reduction, llvm::Value* x, llvm::Value* number, llvm::Value* mask);
  /// The next level takes the piece in, and a new one starts.
  void end_piece();
  /// All levels become one; before the first `finish`.
  void end_pieces();
  /// Of vector number `vector` of the strip.
  llvm::Value* finish(const ir::Op& reduction, llvm::Value* vector);

 private:
  struct Partials {
    std::vector<llvm::AllocaInst*> levels;  // the piece first, the total last
    llvm::Type* type;
  };

  int count() const { return strip_ * (kept_ == Kept::in_lanes ? 1 : reduction_lanes); }
  void for_each(const std::function<void(llvm::Value* number)>& partial);
  void raise(size_t level);
  void raise_full(llvm::Value* done, size_t level);
  llvm::Value* address(const Partials& p, llvm::AllocaInst* memory, llvm::Value* number) { return b_.CreateGEP(p.type, memory, number); }

  IRBuilder& b_;
  LoopBuilder& build_;
  llvm::Function& function_;
  Kept kept_;
  int levels_;
  int strip_ = 1;
  llvm::AllocaInst* done_ = nullptr;  // pieces, where there is more than one level above them
  std::vector<const ir::Op*> open_;
  std::unordered_map<const ir::Op*, Partials> partials_;
};

}  // namespace weft::codegen
