#include "weft/backends/cuda/kernels/indexing.h"

#include <llvm/IR/IntrinsicsNVPTX.h>

#include "weft/backends/cuda/kernels/rows.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

constexpr int64_t warp_threads = 32;

/// The widest piece, of up to 16 bytes, that so many bytes consist of.
struct Piece {
  int64_t bytes;
  explicit Piece(int64_t of) : bytes(16) {
    while (of % bytes != 0) bytes /= 2;
  }
  llvm::Type* type(IRBuilder& b) const {
    if (bytes == 16) return llvm::FixedVectorType::get(b.getInt64Ty(), 2);
    return b.getIntNTy(static_cast<unsigned>(8 * bytes));
  }
  Value* at(IRBuilder& b, Value* pointer, Value* number) const { return b.CreateGEP(type(b), pointer, number); }
  Value* load(IRBuilder& b, Value* pointer, Value* number) const {
    return b.CreateAlignedLoad(type(b), at(b, pointer, number), llvm::Align(static_cast<uint64_t>(bytes)));
  }
  void store(IRBuilder& b, Value* pointer, Value* number, Value* value) const {
    b.CreateAlignedStore(value, at(b, pointer, number), llvm::Align(static_cast<uint64_t>(bytes)));
  }
  /// What an index outside gives: nan; of integers, 0.
  llvm::Constant* missing(IRBuilder& b, DType dtype) const {
    const uint64_t bits = dtype == f64    ? 0x7ff8000000000000
                          : dtype == f32  ? 0x7fc000007fc00000
                          : dtype == bf16 ? 0x7fc07fc07fc07fc0
                          : dtype == f16  ? 0x7e007e007e007e00
                                          : 0;
    if (bytes == 16) return llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(2), b.getInt64(bits));
    return llvm::ConstantInt::get(type(b), bytes == 8 ? bits : bits & ((uint64_t{1} << (8 * bytes)) - 1));
  }
};

/// The number in a warp, and which of all warps it is.
struct Lane {
  Value *number, *warp;
  explicit Lane(KernelBuilder& k) {
    const Values digits = digits_of(k.b, k.grid_thread(), {1, warp_threads});
    number = digits[1], warp = digits[0];
  }
};

Value* any_in_warp(IRBuilder& b, Value* condition) {
  return b.CreateIntrinsic(llvm::Intrinsic::nvvm_vote_any_sync, {}, {b.getInt32(~uint32_t{0}), condition});
}

}  // namespace

Rows Rows::of(const ir::Op& op) {
  const Shape& x = op.operand(0).shape();
  const int axis = op.def().attribute_index("axis") < 0 ? 0 : static_cast<int>(op.integer("axis"));
  Rows rows{.dtype = op.result().dtype(), .extent = x[axis], .count = op.operand(1).shape().numel()};
  for (int d = 0; d < axis; ++d) rows.outer *= x[d];
  for (int d = axis + 1; d < x.rank(); ++d) rows.inner *= x[d];
  return rows;
}

KernelLaunch emit_copy(llvm::Module& module, const ir::Op& op, const std::string& name, int from, int to, int64_t bytes) {
  KernelBuilder k(module, op, name);
  const Piece piece(bytes);
  Value *source = k.buffer(from), *target = k.buffer(to), *number = k.grid_thread();
  Value* is_left = k.b.CreateICmpULT(number, k.b.getInt64(static_cast<uint64_t>(bytes / piece.bytes)));
  k.when(k.b.CreateAnd(k.b.CreateICmpNE(source, target), is_left),
         [&] { piece.store(k.b, target, number, piece.load(k.b, source, number)); });
  return k.finish(blocks_for(bytes / piece.bytes));
}

std::vector<KernelLaunch> emit_gather(llvm::Module& module, const ir::Op& op, const std::string& name) {
  if (op.result().shape().numel() == 0) return {};
  const Rows rows = Rows::of(op);
  const Piece piece(rows.row_bytes());
  const int64_t in_row = rows.row_bytes() / piece.bytes, all = rows.outer * rows.count * in_row;
  KernelBuilder k(module, op, name);
  IRBuilder& b = k.b;
  Value* number = k.grid_thread();
  k.when(b.CreateICmpULT(number, b.getInt64(static_cast<uint64_t>(all))), [&] {
    const Values at = digits_of(b, number, {rows.outer, rows.count, in_row});
    Value* picked = k.load(i64, k.buffer(1), at[1]);
    Value* value = piece.missing(b, rows.dtype);
    if (rows.extent > 0) {
      Value* exists = b.CreateICmpULT(picked, b.getInt64(static_cast<uint64_t>(rows.extent)));
      Value* row = b.CreateAdd(b.CreateMul(at[0], b.getInt64(static_cast<uint64_t>(rows.extent))), picked);
      Value* from = b.CreateAdd(b.CreateMul(row, b.getInt64(static_cast<uint64_t>(in_row))), at[2]);
      value = b.CreateSelect(exists, piece.load(b, k.buffer(0), b.CreateSelect(exists, from, b.getInt64(0))), value);
    }
    piece.store(b, k.buffer(2), number, value);
  });
  return {k.finish(blocks_for(all))};
}

std::vector<KernelLaunch> emit_scatter_rows(llvm::Module& module, const ir::Op& op, const std::string& name) {
  if (op.result().shape().numel() == 0) return {};
  const Rows rows = Rows::of(op);
  std::vector<KernelLaunch> launches{emit_copy(module, op, name + "_copy", 0, 3, op.result().type().bytes())};
  if (rows.count == 0) return launches;
  const Piece piece(rows.row_bytes());
  KernelBuilder k(module, op, name);
  IRBuilder& b = k.b;
  const Lane lane(k);
  Value *count = b.getInt64(static_cast<uint64_t>(rows.count)), *place = lane.warp;
  Value* in_row = b.getInt64(static_cast<uint64_t>(rows.row_bytes() / piece.bytes));
  // A warp for each row: it looks for a later one of the same index, and puts its own if there is none.
  k.when(b.CreateICmpULT(place, count), [&] {
    Value *index = k.buffer(1), *mine = k.load(i64, index, place, true);
    const Values ended = k.repeat(
        {b.CreateAdd(place, b.getInt64(1)), b.getFalse()},
        [&](const Values& v) { return b.CreateAnd(b.CreateICmpULT(v[0], count), b.CreateNot(v[1])); },
        [&](const Values& v) -> Values {
          Value *later = b.CreateAdd(v[0], lane.number), *is_there = b.CreateICmpULT(later, count);
          Value* other = k.load(i64, index, b.CreateSelect(is_there, later, place), true);
          Value* replaced = any_in_warp(b, b.CreateAnd(is_there, b.CreateICmpEQ(other, mine)));
          return {b.CreateAdd(v[0], b.getInt64(warp_threads)), replaced};
        });
    Value* exists = b.CreateICmpULT(mine, b.getInt64(static_cast<uint64_t>(rows.extent)));
    k.when(b.CreateAnd(exists, b.CreateNot(ended[1])), [&] {
      Value *from = b.CreateMul(place, in_row), *to = b.CreateMul(mine, in_row), *updates = k.buffer(2), *result = k.buffer(3);
      k.loop(lane.number, in_row, b.getInt64(warp_threads), {}, [&](Value* i, const Values&) -> Values {
        piece.store(b, result, b.CreateAdd(to, i), piece.load(b, updates, b.CreateAdd(from, i)));
        return {};
      });
    });
  });
  launches.push_back(k.finish(blocks_for(rows.count * warp_threads)));
  return launches;
}

}  // namespace weft::cuda
