#include "weft/support/strided_view.h"

#include <algorithm>

namespace weft {

namespace {

constexpr int64_t most_elements = int64_t{1} << 62;

}  // namespace

StridedView StridedView::dense(const Shape& shape) { return {0, shape.dims(), shape.strides()}; }

std::optional<StridedView> StridedView::parse(const Dims& numbers) {
  if (numbers.size() % 2 == 0) return std::nullopt;
  const auto rank = static_cast<std::ptrdiff_t>(numbers.size() / 2);
  StridedView view{numbers[0], {numbers.begin() + 1, numbers.begin() + 1 + rank}, {numbers.begin() + 1 + rank, numbers.end()}};
  if (std::any_of(numbers.begin(), numbers.end(), [](int64_t n) { return n < 0 || n > most_elements; })) return std::nullopt;
  int64_t elements = 1, reach = view.offset;
  for (size_t axis = 0; axis < view.extents.size(); ++axis) {
    const int64_t extent = view.extents[axis], steps = std::max<int64_t>(extent, 1) - 1, stride = view.strides[axis];
    if (extent > 0 && elements > most_elements / extent) return std::nullopt;
    elements *= extent;
    if (steps > 0 && stride > (most_elements - reach) / steps) return std::nullopt;
    reach += steps * stride;
  }
  return view;
}

Dims StridedView::numbers() const {
  Dims all{offset};
  all.insert(all.end(), extents.begin(), extents.end());
  all.insert(all.end(), strides.begin(), strides.end());
  return all;
}

int64_t StridedView::reach() const {
  int64_t last = offset;
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    if (extents[axis] == 0) return 0;
    last += (extents[axis] - 1) * strides[axis];
  }
  return last + 1;
}

StridedView StridedView::permuted(const Dims& order) const {
  StridedView result{offset, {}, {}};
  for (int64_t axis : order)
    result.extents.push_back(extents[static_cast<size_t>(axis)]), result.strides.push_back(strides[static_cast<size_t>(axis)]);
  return result;
}

}  // namespace weft
