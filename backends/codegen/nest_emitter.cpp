#include "weft/backends/codegen/nest_emitter.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/codegen/accumulators.h"
#include "weft/backends/codegen/value_emitter.h"
#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {
namespace {

using ir::Op;

class NestEmitter {
 public:
  NestEmitter(llvm::Module& module, int lanes, const ir::Graph& body, const std::string& name)
      : body_(body), lanes_(lanes), b_(module.getContext()), build_(b_) {
    WEFT_CHECK(lanes_ == 1 || lanes_ == reduction_lanes, "a vector holds the partial results of a reduction along it");
    passes::NoNest no;
    auto nest = passes::analyze(passes::region_of(body), &no);
    WEFT_CHECK(nest, "the body of a fused op is no loop nest: {}", no.why);
    nest_ = std::move(*nest);
    loops_ = plan_loops(body, nest_, lanes_);
    Dims reduced;
    for (int l : loops_.inner) reduced.push_back(extent_of(l));
    pieces_ = reduction_pieces(reduced);

    auto* type = llvm::FunctionType::get(b_.getVoidTy(), {b_.getPtrTy(), b_.getInt64Ty(), b_.getInt64Ty(), b_.getPtrTy()}, false);
    function_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
    const auto load_pointer = [&](size_t place) -> llvm::Value* {
      llvm::Value* number = b_.CreateLoad(b_.getInt32Ty(), b_.CreateConstGEP1_64(b_.getInt32Ty(), function_->getArg(3), place));
      return b_.CreateLoad(b_.getPtrTy(), b_.CreateGEP(b_.getPtrTy(), function_->getArg(0), b_.CreateZExt(number, b_.getInt64Ty())));
    };
    using Kept = Accumulators::Kept;
    const Kept kept = loops_.vector_reduced() ? Kept::in_lanes : loops_.vector >= 0 ? Kept::as_vectors : Kept::as_scalars;
    accumulators_.emplace(b_, build_, *function_, kept, pieces_ ? pieces_->levels : 0);
    std::vector<ValueBuffer> from, to;
    for (size_t place = 0; place < body.inputs().size() + body.outputs().size(); ++place)
      (place < body.inputs().size() ? from : to).push_back({load_pointer(place)});
    values_.emplace(b_, build_, body_, nest_, loops_, lanes_, std::move(from), std::move(to), b_.getInt64Ty());
  }

  EmittedNest emit() {
    if (nest_.points() > 0 || nest_.has_reduction()) emit_rows();
    b_.CreateRetVoid();
    return {function_, loops_.units};
  }

 private:
  llvm::Value* i64_of(int64_t value) { return b_.getInt64(static_cast<uint64_t>(value)); }
  int64_t extent_of(int loop) const { return loops_.all[static_cast<size_t>(loop)].extent; }

  void emit_rows() {
    llvm::Value *begin = function_->getArg(1), *end = function_->getArg(2);
    const bool share_rows = !loops_.units_are_blocks;
    build_.loop(share_rows ? begin : i64_of(0), share_rows ? end : i64_of(loops_.row_count), i64_of(1), "row", [&](llvm::Value* row) {
      set_row(row);
      if (loops_.vector < 0 || loops_.vector_reduced()) emit_point();
      else emit_blocks(share_rows ? i64_of(0) : begin, share_rows ? i64_of(loops_.blocks) : end);
    });
  }

  /// The indices of the row loops from the row's number.
  void set_row(llvm::Value* row) {
    for (auto at = loops_.rows.rbegin(); at != loops_.rows.rend(); ++at) {
      const bool outermost = std::next(at) == loops_.rows.rend();
      llvm::Value* extent = i64_of(std::max<int64_t>(1, loops_.rows_of(*at, lanes_)));
      llvm::Value* index = outermost ? row : b_.CreateURem(row, extent);
      if (*at == loops_.tile) first_of_tile_ = b_.CreateMul(index, i64_of(lanes_));
      else values_->set_index(*at, index);
      if (!outermost) row = b_.CreateUDiv(row, extent);
    }
  }

