#include "weft/runtime/value_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/runtime/array.h"
#include "weft/support/error.h"

namespace weft {
namespace {

/// All bits of the exponent: what is not finite has them set, zeros and subnormals have none.
uint64_t exponent_bits(DType dtype) {
  switch (dtype) {
    case DType::f32: return 0x7f80'0000;
    case DType::f64: return 0x7ff0'0000'0000'0000;
    case DType::f16: return 0x7c00;
    case DType::bf16: return 0x7f80;
    default: throw InternalError(fmt::format("{} has no exponent", name_of(dtype)));
  }
}

template <class Bits>
int64_t first_with_all(const std::byte* data, int64_t count, Bits exponent) {
  const auto* elements = reinterpret_cast<const Bits*>(data);
  constexpr int64_t piece = 1024;  // so that the inner loop has no way out, and is made of vectors
  for (int64_t start = 0; start < count; start += piece) {
    const int64_t end = std::min(count, start + piece);
    bool any = false;
    for (int64_t i = start; i < end; ++i) any |= (elements[i] & exponent) == exponent;
    if (any) return std::find_if(elements + start, elements + end, [&](Bits b) { return (b & exponent) == exponent; }) - elements;
  }
  return -1;
}

uint64_t bits_of(DType dtype, const std::byte* data, int64_t i) {
  switch (size_of(dtype)) {
    case 2: return reinterpret_cast<const uint16_t*>(data)[i];
    case 4: return reinterpret_cast<const uint32_t*>(data)[i];
    default: return reinterpret_cast<const uint64_t*>(data)[i];
  }
}

}  // namespace

int64_t first_not_finite(DType dtype, const std::byte* data, int64_t count) {
  const uint64_t exponent = exponent_bits(dtype);
  switch (size_of(dtype)) {
    case 2: return first_with_all(data, count, static_cast<uint16_t>(exponent));
    case 4: return first_with_all(data, count, static_cast<uint32_t>(exponent));
    default: return first_with_all(data, count, exponent);
  }
}

ValueStatistics statistics_of(DType dtype, const std::byte* data, int64_t count) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  ValueStatistics s{.count = count, .mean = none, .deviation = none, .smallest = none, .largest = none};
  const uint64_t exponent = exponent_bits(dtype), mantissa = (exponent & (~exponent + 1)) - 1;
  int64_t finite = 0;
  double mean = 0, squares = 0;  // Welford's: no sum of squares that cancels
  for (int64_t i = 0; i < count; ++i) {
    const double x = load_element(dtype, data, i);
    if (std::isnan(x) || std::isinf(x)) {
      ++(std::isnan(x) ? s.nans : s.infinities);
      continue;
    }
    const uint64_t bits = bits_of(dtype, data, i);  // a thread may take subnormals for zeros
    if ((bits & exponent) == 0) ++((bits & mantissa) == 0 ? s.zeros : s.subnormals);
    const double away = x - mean;
    mean += away / static_cast<double>(++finite);
    squares += away * (x - mean);
    s.smallest = finite == 1 ? x : std::min(s.smallest, x);
    s.largest = finite == 1 ? x : std::max(s.largest, x);
  }
  if (finite > 0) s.mean = mean, s.deviation = std::sqrt(squares / static_cast<double>(finite));
  return s;
}

std::string range_text(const ValueStatistics& s) {
  if (s.count == 0) return "no elements";
  std::string text;
  if (s.nans > 0) text += fmt::format("{} nan, ", s.nans);
  if (s.infinities > 0) text += fmt::format("{} inf, ", s.infinities);
  if (s.finite() == 0) return text + "none finite";
  return text + (s.smallest == s.largest ? fmt::format("{:.9g}", s.smallest) : fmt::format("from {:.9g} to {:.9g}", s.smallest, s.largest));
}

ValueHistogram histogram_of(DType dtype, const std::byte* data, int64_t count, int buckets) {
  const ValueStatistics s = statistics_of(dtype, data, count);
  ValueHistogram h;
  if (s.finite() == 0) return h;
  const double width = (s.largest - s.smallest) / buckets;
  const int used = width > 0 ? buckets : 1;
  for (int i = 0; i < used; ++i) h.edges.push_back(s.smallest + i * width);
  h.edges.push_back(s.largest);
  h.counts.resize(static_cast<size_t>(used));
  for (int64_t i = 0; i < count; ++i) {
    const double x = load_element(dtype, data, i);
    if (!std::isfinite(x)) continue;
    const auto bucket = used == 1 ? 0 : std::min(used - 1, static_cast<int>((x - s.smallest) / width));
    ++h.counts[static_cast<size_t>(bucket)];
    h.sum += x, h.squares += x * x;
  }
  return h;
}

}  // namespace weft
