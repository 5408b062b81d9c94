#include "weft/backends/cuda/kernels/matrix_units.h"

#include <llvm/IR/IntrinsicsNVPTX.h>

namespace weft::cuda {

namespace nvvm = llvm::Intrinsic;

MatrixUnits::MatrixUnits(IRBuilder& b, DType dtype, Value* lane) : b_(b), is_bf16_(dtype == bf16), lane_(lane) {
  const Values at = digits_of(b, lane, {lanes / 4, 4});
  group_ = at[0], pair_ = b.CreateMul(at[1], codegen::integer(at[1], 2));
}

/// What differs between threads comes first, so that the rest is a number in the instruction.
Value* MatrixUnits::first_pair(Value* rows, Value* first, int distance) {
  Value* before = b_.CreateMul(b_.CreateAdd(first, group_), codegen::integer(first, distance));
  return b_.CreateGEP(b_.getInt16Ty(), rows, b_.CreateAdd(before, pair_));
}

/// The two elements so many behind these.
Value* MatrixUnits::read(Value* pair, int elements) {
  return b_.CreateAlignedLoad(b_.getInt32Ty(), behind(pair, elements), llvm::Align(4));
}

Value* MatrixUnits::behind(Value* pointer, int elements) {
  return b_.CreateConstGEP1_32(b_.getInt16Ty(), pointer, static_cast<unsigned>(elements));
}

Values MatrixUnits::left(Value* rows, Value* first, int more_rows, int distance, int k) {
  Value* pair = first_pair(rows, first, distance);
  Values a;
  for (const int of_k : {0, 8})
    for (const int of_rows : {0, 8}) a.push_back(read(pair, (more_rows + of_rows) * distance + k + of_k));
  return a;
}

Values MatrixUnits::right(Value* rows, Value* first, int more_rows, int distance, int k) {
  Value* pair = first_pair(rows, first, distance);
  return {read(pair, more_rows * distance + k), read(pair, more_rows * distance + k + 8)};
}

std::pair<Values, Values> MatrixUnits::right_pair(Value* rows, int distance, int k, int column) {
  // Lane l gives the address of row l % 16, of the first or second 8 columns.
  const Values at = digits_of(b_, lane_, {2, 16});
  const auto times = [&](Value* v, int factor) { return b_.CreateMul(v, codegen::integer(v, factor)); };
  Value* of_lane = b_.CreateGEP(b_.getInt16Ty(), rows, b_.CreateAdd(times(at[1], distance), times(at[0], unit_n)));
  Value* address = behind(of_lane, k * distance + column);
  Value* four = b_.CreateIntrinsic(nvvm::nvvm_ldmatrix_sync_aligned_m8n8_x4_trans_b16, {address->getType()}, {address});
  const auto part = [&](unsigned i) { return b_.CreateExtractValue(four, i); };
  return {{part(0), part(1)}, {part(2), part(3)}};
}

Values MatrixUnits::left_of_sums(Value* const* first, Value* const* second) {
  return {rounded_pair(first[0], first[1]), rounded_pair(first[2], first[3]), rounded_pair(second[0], second[1]),
          rounded_pair(second[2], second[3])};
}

Value* MatrixUnits::rounded_pair(Value* low, Value* high) {
  Value* both = b_.CreateIntrinsic(is_bf16_ ? nvvm::nvvm_ff2bf16x2_rn : nvvm::nvvm_ff2f16x2_rn, {}, {high, low});
  return b_.CreateBitCast(both, b_.getInt32Ty());
}

Value* MatrixUnits::operand(Value* bits) { return is_bf16_ ? bits : b_.CreateBitCast(bits, llvm::FixedVectorType::get(b_.getHalfTy(), 2)); }

void MatrixUnits::multiply(const Values& a, const Values& c, Value** sums) {
  Values operands;
  for (const Values* bits : {&a, &c})
    for (Value* v : *bits) operands.push_back(operand(v));
  operands.insert(operands.end(), sums, sums + MatrixUnits::lane_sums);
  Value* all = b_.CreateIntrinsic(is_bf16_ ? nvvm::nvvm_mma_m16n8k16_row_col_bf16 : nvvm::nvvm_mma_m16n8k16_row_col_f32_f32, {}, operands);
  for (unsigned r = 0; r < MatrixUnits::lane_sums; ++r) sums[r] = b_.CreateExtractValue(all, r);
}

}  // namespace weft::cuda
