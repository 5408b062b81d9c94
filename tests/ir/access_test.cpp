// Coefficients lie inside of an affine function up to six, in memory of their own beyond.

#include "weft/ir/access.h"

#include "weft/tests/catch.h"

using namespace weft;
using ir::Coefficients;

TEST_CASE("coefficients keep their values and add zeros, however their number changes") {
  for (size_t from = 0; from <= 9; ++from)
    for (size_t to = 0; to <= 9; ++to)
      for (size_t back : {from, size_t{9}}) {
        INFO(from << " to " << to << " to " << back);
        Coefficients c(from);
        for (size_t i = 0; i < from; ++i) c[i] = static_cast<int64_t>(i) + 1;
        c.resize(to);
        c.resize(back);
        REQUIRE(c.size() == back);
        for (size_t i = 0; i < back; ++i) CHECK(c[i] == (i < std::min(from, to) ? static_cast<int64_t>(i) + 1 : 0));
      }
}

TEST_CASE("coefficients are equal by number and values") {
  for (size_t n = 1; n <= 9; ++n) {
    Coefficients a(n), b(n);
    CHECK(a == b);
    CHECK_FALSE(a == Coefficients(n - 1));
    a[n - 1] = 3;
    CHECK_FALSE(a == b);
    const Coefficients copy = a;
    CHECK(copy == a);
    CHECK(copy.back() == 3);
    b = std::move(a);
    CHECK(b == copy);
  }
}

TEST_CASE("maps of more than six loops compose as those of few") {
  const int loops = 8;
  ir::IndexMap reversed;
  for (int axis = 0; axis < loops; ++axis) reversed.push_back(ir::Affine::axis(loops, loops - 1 - axis));
  CHECK(ir::compose(reversed, reversed) == ir::identity_map(loops));
  ir::IndexMap shifted = ir::identity_map(loops);
  shifted[7].offset = 5;
  const ir::IndexMap both = ir::compose(shifted, reversed);
  CHECK(both[7].at({2, 0, 0, 0, 0, 0, 0, 9}) == 7);
  CHECK(both[0].at({2, 0, 0, 0, 0, 0, 0, 9}) == 9);
}
