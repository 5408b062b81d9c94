#include "weft/support/philox.h"

#include <immintrin.h>

namespace weft {
namespace {

constexpr size_t lanes = 8;

#define AVX2 __attribute__((target("avx2")))

/// The words of the blocks of 8 neighbouring elements.
struct Words {
  __m256i at[4];
};

AVX2 __attribute__((always_inline)) inline __m256i all(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }

/// The upper and lower halves of the 8 products of 32 bits.
AVX2 __attribute__((always_inline)) inline void multiply(__m256i x, __m256i factor, __m256i& high, __m256i& low) {
  const __m256i even = _mm256_mul_epu32(x, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor);
  constexpr int odd_lanes = 0xaa;
  high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, odd_lanes);
  low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), odd_lanes);
}

AVX2 __attribute__((always_inline)) inline void round_of(Words& w, __m256i key0, __m256i key1) {
  __m256i high0, low0, high1, low1;
  multiply(w.at[0], all(philox_factors[0]), high0, low0);
  multiply(w.at[2], all(philox_factors[1]), high1, low1);
  w = {{_mm256_xor_si256(_mm256_xor_si256(high1, w.at[1]), key0), low1, _mm256_xor_si256(_mm256_xor_si256(high0, w.at[3]), key1), low0}};
}

/// The first words of 16 elements, no two of whose numbers differ in their upper halves.
AVX2 void fill_16(uint64_t seed, uint32_t site, uint32_t step, uint64_t first, uint32_t* bits) {
  const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), low = _mm256_add_epi32(all(static_cast<uint32_t>(first)), count);
  const __m256i high = all(static_cast<uint32_t>(first >> 32));
  Words a{{low, high, all(site), all(step)}}, b{{_mm256_add_epi32(low, all(lanes)), high, all(site), all(step)}};
  __m256i key0 = all(static_cast<uint32_t>(seed)), key1 = all(static_cast<uint32_t>(seed >> 32));
  for (int round = 0; round < philox_rounds; ++round) {
    round_of(a, key0, key1);
    round_of(b, key0, key1);
    key0 = _mm256_add_epi32(key0, all(philox_key_steps[0])), key1 = _mm256_add_epi32(key1, all(philox_key_steps[1]));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(bits), a.at[0]);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(bits + lanes), b.at[0]);
}

}  // namespace

void random_bits(uint64_t seed, uint32_t site, uint32_t step, uint64_t first, std::span<uint32_t> bits) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  size_t i = 0;
  if (has_avx2)
    for (; i + 2 * lanes <= bits.size() && (first + i) % (uint64_t{1} << 32) + 2 * lanes <= uint64_t{1} << 32; i += 2 * lanes)
      fill_16(seed, site, step, first + i, &bits[i]);
  for (; i < bits.size(); ++i) bits[i] = random_bits(seed, site, step, first + i);
}

}  // namespace weft
