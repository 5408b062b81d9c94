#include "weft/tests/gpu_check/run/compare.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace weft::gpu_check {
namespace {

bool same_class(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

/// "0x3f800000"
std::string bits_of(const std::byte* element, size_t bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, element, bytes);
  return fmt::format("{:#0{}x}", bits, 2 * bytes + 2);
}

struct Wrong {
  int64_t count = 0, first = 0;
  double most = 0;

  void add(int64_t element, double by) {
    if (count++ == 0) first = element;
    most = std::max(most, std::isnan(by) ? INFINITY : by);
  }
};

std::string exact_difference(const View& got, const Array& want) {
  if (got.dtype() != want.dtype()) return fmt::format("it is {}, not {}", name_of(got.dtype()), name_of(want.dtype()));
  const size_t size = size_of(want.dtype());
  const std::byte* wanted = want.data();
  Wrong wrong;
  for (int64_t e = 0; e < got.count(); ++e) {
    const size_t at = static_cast<size_t>(e) * size;
    if (std::memcmp(got.data() + at, wanted + at, size) == 0) continue;
    const double x = load_element(got.dtype(), got.data(), e), y = want.at(e);
    if (std::isnan(x) && std::isnan(y)) continue;
    wrong.add(e, std::fabs(x - y));
  }
  if (wrong.count == 0) return "";
  const size_t at = static_cast<size_t>(wrong.first) * size;
  return fmt::format("element {} is {} ({}), wanted {} ({}), bit for bit; {} of {} elements differ, by {} at most", wrong.first,
                     load_element(got.dtype(), got.data(), wrong.first), bits_of(got.data() + at, size), want.at(wrong.first),
                     bits_of(wanted + at, size), wrong.count, got.count(), wrong.most);
}

}  // namespace

std::string difference(const View& got, const Array& want, const Array* any, const Bound& bound) {
  if (got.count() != want.shape().numel()) return fmt::format("it has {} elements, not {}", got.count(), want.shape().numel());
  if (bound.exact) return exact_difference(got, want);
  const auto is_free = [&](int64_t e) { return any && any->at(e) != 0; };
  double largest = 0;
  for (int64_t e = 0; e < got.count(); ++e)
    if (const double y = want.at(e); std::isfinite(y) && !is_free(e)) largest = std::max(largest, std::fabs(y));
  const double most = std::max(bound.absolute, bound.relative * largest);
  Wrong wrong;
  for (int64_t e = 0; e < got.count(); ++e) {
    const double x = load_element(got.dtype(), got.data(), e), y = want.at(e);
    if (is_free(e) || same_class(x, y)) continue;
    const double by = std::fabs(x - y);
    if (!std::isfinite(y) || !(by <= most)) wrong.add(e, by);
  }
  if (wrong.count == 0) return "";
  return fmt::format("element {} is {}, wanted {}, at most {} off; {} of {} elements are further off, by {} at most", wrong.first,
                     load_element(got.dtype(), got.data(), wrong.first), want.at(wrong.first), most, wrong.count, got.count(), wrong.most);
}

}  // namespace weft::gpu_check
