#include "weft/backends/codegen/accumulators.h"

#include <cmath>

#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {

using ir::Op;

llvm::Value* combine(IRBuilder& b, const Op& op, llvm::Value* x, llvm::Value* y) {
  const DType t = op.result().dtype() == bf16 ? f32 : op.result().dtype();
  const DType types[] = {t, t};
  const auto e = ir::build_scalar(types, [&](std::span<const ir::Scalar> a) { return op.def().combine(a[0], a[1]); });
  llvm::Value* operands[] = {x, y};
  return emit_scalar(b, e, operands);
}

llvm::Constant* identity(const Op& op, llvm::Type* type) {
  const DType t = op.result().dtype();
  const double value = op.def().identity(t);
  if (is_floating(t)) return llvm::ConstantFP::get(type, value);
  if (!std::isinf(value)) return llvm::ConstantInt::get(type, static_cast<uint64_t>(static_cast<int64_t>(value)), true);
  const unsigned bits = type->getScalarSizeInBits();
  const bool is_unsigned = t == u8 || t == boolean;
  const llvm::APInt extreme = value > 0 ? (is_unsigned ? llvm::APInt::getMaxValue(bits) : llvm::APInt::getSignedMaxValue(bits))
                                        : (is_unsigned ? llvm::APInt::getMinValue(bits) : llvm::APInt::getSignedMinValue(bits));
  return llvm::ConstantInt::get(type, extreme);
}

int Accumulators::count() const { return kept_ == Kept::in_lanes ? 1 : reduction_lanes; }

void Accumulators::open(const std::vector<const Op*>& reductions) {
  open_ = reductions;
  partials_.clear();
  for (const Op* op : reductions) {
    llvm::Type* type = register_type(b_.getContext(), op->result().dtype());
    if (kept_ != Kept::as_scalars) type = llvm::FixedVectorType::get(type, reduction_lanes);
    IRBuilder entry(&function_.getEntryBlock(), function_.getEntryBlock().begin());
    const auto allocate = [&] { return entry.CreateAlloca(type, entry.getInt64(static_cast<uint64_t>(count()))); };
    llvm::AllocaInst* piece = allocate();
    const Partials p{piece, in_pieces_ ? allocate() : piece, type};
    for (int i = 0; i < count(); ++i) b_.CreateStore(identity(*op, type), address(p, p.piece, b_.getInt64(static_cast<uint64_t>(i))));
    if (in_pieces_)
      for (int i = 0; i < count(); ++i) b_.CreateStore(identity(*op, type), address(p, p.total, b_.getInt64(static_cast<uint64_t>(i))));
    partials_[op] = p;
  }
}

void Accumulators::take(const Op& op, llvm::Value* x, llvm::Value* number, llvm::Value* mask) {
  const Partials& p = partials_.at(&op);
  if (kept_ != Kept::as_scalars) x = splat(b_, x, reduction_lanes);
  llvm::Value* where = address(p, p.piece, kept_ == Kept::in_lanes ? b_.getInt64(0) : number);
  llvm::Value* old = b_.CreateLoad(p.type, where);
  llvm::Value* next = combine(b_, op, old, x);
  // Lanes beyond the end hold no element.
  if (mask && kept_ == Kept::in_lanes) next = b_.CreateSelect(mask, next, old);
  b_.CreateStore(next, where);
}

void Accumulators::end_piece() {
  for (const Op* op : open_) {
    const Partials& p = partials_.at(op);
    const auto add = [&](llvm::Value* number) {
      llvm::Value *total = address(p, p.total, number), *piece = address(p, p.piece, number);
      b_.CreateStore(combine(b_, *op, b_.CreateLoad(p.type, total), b_.CreateLoad(p.type, piece)), total);
      b_.CreateStore(identity(*op, p.type), piece);
    };
    if (count() == 1) add(b_.getInt64(0));
    else build_.loop(b_.getInt64(0), b_.getInt64(static_cast<uint64_t>(count())), b_.getInt64(1), "lane", add);
  }
}

llvm::Value* Accumulators::finish(const Op& op) {
  const Partials& p = partials_.at(&op);
  std::vector<llvm::Value*> partials;
  llvm::Value* lanes = kept_ == Kept::in_lanes ? b_.CreateLoad(p.type, p.total) : nullptr;
  for (uint64_t i = 0; i < reduction_lanes; ++i)
    partials.push_back(lanes ? b_.CreateExtractElement(lanes, i) : b_.CreateLoad(p.type, address(p, p.total, b_.getInt64(i))));
  for (size_t width = reduction_lanes / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i) partials[i] = combine(b_, op, partials[i], partials[i + width]);
  return op.result().dtype() == bf16 ? round_to_bf16(b_, partials[0]) : partials[0];
}

}  // namespace weft::codegen
