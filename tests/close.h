#pragma once
// How far results are from what was wanted, where the tolerance is a share of the largest element.

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace weft::test {

/// Largest |got - want| over largest |want|; infinite where one is nan or infinite and the other is not the same.
inline double relative_difference(std::span<const double> got, std::span<const double> want) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (got.size() != want.size()) return infinity;
  double difference = 0, largest = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double x = got[i], y = want[i];
    if (std::isfinite(y)) largest = std::max(largest, std::fabs(y));
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (!std::isfinite(x) || !std::isfinite(y)) return infinity;
    difference = std::max(difference, std::fabs(x - y));
  }
  return difference == 0 ? 0 : difference / largest;
}

}  // namespace weft::test
