// Vectors of which only the first elements are there, behind vectors_code.h.

#if defined(__AVX2__) && !defined(__AVX512F__)
/// Where a vector has its first `count` elements.
INLINE __m256i first(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

/// The first `count` elements; behind them zeros.
INLINE void load(Floats& x, const float* from, int64_t count) {
  if (count == lanes) return load(x, from);
#if defined(__AVX512F__)
  x = reinterpret_cast<Floats>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), from));
#elif defined(__AVX2__)
  x = reinterpret_cast<Floats>(_mm256_maskload_ps(from, first(count)));
#else
  float part[lanes] = {};
  for (int64_t i = 0; i < count; ++i) part[i] = from[i];
  load(x, part);
#endif
}

INLINE void store(float* to, const Floats& x, int64_t count) {
  if (count == lanes) return store(to, x);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1U << count) - 1), reinterpret_cast<__m512>(x));
#elif defined(__AVX2__)
  _mm256_maskstore_ps(to, first(count), reinterpret_cast<__m256>(x));
#else
  float part[lanes];
  store(part, x);
  for (int64_t i = 0; i < count; ++i) to[i] = part[i];
#endif
}
