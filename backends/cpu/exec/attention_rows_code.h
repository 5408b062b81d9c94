// The code of AttentionRows, compiled once for each instruction set by the file that includes this. All of it stands in a nameless
// namespace, and it calls no function that another file might have compiled too: a processor may lack what it was compiled for.

#include <cstdint>

#include "weft/backends/cpu/exec/attention_rows.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"

static_assert(score_lanes % lanes == 0);

typedef int32_t Ints __attribute__((vector_size(lanes * sizeof(int32_t))));
typedef float Four __attribute__((vector_size(4 * sizeof(float))));
typedef float FourLoaded __attribute__((vector_size(4 * sizeof(float)), aligned(sizeof(float)), may_alias));

constexpr float infinity = __builtin_inff();

/// x = e^x, within 2 ulp; 0 below -87.3, infinite above 88.
INLINE void exponential(Floats& x) {
  constexpr float lowest = -87.3F, highest = 88.0F, log2e = 1.44269504F, to_integer = 0x1.8p23F;
  constexpr float ln2 = 0.693359375F, ln2_rest = -2.12194440e-4F;  // their sum is ln 2, and multiples of the first are exact
  const Floats zero = {}, all_infinite = zero + infinity;
  // In the last bits of `shifted` stands the whole number next to x / ln 2.
  const Floats shifted = x * log2e + to_integer, n = shifted - to_integer;
  const Floats r = x - n * ln2 - n * ln2_rest;
  Floats p = r * (1.0F / 5040) + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  constexpr int mantissa_bits = 23;
  const Floats power = (Floats)(((Ints)shifted << mantissa_bits) + (127 << mantissa_bits));
  const Floats result = p * power, not_small = x < lowest ? zero : result;
  x = x > highest ? all_infinite : not_small;
}

INLINE float exponential(float x) {
  Floats all = {};
  all += x;
  exponential(all);
  return all[0];
}

