#pragma once
// The one code of machine_speed_loops.h: vectors are as wide as the instructions that the file which includes it is compiled for.

#include "weft/backends/cpu/exec/machine_speed_loops.h"

namespace weft::cpu {
namespace {

#include "weft/backends/cpu/exec/vectors_code.h"
#undef INLINE

constexpr size_t vector_bytes = lanes * sizeof(float);

template <class T>
struct VectorOf {
  using Type [[gnu::vector_size(vector_bytes)]] = T;
};

constexpr int accumulators = 12;  // enough to hide the latency of two multiply-adds a cycle, and they fit 16 registers

template <class T>
void multiply_add(int64_t rounds) {
  using Vector = typename VectorOf<T>::Type;
  Vector sums[accumulators] = {}, factor = Vector{} + T(0.999), term = Vector{} + T(0.001);
  for (Vector& sum : sums) asm volatile("" : "+x"(sum));  // else the compiler sees that all are the same
  for (int64_t i = 0; i < rounds; ++i)
    for (Vector& sum : sums) sum = sum * factor + term;
  for (Vector& sum : sums) asm volatile("" : : "x"(sum));
}

template <class T>
constexpr PeakLoop multiply_adds{multiply_add<T>, 2 * accumulators* static_cast<int64_t>(vector_bytes / sizeof(T))};

void read_and_write(float* p, size_t count) {
  using Vector = typename VectorOf<float>::Type;
  auto* vectors = reinterpret_cast<Vector*>(p);
  for (size_t i = 0; i < count / (vector_bytes / sizeof(float)); ++i) vectors[i] -= 1e-9f;
  asm volatile("" : : "r"(p) : "memory");
}

constexpr SpeedLoops all_loops{multiply_adds<float>, multiply_adds<double>, read_and_write};

}  // namespace
}  // namespace weft::cpu