  /// A kept vector loop: whole vectors first, then the ragged one under a mask.
  void emit_blocks(llvm::Value* begin, llvm::Value* end) {
    const int64_t extent = extent_of(loops_.vector), whole = extent / lanes_;
    const auto clipped = [&](llvm::Value* v, int64_t bound, bool at_most) {
      const auto id = at_most ? llvm::Intrinsic::smin : llvm::Intrinsic::smax;
      return b_.CreateBinaryIntrinsic(id, v, i64_of(bound));
    };
    if (whole > 0) {
      llvm::Value* last = clipped(end, whole, true);
      if (loops_.strip > 1) begin = emit_strips(begin, last);
      build_.loop(begin, last, i64_of(1), "block", [&](llvm::Value* block) { emit_block(block, false); });
    }
    if (extent % lanes_)
      build_.loop(clipped(begin, whole, false), end, i64_of(1), "tail", [&](llvm::Value* block) { emit_block(block, true); });
  }

  /// As many strips as there are between these vectors; returns the one behind them.
  llvm::Value* emit_strips(llvm::Value* begin, llvm::Value* end) {
    llvm::Value* count = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b_.CreateSub(end, begin), i64_of(0));
    llvm::Value* behind = b_.CreateAdd(begin, b_.CreateMul(b_.CreateUDiv(count, i64_of(loops_.strip)), i64_of(loops_.strip)));
    build_.loop(begin, behind, i64_of(loops_.strip), "strip", [&](llvm::Value* block) { emit_strip(block); });
    return behind;
  }

  /// The only sweep, with all vectors of the strip at every point of it, then what has the kept loops only.
  void emit_strip(llvm::Value* first_block) {
    const auto each_vector = [&](const std::function<void(llvm::Value*)>& emit_vector) {
      build_.loop(i64_of(0), i64_of(loops_.strip), i64_of(1), "vector", [&](llvm::Value* number) {
        set_vector_index(b_.CreateMul(b_.CreateAdd(first_block, number), i64_of(lanes_)), false);
        emit_vector(number);
        values_->end_vector();
      });
    };
    const std::vector<const Op*> reductions = reductions_of(0);
    values_->start_point();
    values_->start_stage(0);
    accumulators_->open(reductions, loops_.strip);
    emit_inner(0, !reductions.empty() && pieces_, [&] {
      each_vector([&](llvm::Value* number) {
        for (const Op* op : reductions) accumulate(*op, number);
        values_->store_outputs(0);
      });
    });
    accumulators_->end_pieces();
    each_vector([&](llvm::Value* number) {
      values_->start_point();
      for (const Op* op : reductions) values_->set_reduced(*op, accumulators_->finish(*op, number));
      values_->start_stage(nest_.stages);
      values_->store_outputs(nest_.stages);
    });
  }

  void emit_block(llvm::Value* block, bool ragged) {
    set_vector_index(b_.CreateMul(block, i64_of(lanes_)), ragged);
    if (loops_.tiles_rows()) emit_tile(first_of_tile_, extent_of(loops_.tile), first_of_tile_, [&] { emit_point(); });
    else emit_point();
    values_->end_vector();
  }

