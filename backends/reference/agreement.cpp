#include "weft/backends/reference/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "weft/support/conversion.h"

namespace weft::reference {

double own_bound(DType dtype) { return (is_narrow(dtype) ? 1 : 64) * epsilon_of(dtype) / 2; }

double rounding_at_zero(DType dtype) { return dtype == f16 ? 0x1p-25 : 0; }

Tolerance tolerance_in(DType dtype) {
  return {.bound = own_bound(dtype), .absolute = 1e-30 + rounding_at_zero(dtype), .largest = std::min(largest_of(dtype), 1e37)};
}

std::optional<std::string> disagreement(const Tensor& got, const Tensor& exact, std::span<const Tensor* const> moved, Tolerance tolerance) {
  if (got.type != exact.type) return fmt::format("it is {}, not {}", to_string(got.type), to_string(exact.type));
  const auto all_moved = [&](auto holds) { return std::all_of(moved.begin(), moved.end(), holds); };
  for (size_t e = 0; e < exact.integer.size(); ++e)
    if (got.integer[e] != exact.integer[e] && all_moved([&](const Tensor* m) { return m->integer[e] == exact.integer[e]; }))
      return fmt::format("element {} is {}, not {}", e, got.integer[e], exact.integer[e]);
  double difference = 0, movement = 0, largest = 0;
  for (size_t e = 0; e < exact.real.size(); ++e) {
    const double x = exact.real[e], g = got.real[e];
    const auto same = [&](const Tensor* m) { return m->real[e] == x || (std::isnan(x) && std::isnan(m->real[e])); };
    if (!std::isfinite(x) && !(g == x || (std::isnan(x) && std::isnan(g))) && all_moved(same))
      return fmt::format("element {} is {}, not {}", e, g, x);
    const auto moderate = [&](const Tensor* m) { return std::fabs(m->real[e]) < tolerance.largest; };
    if (!(std::fabs(x) < tolerance.largest) || !all_moved(moderate)) continue;
    if (!std::isfinite(g)) return fmt::format("element {} is {}, not {}", e, g, x);
    difference = std::max(difference, std::fabs(g - x));
    for (const Tensor* m : moved) movement = std::max(movement, std::fabs(m->real[e] - x));
    largest = std::max(largest, std::fabs(x));
  }
  const double most = 8 * movement + tolerance.bound * largest + tolerance.absolute;
  if (difference <= most) return std::nullopt;
  return fmt::format("it is off by {} where {} is allowed (largest value {})", difference, most, largest);
}

}  // namespace weft::reference
