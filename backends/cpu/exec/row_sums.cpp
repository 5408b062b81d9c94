#include "weft/backends/cpu/exec/row_sums.h"

#include <algorithm>
#include <concepts>
#include <type_traits>

#include "weft/support/reduction_order.h"

namespace weft::cpu {
namespace {

constexpr int64_t columns = 64;     // that are summed together
constexpr size_t most_levels = 17;  // 16^16 rows are more than there are

/// What elements are summed in: a narrow type in f32, integers as unsigned ones, which wrap.
template <class T>
struct SumOf {
  using type = decltype(number_of(T()));
};
template <std::integral T>
struct SumOf<T> {
  using type = std::make_unsigned_t<T>;
};

/// The sums of some columns: partial ones of the piece, of a group of pieces, of a group of groups.
template <class Sum>
class Levels {
 public:
  explicit Levels(int64_t width) : width_(width) { std::fill_n(levels_[0], width, Sum{}); }

  template <class Element>
  void take(const Element* row) {
    Sum* piece = levels_[0];
    for (int64_t e = 0; e < width_; ++e) piece[e] = static_cast<Sum>(piece[e] + static_cast<Sum>(number_of(row[e])));
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

template <class Element>
void add(std::byte* to_bytes, const std::byte* from_bytes, std::span<const int64_t> places, int64_t elements) {
  using Sum = typename SumOf<Element>::type;
  auto* to = reinterpret_cast<Element*>(to_bytes);
  const auto* from = reinterpret_cast<const Element*>(from_bytes);
  for (int64_t first = 0; first < elements; first += columns) {
    const int64_t width = std::min(columns, elements - first);
    Levels<Sum> levels(width);
    for (int64_t place : places) levels.take(from + place * elements + first);
    const Sum* sums = levels.finish();
    for (int64_t e = 0; e < width; ++e)
      to[first + e] = element_of<Element>(static_cast<Sum>(static_cast<Sum>(number_of(to[first + e])) + sums[e]));
  }
}

}  // namespace

void add_row_sum(DType dtype, std::byte* to, const std::byte* from, std::span<const int64_t> places, int64_t elements) {
  with_element_type(dtype, [&]<class T>(ElementType<T>) { add<T>(to, from, places, elements); });
}

}  // namespace weft::cpu
