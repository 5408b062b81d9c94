#include "weft/backends/cpu/exec/row_sums.h"

#include <algorithm>

#include "weft/support/reduction_order.h"

namespace weft::cpu {
namespace {

constexpr int64_t columns = 64;     // that are summed together
constexpr size_t most_levels = 17;  // 16^16 rows are more than there are

float wide(bf16_t v) { return from_bf16(v); }
template <class T>
T wide(T v) {
  return v;
}
void store(float sum, bf16_t& to) { to = to_bf16(sum); }
template <class T>
void store(T sum, T& to) {
  to = sum;
}

/// The sums of some columns: partial ones of the piece, of a group of pieces, of a group of groups.
template <class Sum>
class Levels {
 public:
  explicit Levels(int64_t width) : width_(width) { std::fill_n(levels_[0], width, Sum{}); }

  template <class Element>
  void take(const Element* row) {
    Sum* piece = levels_[0];
    for (int64_t e = 0; e < width_; ++e) piece[e] = static_cast<Sum>(piece[e] + wide(row[e]));
    int64_t group = ++taken_;
    for (size_t level = 0; group % reduction_chain == 0; ++level, group /= reduction_chain) raise(level);
  }

  const Sum* finish() {
    for (size_t level = 0; level < top_; ++level) raise(level);
    return levels_[top_];
  }

 private:
  void raise(size_t level) {
    Sum *own = levels_[level], *above = levels_[level + 1];
    if (level == top_) std::fill_n(levels_[++top_], width_, Sum{});
    for (int64_t e = 0; e < width_; ++e) above[e] = static_cast<Sum>(above[e] + own[e]), own[e] = Sum{};
  }

  int64_t width_, taken_ = 0;
  size_t top_ = 0;
  Sum levels_[most_levels][columns];
};

template <class Sum, class Element>
void add(std::byte* to_bytes, const std::byte* from_bytes, std::span<const int64_t> places, int64_t elements) {
  auto* to = reinterpret_cast<Element*>(to_bytes);
  const auto* from = reinterpret_cast<const Element*>(from_bytes);
  for (int64_t first = 0; first < elements; first += columns) {
    const int64_t width = std::min(columns, elements - first);
    Levels<Sum> levels(width);
    for (int64_t place : places) levels.take(from + place * elements + first);
    const Sum* sums = levels.finish();
    for (int64_t e = 0; e < width; ++e) store(static_cast<Sum>(wide(to[first + e]) + sums[e]), to[first + e]);
  }
}

}  // namespace

void add_row_sum(DType dtype, std::byte* to, const std::byte* from, std::span<const int64_t> places, int64_t elements) {
  switch (dtype) {
    case DType::f64: return add<double, double>(to, from, places, elements);
    case DType::f32: return add<float, float>(to, from, places, elements);
    case DType::bf16: return add<float, bf16_t>(to, from, places, elements);
    case DType::i64: return add<uint64_t, uint64_t>(to, from, places, elements);
    case DType::i32: return add<uint32_t, uint32_t>(to, from, places, elements);
    case DType::u8:
    case DType::bool_: return add<uint8_t, uint8_t>(to, from, places, elements);
  }
}

}  // namespace weft::cpu
