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
