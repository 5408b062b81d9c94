#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft/backends/cpu/exec/machine_speed_loops.h"

namespace weft::cpu {
namespace {

/// Whether leaf 7 of cpuid has a bit set.
bool has_feature(unsigned subleaf, bool in_edx, int bit) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, subleaf, &a, &b, &c, &d) && ((in_edx ? d : a) >> bit & 1);
}

[[gnu::target("avx512f,avx512bf16")]] void multiply_add_vectors(int64_t rounds) {
  __m512 sums[12] = {};
  __m512bh factor = {};
  for (__m512& sum : sums) asm volatile("" : "+x"(sum));
  for (int64_t i = 0; i < rounds; ++i)
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, factor, factor);
  for (__m512& sum : sums) asm volatile("" : : "x"(sum));
}

/// Products of tiles of 16 x 32 elements by 32 x 16, which add to four others.
[[gnu::target("amx-tile,amx-bf16")]] void multiply_add_tiles(int64_t rounds) {
  struct alignas(64) {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16};
  } shapes;
  _tile_loadconfig(&shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (int64_t i = 0; i < rounds; ++i) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_release();
}

/// Linux has a process ask for the tiles' registers.
bool may_use_tiles() {
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

PeakLoop bf16_peak_loop() {
  const bool tiles = has_feature(0, true, 22) && has_feature(0, true, 24);
  if (tiles && may_use_tiles()) return {multiply_add_tiles, int64_t{4} * 2 * 16 * 16 * 32};
  if (has_feature(1, false, 5)) return {multiply_add_vectors, int64_t{12} * 2 * 32};
  return {};
}

}  // namespace weft::cpu
