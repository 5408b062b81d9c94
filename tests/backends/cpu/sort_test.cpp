// Rows sorted by the call of the CPU: against a stable sort of what they hold, whatever their type, axis and number, and with one thread.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "weft/support/philox.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Sorted {
  DType dtype;
  Shape shape;
  int64_t axis;
  bool descending = false;
  int64_t start = 0, count = -1;
};

/// Many equal ones among them, and of floating numbers both zeros, infinities and nan.
Array values(DType dtype, const Shape& shape) {
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  Array x(dtype, shape);
  for (int64_t i = 0; i < shape.numel(); ++i) {
    const uint32_t bits = random_bits(5, 1, 0, static_cast<uint64_t>(i));
    if (dtype == boolean) x.set(i, bits % 2);
    else if (dtype == u8) x.set(i, bits % 256);
    else if (is_floating(dtype) && bits % 7 == 0) x.set(i, std::vector<double>{0, -0.0, infinity, -infinity, nan}[bits / 7 % 5]);
    else x.set(i, static_cast<double>(bits % 64) - 32 + (is_floating(dtype) ? 0.5 : 0));
  }
  return x;
}

std::string program(const Sorted& s) {
  Dims result = s.shape.dims();
  int64_t& extent = result[static_cast<size_t>(s.axis)];
  extent = s.count < 0 ? extent - s.start : s.count;
  const std::string dims = to_string(Shape(result));
  return fmt::format(
      "weft 1\nfunc @test {{\n  input %x: {0}{1}\n"
      "  %0, %1 = sort(%x) {{axis = {2}, descending = {3}, start = {4}, count = {5}}} : {0}{6}, i64{6}\n"
      "  output values = %0\n  output indices = %1\n}}\n",
      name_of(s.dtype), to_string(s.shape), s.axis, s.descending, s.start, s.count, dims);
}

/// Is a before b, as PyTorch has it?
bool stands_before(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

void check_row(const Sorted& s, const Array& x, const Outputs& got, int64_t outer, int64_t inner, int64_t stride) {
  const int64_t extent = s.shape[static_cast<int>(s.axis)], count = got.values[0].shape()[static_cast<int>(s.axis)];
  const auto element = [&](int64_t i) { return x.at((outer * extent + i) * stride + inner); };
  std::vector<int64_t> order(static_cast<size_t>(extent));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return s.descending ? stands_before(element(b), element(a)) : stands_before(element(a), element(b));
  });
  const auto width = static_cast<int64_t>(size_of(s.dtype));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = (outer * count + i) * stride + inner, from = order[static_cast<size_t>(s.start + i)];
    const auto index = static_cast<int64_t>(got.values[1].at(at));
    if (index != from) FAIL_CHECK("place " << i << " of row " << outer << ", " << inner << " holds " << index << ", not " << from);
    // The element itself: its sign and its payload too.
    const std::byte* element_at = x.data() + ((outer * extent + from) * stride + inner) * width;
    if (std::memcmp(got.values[0].data() + at * width, element_at, static_cast<size_t>(width)) != 0) FAIL_CHECK("another element at " << i);
  }
}

void check(const Sorted& s) {
  const std::string text = program(s);
  INFO(text);
  const Array x = values(s.dtype, s.shape);
  const Outputs got = run_cpu(text, {x}), alone = run_cpu(text, {x}, {.options = {.threads = 1}});
  CHECK(same_bits(got, alone));
  int64_t stride = 1;
  for (int d = static_cast<int>(s.axis) + 1; d < s.shape.rank(); ++d) stride *= s.shape[d];
  const int64_t extent = s.shape[static_cast<int>(s.axis)];
  for (int64_t outer = 0; outer < s.shape.numel() / std::max<int64_t>(1, extent * stride); ++outer)
    for (int64_t inner = 0; inner < stride; ++inner) check_row(s, x, got, outer, inner, stride);
}

}  // namespace

TEST_CASE("sort: every type, axis and direction is a stable sort", "[sort]") {
  for (const DType dtype : all_dtypes)
    for (const bool descending : {false, true}) {
      check({dtype, {3, 100}, 1, descending});
      check({dtype, {40, 3, 5}, 0, descending});
      check({dtype, {4, 33, 7}, 1, descending});
      check({dtype, {1000}, 0, descending});
      check({dtype, {5, 1}, 1, descending});
    }
}

TEST_CASE("sort: a part of the order is the whole one's", "[sort]") {
  for (const DType dtype : {f32, f64, bf16, i64})
    for (const bool descending : {false, true}) {
      check({dtype, {7, 300}, 1, descending, 0, 5});
      check({dtype, {300, 3}, 0, descending, 290, 10});
      check({dtype, {7, 300}, 1, descending, 149, 1});
      check({dtype, {7, 300}, 1, descending, 299, -1});
      check({dtype, {7, 300}, 1, descending, 300, -1});
      check({dtype, {7, 300}, 1, descending, 10, 0});
    }
}

TEST_CASE("sort: rows are shared out among threads", "[sort]") {
  check({f32, {70, 3000}, 1});
  check({i32, {500, 70}, 0, true});
  check({f64, {5, 20000}, 1, false, 100, 300});
}

TEST_CASE("sort: nothing is sorted too", "[sort]") {
  check({f32, {3, 0}, 1});
  check({f32, {0, 5}, 1});
  check({i64, {0, 5}, 0, true});
}
