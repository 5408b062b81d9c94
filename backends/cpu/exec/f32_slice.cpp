#include "weft/backends/cpu/exec/f32_slice.h"

namespace weft::cpu {

void F32Slice::bind(const std::vector<std::byte*>& buffers) {
  const auto floats = [&](size_t buffer) { return reinterpret_cast<float*>(buffers[buffer]); };
  const int64_t at = part_.batch * spec_.m * spec_.n + part_.m * spec_.n + part_.n;
  first_.a = floats(0) + part_.batch * spec_.m * spec_.k + part_.m * (spec_.transpose_a ? 1 : spec_.k);
  first_.b = floats(1) + part_.batch * spec_.k * spec_.n + part_.n * (spec_.transpose_b ? spec_.k : 1);
  first_.bias = spec_.bias ? floats(2) + part_.n : nullptr;
  first_.addend = spec_.addend ? floats(2) + at : nullptr;
  first_.result = floats(spec_.result_buffer()) + at;
}

int F32Slice::run() const {
  for (int64_t i = 0; i < part_.batches; ++i) {
    const int64_t at = i * spec_.m * spec_.n;
    multiply({first_.a + i * spec_.m * spec_.k, first_.b + i * spec_.k * spec_.n, first_.bias, first_.addend ? first_.addend + at : nullptr,
              first_.result + at});
  }
  return 0;
}

}  // namespace weft::cpu
