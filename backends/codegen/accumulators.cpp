#include "weft/backends/codegen/accumulators.h"

#include <cmath>

#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {

using ir::Op;

llvm::Value* combine(IRBuilder& b, const Op& op, llvm::Value* x, llvm::Value* y) {
  llvm::Value* operands[] = {x, y};
  return emit_scalar(b, ir::combine_of(op), operands);
}

llvm::Constant* identity(const Op& op, llvm::Type* type) {
  const DType t = op.result().dtype();
  const double value = op.def().identity(t);
  if (is_floating(t)) return llvm::ConstantFP::get(type, value);
  if (!std::isinf(value)) return llvm::ConstantInt::get(type, static_cast<uint64_t>(static_cast<int64_t>(value)), true);
  const unsigned bits = type->getScalarSizeInBits();
  const llvm::APInt extreme = value > 0 ? (is_unsigned(t) ? llvm::APInt::getMaxValue(bits) : llvm::APInt::getSignedMaxValue(bits))
                                        : (is_unsigned(t) ? llvm::APInt::getMinValue(bits) : llvm::APInt::getSignedMinValue(bits));
  return llvm::ConstantInt::get(type, extreme);
}

void Accumulators::for_each(const std::function<void(llvm::Value*)>& partial) {
  if (count() == 1) partial(b_.getInt64(0));
  else build_.loop(b_.getInt64(0), b_.getInt64(static_cast<uint64_t>(count())), b_.getInt64(1), "lane", partial);
}

void Accumulators::open(const std::vector<const Op*>& reductions, int strip) {
  open_ = reductions;
  strip_ = strip;
  partials_.clear();
  for (const Op* op : reductions) {
    llvm::Type* type = register_type(b_.getContext(), op->result().dtype());
    if (kept_ != Kept::as_scalars) type = llvm::FixedVectorType::get(type, reduction_lanes);
    IRBuilder entry(&function_.getEntryBlock(), function_.getEntryBlock().begin());
    const auto allocate = [&] { return entry.CreateAlloca(type, entry.getInt64(static_cast<uint64_t>(count()))); };
    Partials p{{}, type};
    for (int level = 0; level <= levels_; ++level) {
      p.levels.push_back(allocate());
      for_each([&](llvm::Value* number) { b_.CreateStore(identity(*op, type), address(p, p.levels.back(), number)); });
    }
    partials_[op] = std::move(p);
  }
  if (levels_ < 2) return;
  if (!done_) done_ = IRBuilder(&function_.getEntryBlock(), function_.getEntryBlock().begin()).CreateAlloca(b_.getInt64Ty());
  b_.CreateStore(b_.getInt64(0), done_);
}

void Accumulators::take(const Op& op, llvm::Value* x, llvm::Value* number, llvm::Value* mask) {
  const Partials& p = partials_.at(&op);
  if (kept_ != Kept::as_scalars) x = splat(b_, x, reduction_lanes);
  llvm::Value* where = address(p, p.levels.front(), kept_ == Kept::in_lanes ? b_.getInt64(0) : number);
  llvm::Value* old = b_.CreateLoad(p.type, where);
  llvm::Value* next = combine(b_, op, old, x);
  // Lanes beyond the end hold no element.
  if (mask && kept_ == Kept::in_lanes) next = b_.CreateSelect(mask, next, old);
  b_.CreateStore(next, where);
}

/// The next level takes this one in, which starts anew.
void Accumulators::raise(size_t level) {
  for (const Op* op : open_) {
    const Partials& p = partials_.at(op);
    for_each([&](llvm::Value* number) {
      llvm::Value *above = address(p, p.levels[level + 1], number), *own = address(p, p.levels[level], number);
      b_.CreateStore(combine(b_, *op, b_.CreateLoad(p.type, above), b_.CreateLoad(p.type, own)), above);
      b_.CreateStore(identity(*op, p.type), own);
    });
  }
}

/// Of the levels from this one on those of which a whole group is done.
void Accumulators::raise_full(llvm::Value* done, size_t level) {
  if (level >= static_cast<size_t>(levels_)) return;
  uint64_t group = 1;
  for (size_t below = 0; below < level; ++below) group *= reduction_chain;
  build_.when(b_.CreateICmpEQ(b_.CreateURem(done, b_.getInt64(group)), b_.getInt64(0)), "group", [&] {
    raise(level);
    raise_full(done, level + 1);
  });
}

void Accumulators::end_piece() {
  raise(0);
  if (!done_) return;
  llvm::Value* done = b_.CreateAdd(b_.CreateLoad(b_.getInt64Ty(), done_), b_.getInt64(1));
  b_.CreateStore(done, done_);
  raise_full(done, 1);
}

void Accumulators::end_pieces() {
  for (size_t level = 1; level < static_cast<size_t>(levels_); ++level) raise(level);
}

llvm::Value* Accumulators::finish(const Op& op, llvm::Value* vector) {
  const Partials& p = partials_.at(&op);
  std::vector<llvm::Value*> partials;
  llvm::Value* lanes = kept_ == Kept::in_lanes ? b_.CreateLoad(p.type, p.levels.back()) : nullptr;
  llvm::Value* first = b_.CreateMul(vector, b_.getInt64(reduction_lanes));
  for (uint64_t i = 0; i < reduction_lanes; ++i)
    partials.push_back(lanes ? b_.CreateExtractElement(lanes, i)
                             : b_.CreateLoad(p.type, address(p, p.levels.back(), b_.CreateAdd(first, b_.getInt64(i)))));
  for (size_t width = reduction_lanes / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i) partials[i] = combine(b_, op, partials[i], partials[i + width]);
  return rounded(b_, op.result().dtype(), partials[0]);
}

}  // namespace weft::codegen