  /// The tile of the tiled loop from index `first` on: `done` of `count` indices lie before it.
  void emit_tile(llvm::Value* first, int64_t count, llvm::Value* done, const std::function<void()>& each) {
    const bool ragged = count % lanes_ != 0;
    llvm::Value* here = i64_of(lanes_);
    if (ragged) here = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, b_.CreateSub(i64_of(count), done), here);
    values_->start_tile(first, here, ragged);
    build_.loop(i64_of(0), here, i64_of(1), "tile", [&](llvm::Value* i) {
      values_->set_index(loops_.tile, b_.CreateAdd(first, i));
      values_->set_tile_row(i);
      each();
    });
  }

  void set_vector_index(llvm::Value* first_lane, bool ragged) {
    // The ragged vector is always the last one, so which lanes it has is known now.
    const int64_t rest = extent_of(loops_.vector) % lanes_;
    std::vector<llvm::Constant*> bits;
    for (int lane = 0; lane < lanes_; ++lane) bits.push_back(b_.getInt1(lane < rest));
    values_->set_vector_index(first_lane, ragged ? llvm::ConstantVector::get(bits) : nullptr);
  }

  /// One point of the kept loops: the stages, then what has only these loops.
  void emit_point() {
    values_->start_point();
    for (int stage = 0; stage < nest_.stages; ++stage) emit_stage(stage);
    values_->start_stage(nest_.stages);
    values_->store_outputs(nest_.stages);
  }

  std::vector<const Op*> reductions_of(int stage) const {
    std::vector<const Op*> reductions;
    for (const auto& op : body_.ops())
      if (const auto found = nest_.reduction_stage.find(op); found != nest_.reduction_stage.end() && found->second == stage)
        reductions.push_back(op);
    return reductions;
  }

  void emit_stage(int stage) {
    const std::vector<const Op*> reductions = reductions_of(stage);
    if (reductions.empty() && std::find(nest_.output_stage.begin(), nest_.output_stage.end(), stage) == nest_.output_stage.end()) return;
    values_->start_stage(stage);
    accumulators_->open(reductions);
    emit_inner(0, !reductions.empty() && pieces_, [&] {
      for (const Op* op : reductions) accumulate(*op, i64_of(0));
      values_->store_outputs(stage);
    });
    accumulators_->end_pieces();
    for (const Op* op : reductions) values_->set_reduced(*op, accumulators_->finish(*op, i64_of(0)));
  }

  /// The lane axis counts the partial results; it is the last reduced loop.
  void accumulate(const Op& op, llvm::Value* vector_of_strip) {
    llvm::Value* x = values_->eval(op.operand(0), passes::reduction_operand(op, nest_));
    llvm::Value* number =
        loops_.vector_reduced() ? nullptr : b_.CreateAnd(values_->index(loops_.inner.back()), i64_of(reduction_lanes - 1));
    if (number) number = b_.CreateAdd(b_.CreateMul(vector_of_strip, i64_of(reduction_lanes)), number);
    accumulators_->take(op, x, number, values_->mask());
  }

  /// The reduced loops from number `n` of loops_.inner on.
  void emit_inner(size_t n, bool in_pieces, const std::function<void()>& innermost) {
    if (n == loops_.inner.size()) return innermost();
    const int64_t extent = extent_of(loops_.inner[n]);
    const auto indices = [&](llvm::Value* begin, int64_t count) { emit_indices(n, begin, count, in_pieces, innermost); };
    if (!in_pieces || pieces_->axis != n) return indices(i64_of(0), extent);
    const int64_t length = pieces_->length, whole = extent / length * length;
    build_.loop(i64_of(0), i64_of(whole), i64_of(length), "piece", [&](llvm::Value* begin) {
      indices(begin, length);
      accumulators_->end_piece();
    });
    if (whole == extent) return;
    indices(i64_of(whole), extent - whole);
    accumulators_->end_piece();
  }

  /// So many indices of reduced loop number `n`. Of none there is no code: what stands inside would walk loops of no elements.
  void emit_indices(size_t n, llvm::Value* begin, int64_t count, bool in_pieces, const std::function<void()>& innermost) {
    if (count == 0) return;
    const int l = loops_.inner[n];
    if (l == loops_.tile) {
      build_.loop(i64_of(0), i64_of(count), i64_of(lanes_), "tiles",
                  [&](llvm::Value* i) { emit_tile(b_.CreateAdd(begin, i), count, i, [&] { emit_inner(n + 1, in_pieces, innermost); }); });
      return;
    }
    if (l != loops_.vector) {
      build_.loop(i64_of(0), i64_of(count), i64_of(1), "reduce", [&](llvm::Value* i) {
        values_->set_index(l, b_.CreateAdd(begin, i));
        emit_inner(n + 1, in_pieces, innermost);
      });
      return;
    }
    const int64_t whole = count / lanes_ * lanes_;
    const auto along = [&](int64_t first, int64_t end, bool ragged) {
      if (first == end) return;
      build_.loop(i64_of(first), i64_of(end), i64_of(lanes_), ragged ? "tail" : "reduce", [&](llvm::Value* i) {
        set_vector_index(b_.CreateAdd(begin, i), ragged);
        innermost();
        values_->end_vector();
      });
    };
    along(0, whole, false);
    along(whole, count, true);
  }

  const ir::Graph& body_;
  int lanes_;
  IRBuilder b_;
  LoopBuilder build_;
  passes::LoopNest nest_;
  Loops loops_;
  std::optional<ReductionPieces> pieces_;
  llvm::Value* first_of_tile_ = nullptr;
  llvm::Function* function_ = nullptr;
  std::optional<Accumulators> accumulators_;
  std::optional<ValueEmitter> values_;
};

}  // namespace

EmittedNest emit_nest(llvm::Module& module, int lanes, const ir::Graph& body, const std::string& name) {
  return NestEmitter(module, lanes, body, name).emit();
}

}  // namespace weft::codegen