/// The lanes combined two by two.
INLINE float largest_of(const Floats& x) {
  float part[lanes];
  store(part, x);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) part[i] = part[i] > part[i + half] ? part[i] : part[i + half];
  return part[0];
}
INLINE float sum_of(const Floats& x) {
  float part[lanes];
  store(part, x);
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

/// x of the `count` lanes, the others `other`.
INLINE void keep(Floats& x, int64_t count, float other) {
  if (count >= lanes) return;
  Ints places;
  for (int i = 0; i < lanes; ++i) places[i] = i;
  const Ints limit = Ints{} + static_cast<int32_t>(count);
  const Floats others = Floats{} + other;
  x = places < limit ? x : others;
}

/// The mask's part of scores from column `column` on, of which `count` count.
INLINE void apply_mask(Floats& x, const ScoreBlock& b, int64_t i, int64_t column, int64_t count) {
  const int64_t first = i * b.mask_row + column * b.mask_column;
  const int64_t last = (count < lanes ? count : lanes) - 1;
  float added[lanes] = {};
  if (b.mask == ScoreMask::number) {
    const auto* mask = reinterpret_cast<const float*>(b.mask_data) + first;
    for (int64_t j = 0; j <= last; ++j) added[j] = mask[j * b.mask_column];
  } else {
    const auto* mask = reinterpret_cast<const uint8_t*>(b.mask_data) + first;
    for (int64_t j = 0; j <= last; ++j) added[j] = mask[j * b.mask_column] ? 0 : -infinity;
  }
  Floats mask;
  load(mask, added);
  // What is hidden is so whatever its score.
  const Floats hidden = Floats{} - infinity, sum = x + mask;
  if (b.mask == ScoreMask::boolean) x = mask < 0.0F ? hidden : x;
  else x = sum;
}

INLINE int64_t seen_by(const ScoreBlock& b, int64_t i) {
  if (b.seen >= b.width) return b.width;
  const int64_t seen = b.seen + i;
  return seen < 0 ? 0 : seen < b.width ? seen : b.width;
}

/// The score at row i, from column j on: -inf where the query does not see the key.
INLINE void score(Floats& x, const ScoreBlock& b, int64_t i, int64_t j, int64_t seen) {
  load(x, b.data + i * b.row + j);
  x *= b.scale;
  if (b.mask != ScoreMask::none) apply_mask(x, b, i, j, seen - j);
  keep(x, seen - j, -infinity);
}

void weigh(const ScoreBlock& b, float* largest, float* sums, float* factors) {
  for (int64_t i = 0; i < b.rows; ++i) {
    float* row = b.data + i * b.row;
    const int64_t seen = seen_by(b, i);
    Floats most = Floats{} - infinity, sum = {};
    for (int64_t j = 0; j < seen; j += lanes) {
      Floats x;
      score(x, b, i, j, seen);
      store(row + j, x);
      most = x > most ? x : most;
    }
    const float of_block = largest_of(most), before = largest[i], now = of_block > before ? of_block : before;
    const float shift = now == -infinity ? 0 : now;
    for (int64_t j = 0; j < b.width; j += lanes) {
      Floats x = {};
      if (j < seen) {
        load(x, row + j);
        x -= shift;
        exponential(x);
        sum += x;
      }
      store(row + j, x);
    }
    factors[i] = before == -infinity ? 0 : exponential(before - shift);
    largest[i] = now;
    sums[i] = sums[i] * factors[i] + sum_of(sum);
  }
}

void weigh_by_lse(const ScoreBlock& b, const float* lse) {
  for (int64_t i = 0; i < b.rows; ++i) {
    const float shift = lse[i] == -infinity ? infinity : lse[i];
    const int64_t seen = seen_by(b, i);
    for (int64_t j = 0; j < b.width; j += lanes) {
      Floats x = {};
      if (j < seen) {
        score(x, b, i, j, seen);
        x -= shift;
        exponential(x);
      }
      store(b.data + i * b.row + j, x);
    }
  }
}

void slopes(const float* weights, float* products, int64_t row, int64_t rows, int64_t width, const float* delta, float scale) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i * row; j < i * row + width; j += lanes) {
      Floats w, p;
      load(w, weights + j);
      load(p, products + j);
      store(products + j, w * (p - delta[i]) * scale);
    }
}

void rescale(float* data, int64_t row, int64_t rows, int64_t width, const float* factors) {
  for (int64_t i = 0; i < rows; ++i) {
    float* x = data + i * row;
    int64_t j = 0;
    for (; j + lanes <= width; j += lanes) {
      Floats v;
      load(v, x + j);
      store(x + j, v * factors[i]);
    }
    for (; j < width; ++j) x[j] *= factors[i];
  }
}

void transpose(const float* from, int64_t from_row, int64_t rows, int64_t columns, float* to, int64_t to_row) {
  constexpr int64_t four = 4;
  const int64_t whole_rows = rows / four * four, whole_columns = columns / four * four;
  for (int64_t i = 0; i < whole_rows; i += four)
    for (int64_t j = 0; j < whole_columns; j += four) {
      const float* x = from + i * from_row + j;
      const Four a = *reinterpret_cast<const FourLoaded*>(x), b = *reinterpret_cast<const FourLoaded*>(x + from_row),
                 c = *reinterpret_cast<const FourLoaded*>(x + 2 * from_row), d = *reinterpret_cast<const FourLoaded*>(x + 3 * from_row);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      float* y = to + j * to_row + i;
      *reinterpret_cast<FourLoaded*>(y) = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
      *reinterpret_cast<FourLoaded*>(y + to_row) = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
      *reinterpret_cast<FourLoaded*>(y + 2 * to_row) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
      *reinterpret_cast<FourLoaded*>(y + 3 * to_row) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
    }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j) to[j * to_row + i] = from[i * from_row + j];
}

#undef INLINE

constexpr AttentionRows all_rows{weigh, weigh_by_lse, slopes, rescale, transpose};

}  // namespace
}  // namespace weft::cpu
