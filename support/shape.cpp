#include "weft/support/shape.h"

#include <algorithm>

#include "weft/support/error.h"

namespace weft {

namespace {

/// The line that wrote it, of a path no more than the name.
std::string line_of(const std::source_location& at) {
  const std::string file = at.file_name();
  return fmt::format("{}:{}", file.starts_with('/') ? file.substr(file.rfind('/') + 1) : file, at.line());
}

}  // namespace

constinit const Dims Shape::none_;

Shape::Shape(std::initializer_list<int64_t> dims, std::source_location at) try : Shape(Dims(dims)) {
} catch (Error& e) {
  e.at(line_of(at));
  throw;
}

Shape::Shape(Dims dims) {
  constexpr int64_t limit = int64_t{1} << 62;
  bool empty = false;
  for (int64_t d : dims) {
    if (d < 0) throw Error(ErrorKind::shape, "negative extent {} in shape {}", d, to_string(dims));
    empty = empty || d == 0;
    if (d == 0) continue;
    if (numel_ > limit / d) throw Error(ErrorKind::shape, "shape {} has more than 2^62 elements", to_string(dims));
    numel_ *= d;
  }
  if (empty) numel_ = 0;
  if (!dims.empty()) dims_ = std::make_shared<const Dims>(std::move(dims));
}

void Shape::fail(const Axis& axis) const {
  const std::string range =
      rank() == 0 ? "it has none" : fmt::format("its axes are 0 to {}, or -1 to -{} from the end", rank() - 1, rank());
  throw Error("the shape {} has no axis {}: {}", to_string(dims()), axis.number, range).at(line_of(axis.at));
}

Dims Shape::strides() const {
  Dims result(dims().size(), 1);
  for (int axis = rank() - 2; axis >= 0; --axis)
    result[static_cast<size_t>(axis)] = result[static_cast<size_t>(axis) + 1] * std::max<int64_t>(1, (*this)[axis + 1]);
  return result;
}

Dims Shape::index_of(int64_t number) const {
  Dims index;
  for (const int64_t stride : strides()) index.push_back(number / stride), number %= stride;
  return index;
}

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i) text += ",";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

std::string to_string(const Shape& shape) { return to_string(shape.dims()); }

bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result) {
  const int rank = std::max(a.rank(), b.rank());
  Dims dims(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) {
    const int64_t x = i < rank - a.rank() ? 1 : a[i - (rank - a.rank())];
    const int64_t y = i < rank - b.rank() ? 1 : b[i - (rank - b.rank())];
    if (x != y && x != 1 && y != 1) return false;
    dims[static_cast<size_t>(i)] = x == 1 ? y : x;
  }
  result = Shape(std::move(dims));
  return true;
}

}  // namespace weft
