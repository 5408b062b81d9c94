#include "weft/support/sliding_window.h"

#include <tuple>

#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Calls visit(window, elements) for many small ones.
template <class Visit>
void for_each_window(const Visit& visit) {
  for (int64_t extent = 1; extent <= 4; ++extent)
    for (int64_t stride = 1; stride <= 3; ++stride)
      for (int64_t dilation = 1; dilation <= 3; ++dilation)
        for (int64_t low = 0; low <= 2; ++low)
          for (int64_t high = 0; high <= 2; ++high)
            for (int64_t elements = 0; elements <= 9; ++elements)
              visit(SlidingWindow{.extent = extent, .stride = stride, .dilation = dilation, .low = low, .high = high}, elements);
}

/// Counted one by one: those whose last element lies before the end of the padding.
int64_t counted(const SlidingWindow& w, int64_t elements) {
  int64_t count = 0;
  while (w.element(count, w.extent - 1) < elements + w.high) ++count;
  return count;
}

}  // namespace

TEST_CASE("sliding window: positions are those that fit") {
  for_each_window([](const SlidingWindow& w, int64_t elements) {
    const int64_t count = w.positions(elements);
    CHECK(count == counted(w, elements));
    if (count > 0) CHECK(w.covered(count) <= elements + w.low + w.high);
    if (count > 0) CHECK(w.covered(count + 1) > elements + w.low + w.high);
  });
  CHECK(SlidingWindow{.extent = int64_t{1} << 60, .dilation = SlidingWindow::most}.positions(100) == 0);
}

TEST_CASE("sliding window: what is missing makes the last position whole, unless it starts behind the axis") {
  for_each_window([](const SlidingWindow& w, int64_t elements) {
    const int64_t count = w.positions(elements), missing = w.missing(elements);
    if (elements == 0 || w.low > w.extent / 2 || w.low != w.high) return;  // as pooling has it
    SlidingWindow longer = w;
    longer.high += missing;
    // Another position starts in the axis or before it, and some of its kernel, but not all, lies in what there is.
    const int64_t end = elements + w.high;
    const bool wanted = w.element(count, 0) < elements && w.element(count, w.extent - 1) - w.stride < end - 1;
    CHECK(longer.positions(elements) == count + (wanted ? 1 : 0));
    CHECK(missing < w.stride);
  });
}

TEST_CASE("sliding window: same padding and transposition") {
  for_each_window([](SlidingWindow w, int64_t elements) {
    w.stride = 1;
    const SlidingWindow back = w.transposed();
    if (w.positions(elements) > 0) CHECK(back.positions(w.positions(elements)) == elements);
    std::tie(w.low, w.high) = w.same_padding();
    if (elements > 0) CHECK(w.positions(elements) == elements);
    CHECK((w.high - w.low == 0 || w.high - w.low == 1));
  });
}

TEST_CASE("sliding window: what lies in the padding wherever the kernel stands can be left out") {
  for_each_window([](const SlidingWindow& w, int64_t elements) {
    const SlidingWindow less = w.reaching(elements);
    const int64_t count = w.positions(elements);
    CHECK(less.extent >= 1);
    CHECK(less.extent <= w.extent);
    CHECK((less.low >= 0 && less.high >= 0));
    CHECK(less.positions(elements) == count);
    for (int64_t p = 0; p < count; ++p) {  // the same elements of the axis, in the same order
      const auto seen = [&](const SlidingWindow& window) {
        Dims all;
        for (int64_t k = 0; k < window.extent; ++k)
          if (const int64_t at = window.element(p, k); at >= 0 && at < elements) all.push_back(at);
        return all;
      };
      CHECK(seen(less) == seen(w));
    }
  });
  constexpr int64_t wide = SlidingWindow::most;
  const SlidingWindow less = SlidingWindow{.extent = wide, .stride = wide, .low = wide / 2, .high = wide / 2}.reaching(8);
  CHECK((less.extent == 8 && less.low == 0 && less.high == 0));
  const SlidingWindow dilated = SlidingWindow{.extent = 3, .dilation = wide, .low = wide, .high = wide}.reaching(8);
  CHECK((dilated.extent == 1 && dilated.low == 0));
  CHECK(SlidingWindow{.extent = wide, .low = wide / 2, .high = wide / 2}.reaching(8).extent <= 16);
}
