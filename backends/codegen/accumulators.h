#pragma once
// The partial results of reductions (support/reduction_order.h) while their loops run.

#include <unordered_map>
#include <vector>

#include "weft/backends/codegen/loop_builder.h"
#include "weft/ir/graph.h"

namespace weft::codegen {

/// The reduction of two partial results; those of bf16 are kept in f32.
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

  /// `in_pieces`: a lane takes its elements in more than one piece.
  Accumulators(IRBuilder& b, LoopBuilder& build, llvm::Function& function, Kept kept, bool in_pieces)
      : b_(b), build_(build), function_(function), kept_(kept), in_pieces_(in_pieces) {}

  /// Starts these reductions, and forgets those before.
  void open(const std::vector<const ir::Op*>& reductions);
  /// Combines x into partial result `number`; kept in lanes, into those that `mask` (null: all) has, whatever `number` is.
  void take(const ir::Op& reduction, llvm::Value* x, llvm::Value* number, llvm::Value* mask);
  /// The totals take the piece in, and a new one starts.
  void end_piece();
  llvm::Value* finish(const ir::Op& reduction);

 private:
  struct Partials {
    llvm::AllocaInst* piece;
    llvm::AllocaInst* total;  // `piece` itself where all is one piece
    llvm::Type* type;
  };

  int count() const;
  llvm::Value* address(const Partials& p, llvm::AllocaInst* memory, llvm::Value* number) { return b_.CreateGEP(p.type, memory, number); }

  IRBuilder& b_;
  LoopBuilder& build_;
  llvm::Function& function_;
  Kept kept_;
  bool in_pieces_;
  std::vector<const ir::Op*> open_;
  std::unordered_map<const ir::Op*, Partials> partials_;
};

}  // namespace weft::codegen
