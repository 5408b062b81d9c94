#include "weft/runtime/array.h"

#include <algorithm>
#include <span>
#include <utility>

#include "weft/support/memory.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

Array numbers(std::vector<float> all) { return Array::of(Shape{static_cast<int64_t>(all.size())}, all); }

int writes = 0;
void count_write(const Array&) { ++writes; }

}  // namespace

TEST_CASE("array: more memory than there is, is refused with its size and line") {
  const auto elements = static_cast<int64_t>(memory_limit() / 4 + 1);
  CHECK_THROWS_AS(Array(f32, {elements}), OutOfMemory);
  const std::string what = fmt::format("an array f32[{}] made at ", elements),
                    where = fmt::format("array_test.cpp:{} needs ", __LINE__ + 1);
  CHECK_THROWS_WITH(Array(f32, {elements}), contains_text(what) && contains_text(where));
  // Of what no machine has, the bytes do not fit into 64 bits.
  CHECK_THROWS_WITH(Array(f64, {int64_t{1} << 61}), contains_text("more than"));
  CHECK_THROWS_WITH(Array(f64, {int64_t{1} << 31, int64_t{1} << 31}), contains_text("more than"));
  CHECK_NOTHROW(Array(f64, {int64_t{1} << 61, 0}));
}

TEST_CASE("array: there are no elements before the first or behind the last") {
  Array a = numbers({1, 2, 3});
  CHECK(a.at(2) == 3);
  for (int64_t i : {int64_t{-1}, int64_t{3}, int64_t{1} << 40}) {
    CHECK_THROWS_WITH(a.at(i), contains_text(fmt::format("an array f32[3] has 3 elements, numbered from 0, and no element {}", i)));
    CHECK_THROWS_AS(a.set(i, 0), Error);
  }
  CHECK_THROWS_AS(Array(f32, {2, 0}).at(0), Error);
  CHECK(Array(f32, {}).at(0) == 0);
}

TEST_CASE("array: what was moved from is empty") {
  Array a = numbers({1, 2, 3});
  const Array b = std::move(a);
  CHECK(b.at(2) == 3);
  CHECK(a.shape() == Shape{0});
  CHECK(a.values<float>().empty());
  a = numbers({4});
  CHECK(a.at(0) == 4);
  Array c = numbers({5, 6});
  c = std::move(a);
  CHECK(c.at(0) == 4);
  CHECK(a.shape().numel() == 0);
}

TEST_CASE("array: a pinned one stays where it is, whatever is done with it") {
  Array a = numbers({1, 2, 3});
  const std::byte* const memory = std::as_const(a).data();
  a.pin(count_write);
  const Array other = numbers({4, 5, 6});
  SECTION("copied into") { a = other; }
  SECTION("moved into") { a = numbers({4, 5, 6}); }
  SECTION("through a reference") {
    Array& same = a;
    same = Array(other);
  }
  SECTION("swapped") {
    Array third = numbers({4, 5, 6});
    std::swap(a, third);
    CHECK(third.at(0) == 1);
    CHECK_FALSE(third.is_pinned());
  }
  SECTION("moved out of") {
    const Array taken = std::move(a);
    CHECK(taken.at(0) == 1);
    CHECK(a.at(0) == 1);
    a = other;
  }
  SECTION("assigned from") {
    Array third;
    third = std::move(a);
    CHECK(third.at(2) == 3);
    a = std::move(third);
    CHECK(a.at(2) == 3);
    a = other;
  }
  CHECK(std::as_const(a).data() == memory);
  CHECK(a.at(0) == 4);
  CHECK(a.at(2) == 6);
}

TEST_CASE("array: a pinned one keeps its type and shape, and tells of every write") {
  Array a = numbers({1, 2, 3});
  a.pin(count_write);
  CHECK_THROWS_WITH(a = numbers({1, 2}), contains_text("this array is f32[3]") && contains_text("cannot become f32[2]"));
  CHECK_THROWS_WITH(a = Array(f64, {3}), contains_text("cannot become f64[3]"));
  CHECK_THROWS_AS(a = Array(f32, {3, 1}), Error);
  writes = 0;
  std::as_const(a).values<float>();
  a.at(0);
  const Array copy = a;
  CHECK(writes == 0);
  a.set(0, 7);
  CHECK(writes == 1);
  a.values<float>()[0] = 8;
  CHECK(writes == 2);
  a.data();
  CHECK(writes == 3);
  a = copy;
  CHECK(writes == 4);
}

TEST_CASE("array: buffers begin with a line, large ones with a page of 2 MiB, and all are zeros") {
  for (int64_t elements : {0, 1, 16, 1 << 18, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20}) {
    const Array a(f32, {elements});
    const auto address = reinterpret_cast<uintptr_t>(a.data());
    CHECK(address % buffer_alignment == 0);
    if (elements * 4 >= 4 << 20) CHECK(address % (2 << 20) == 0);
    const std::span<const float> values = a.values<float>();
    CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 0; }));
  }
}
