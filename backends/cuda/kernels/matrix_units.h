#pragma once
// mma.sync.m16n8k16 of bf16 or f16, which sm_80 and newer have: a warp multiplies a [16, 16] and b [16, 8], and adds to sums in f32. Lane
// 4g + t has, of each two neighbouring elements,
//
//   of a  rows g and g + 8, at k = 2t and 2t + 8 (four registers of two: row first)
//   of b  column g, at k = 2t and 2t + 8
//   of the sums  rows g and g + 8, columns 2t and 2t + 1

#include "weft/backends/cuda/kernels/kernel_builder.h"

namespace weft::cuda {

class MatrixUnits {
 public:
  static constexpr int unit_m = 16, unit_n = 8, unit_k = 16;
  static constexpr int lanes = 32;
  static constexpr size_t lane_sums = 4;
  /// Elements between rows in shared memory, beyond a multiple of 16: with 16 bytes, the rows that a warp reads lie in different banks.
  static constexpr int gap = 8;

  /// `lane`: the thread's in its warp, i32.
  MatrixUnits(IRBuilder& b, DType dtype, Value* lane);

  /// How far below row g the lane's sum number i stands.
  static int row_of_sum(size_t i) { return i < 2 ? 0 : 8; }
  Value* group() const { return group_; }  // g
  Value* pair() const { return pair_; }    // 2t

  /// a, and the transposed b, from row `first` + more_rows on, at k: neighbours along k lie beside each other in shared memory, and from
  /// row to row it is so far.
  Values left(Value* rows, Value* first, int more_rows, int distance, int k);
  Values right(Value* rows, Value* first, int more_rows, int distance, int k);
  /// b and the one that follows it, whose rows lie in shared memory, at multiples of 16 bytes: those from k on, from that column on.
  std::pair<Values, Values> right_pair(Value* rows, int distance, int k, int column);
  /// a of sums that lie beside each other: those of columns 0 to 7 and 8 to 15, rounded.
  Values left_of_sums(Value* const* first, Value* const* second);

  /// sums += a b
  void multiply(const Values& a, const Values& c, Value** sums);
  /// Two neighbouring elements as they lie in memory, i32.
  Value* rounded_pair(Value* low, Value* high);

 private:
  Value* first_pair(Value* rows, Value* first, int distance);
  Value* read(Value* pair, int elements);
  Value* behind(Value* pointer, int elements);
  Value* operand(Value* bits);

  IRBuilder& b_;
  bool is_bf16_;
  Value *lane_, *group_, *pair_;
};

}  // namespace weft::cuda
