#pragma once
// What attention does with its scores between the products, for one instruction set. Blocks of scores are rows of whole vectors of
// 16 elements: what lies behind a row's `width` is read and written, and means nothing.

#include <cstddef>
#include <cstdint>

#include "weft/support/score_mask.h"

namespace weft::cpu {

/// Of the widest vectors; narrower ones take it in parts.
constexpr int64_t score_lanes = 16;

/// Products of some queries and keys, which become weights in place.
struct ScoreBlock {
  float* data;
  int64_t row;  // distance of rows, a multiple of score_lanes
  int64_t rows, width;
  float scale;
  int64_t seen;  // so many keys the first query sees, and each that follows one more; where that is `width`, all do
  ScoreMask mask = ScoreMask::none;
  const std::byte* mask_data = nullptr;   // of the first query and key
  int64_t mask_row = 0, mask_column = 0;  // distances in elements; the columns' is 1 or 0
};

struct AttentionRows {
  /// Keeps the largest score of each row and the sum of the weights, which are taken relative to it, over all blocks of a row: with
  /// largest -inf and sum 0 it begins. `factors`: what the weights of before must be multiplied by.
  void (*weigh)(const ScoreBlock& block, float* largest, float* sums, float* factors);
  /// e^(score - lse), and 0 where lse is -inf.
  void (*weigh_by_lse)(const ScoreBlock& block, const float* lse);
  /// products = weights * (products - delta) * scale, of blocks that lie alike.
  void (*slopes)(const float* weights, float* products, int64_t row, int64_t rows, int64_t width, const float* delta, float scale);
  /// Multiplies each row of `width` elements by its factor.
  void (*rescale)(float* data, int64_t row, int64_t rows, int64_t width, const float* factors);
  /// to[j][i] = from[i][j], of `rows` by `columns`.
  void (*transpose)(const float* from, int64_t from_row, int64_t rows, int64_t columns, float* to, int64_t to_row);
};

extern const AttentionRows sse4_attention_rows, avx2_attention_rows, avx512_attention_rows;

}  // namespace weft::cpu
