#include "weft/backends/cpu/exec/slices.h"

#include <algorithm>

#include "weft/backends/cpu/exec/rates.h"

namespace weft::cpu {
namespace {

constexpr int64_t grain = 16;  // a vector, and a cache line of f32

/// The end of part `i` of `count`, at a multiple of the grain unless that would leave a part empty.
int64_t cut(int64_t extent, int64_t i, int64_t count) {
  if (i == count) return extent;
  const int64_t exact = extent / count * i + extent % count * i / count;  // extent * i / count, which might overflow
  return extent >= count * grain ? exact / grain * grain : exact;
}

}  // namespace

int64_t useful_threads(double flops, int64_t most) {
  constexpr double least_flops = 3e5;  // of one thread: some microseconds of work
  return std::clamp<int64_t>(static_cast<int64_t>(flops / least_flops), 1, std::max<int64_t>(1, most));
}

int64_t useful_slices(const MatmulSpec& spec, int cores) {
  const int64_t longest = std::max({spec.batch, spec.m / 8, spec.n / grain});
  // Where each byte is used for little, it takes as long to read as so much arithmetic.
  constexpr double flops_per_byte = flops_per_second / bytes_per_second;
  const double bytes = spec.elements() * static_cast<double>(size_of(spec.dtype));
  return useful_threads(std::max(spec.flops(), flops_per_byte * bytes), std::min<int64_t>(cores, longest));
}

std::vector<Slice> slices_of(const MatmulSpec& s) {
  // Elements that a thread reads and another has written, about, and the extent to cut. A result larger than its operands is a weight's
  // gradient or the weight itself, mostly, whose rows threads share in the update and in the next step's product: of a part that
  // is columns they have half from elsewhere.
  struct Choice {
    int64_t exchanged, extent;
    enum { by_batch, by_n, by_m } axis;
  };
  const bool is_large = s.m * s.n >= std::max(s.m * s.k, s.k * s.n);
  const int64_t of_rows = is_large ? s.m * s.n / 2 : 0;
  // The gradient's other operand is what the layer read: every thread has had all of it, where the layer's parts were columns.
  const int64_t of_b = is_large && s.transpose_a ? 0 : s.k * s.n;
  std::vector<Choice> choices{{0, s.batch, Choice::by_batch}, {s.m * s.k + of_rows, s.n / 8, Choice::by_n}, {of_b, s.m / 8, Choice::by_m}};
  if (s.dtype == bf16) std::swap(choices[1], choices[2]);  // of two that are alike: rows of the result lie together
  std::erase_if(choices, [&](const Choice& c) { return c.extent < s.slices; });
  const auto best =
      std::min_element(choices.begin(), choices.end(), [](const Choice& x, const Choice& y) { return x.exchanged < y.exchanged; });
  const Slice whole{0, s.batch, 0, s.m, 0, s.n};
  if (best == choices.end() || s.slices <= 1) return {whole};
  std::vector<Slice> parts;
  for (int64_t i = 0; i < s.slices; ++i) {
    Slice part = whole;
    const auto narrow = [&](int64_t extent, int64_t& first, int64_t& count) {
      first = cut(extent, i, s.slices);
      count = cut(extent, i + 1, s.slices) - first;
    };
    if (best->axis == Choice::by_batch) part.batch = s.batch * i / s.slices, part.batches = s.batch * (i + 1) / s.slices - part.batch;
    else if (best->axis == Choice::by_n) narrow(s.n, part.n, part.columns);
    else narrow(s.m, part.m, part.rows);
    parts.push_back(part);
  }
  return parts;
}

}  // namespace weft::cpu
