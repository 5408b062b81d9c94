#include "weft/runtime/value_bounds.h"

#include <algorithm>

#include "weft/support/error.h"

namespace weft {

bool IndexBound::allows(int64_t index) const {
  return (low <= index && index < high) || std::find(besides.begin(), besides.end(), index) != besides.end();
}

std::string IndexBound::text() const {
  std::string others;
  for (const int64_t index : besides) others += fmt::format("{}{}", others.empty() ? " (or " : ", ", index);
  if (!others.empty()) others += ")";
  const std::string most = low == 0 ? fmt::format("{} below {}", what, high) : fmt::format("{} from {} to below {}", what, low, high);
  return most + others + (ascending ? " that ascend from 0" : "");
}

bool NumberRange::allows(double number) const {
  return (above_low ? number > low : number >= low) && (below_high ? number < high : number <= high);
}

std::string NumberRange::text() const { return fmt::format("{}{}, {}{}", above_low ? "(" : "[", low, high, below_high ? ")" : "]"); }

std::optional<OutsideIndex> find_outside(const View& indices, const IndexBound& bound) {
  // Most are in the range, so that the others are looked at apart.
  const uint64_t extent = bound.high > bound.low ? static_cast<uint64_t>(bound.high) - static_cast<uint64_t>(bound.low) : 0;
  const auto outside = [&](int64_t index) {
    return static_cast<uint64_t>(index) - static_cast<uint64_t>(bound.low) >= extent && !bound.allows(index);
  };
  return with_element_type(indices.dtype(), [&]<class T>(ElementType<T>) -> std::optional<OutsideIndex> {
    if constexpr (std::is_integral_v<T>) {
      const auto all = indices.values<T>();
      auto bad = std::find_if(all.begin(), all.end(), outside);
      if (bad == all.end() && bound.ascending && !all.empty()) {
        if (all[0] != 0) bad = all.begin();
        else if (const auto last = std::is_sorted_until(all.begin(), all.end()); last != all.end()) bad = last;
      }
      if (bad != all.end()) return OutsideIndex{static_cast<size_t>(bad - all.begin()), int64_t{*bad}};
    }
    return std::nullopt;
  });
}

std::optional<size_t> find_outside(const View& values, const ValueRange& range) {
  return with_element_type(values.dtype(), [&]<class T>(ElementType<T>) -> std::optional<size_t> {
    if constexpr (is_floating(dtype_of<T>)) {
      const auto outside = [&](T x) { return !(range.low <= number_of(x) && number_of(x) <= range.high); };
      const auto all = values.values<T>();
      const auto bad = std::find_if(all.begin(), all.end(), outside);
      if (bad != all.end()) return static_cast<size_t>(bad - all.begin());
    }
    return std::nullopt;
  });
}

}  // namespace weft
