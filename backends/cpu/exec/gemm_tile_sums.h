// The sums of a tile, in registers: one source for each instruction set. It is included within a namespace without a name, behind
//
//   INLINE              what a function for that instruction set is marked with
//   Register            a vector of `vector` floats
//   none()              zeros
//   load_all(p)         a whole vector
//   repeated(p)         one float, `vector` times
//   multiply_add(x, y, sum)
//
// Registers have no index: what is done to each line of a tile is written out.

#define EACH_LINE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/// Sums of `lines` by `vectors` vectors.
template <int lines, int vectors>
struct Sums {
  Register at[lines][vectors];
};

template <int lines, int vectors>
INLINE Sums<lines, vectors> multiply(int64_t k, const GemmOperand& broadcast, const GemmOperand& operand) {
#define DECLARE(i) Register low##i = none(), high##i = none();
  EACH_LINE(DECLARE)
#undef DECLARE
  // Every third line has a pointer: the others are one line or two from it, which an address can say.
  const int64_t line = broadcast.line, depth = broadcast.depth;
  const float *b0 = broadcast.data, *b3 = b0 + 3 * line, *b6 = b0 + 6 * line, *b9 = b0 + 9 * line, *v = operand.data;
#pragma GCC unroll 4
  for (int64_t p = 0; p < k; ++p) {
    const Register low = load_all(v), high = vectors > 1 ? load_all(v + vector) : none();
#define MULTIPLY(i)                                                                          \
  if constexpr (lines > i) {                                                                 \
    const Register x = repeated((i < 3 ? b0 : i < 6 ? b3 : i < 9 ? b6 : b9) + i % 3 * line); \
    low##i = multiply_add(x, low, low##i);                                                   \
    if constexpr (vectors > 1) high##i = multiply_add(x, high, high##i);                     \
  }
    EACH_LINE(MULTIPLY)
#undef MULTIPLY
    b0 += depth, b3 += depth, b6 += depth, b9 += depth, v += operand.depth;
  }
  Sums<lines, vectors> sums;
#define KEEP(i)                                         \
  if constexpr (lines > i) {                            \
    sums.at[i][0] = low##i;                             \
    if constexpr (vectors > 1) sums.at[i][1] = high##i; \
  }
  EACH_LINE(KEEP)
#undef KEEP
  return sums;
}
