#include "weft/support/shape.h"

#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("shape: axes count from either end, and there are no others") {
  for (const Dims& dims : {Dims{}, Dims{7}, Dims{4, 3}, Dims{2, 0, 1, 5}}) {
    const Shape shape(dims);
    const int rank = shape.rank();
    for (int axis = -rank - 3; axis <= rank + 3; ++axis) {
      if (axis >= -rank && axis < rank) CHECK(shape[axis] == dims[static_cast<size_t>(axis < 0 ? axis + rank : axis)]);
      else CHECK_THROWS_AS(shape[axis], Error);
    }
    CHECK_THROWS_AS(shape[int64_t{1} << 40], Error);
    CHECK_THROWS_AS(shape[~size_t{0} / 2], Error);
  }
}

TEST_CASE("shape: an axis that there is none of is named with what there is and the line") {
  const Shape shape{4, 3};
  const auto here = [](int line) { return fmt::format("shape_test.cpp:{}", line); };
  const std::string all = "the shape [4,3] has no axis 5: its axes are 0 to 1, or -1 to -2 from the end, at ";
  CHECK_THROWS_WITH(shape[5], contains_text(all) && contains_text(here(__LINE__)));
  CHECK_THROWS_WITH((Shape{1, -1}), contains_text("negative extent -1 in shape [1,-1], at ") && contains_text(here(__LINE__)));
  CHECK_THROWS_WITH(shape[-3], contains_text("has no axis -3") && contains_text(here(__LINE__)));
  CHECK_THROWS_WITH(Shape{}[-1], contains_text("the shape [] has no axis -1: it has none, at ") && contains_text(here(__LINE__)));
}
