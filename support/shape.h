#pragma once
// Static shapes: a list of extents, outermost first. Rank 0 is a scalar; an extent may be 0.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace weft {

using Dims = std::vector<int64_t>;

/// The number of an axis, and the line that wrote it.
struct Axis {
  template <std::integral I>
  Axis(I n, std::source_location where = std::source_location::current()) : number(static_cast<int64_t>(n)), at(where) {}
  int64_t number;
  std::source_location at;
};

/// Copies share the extents, which never change: a compiler copies shapes all the time.
class Shape {
 public:
  Shape() = default;
  /// Both throw weft::Error for a negative extent and for more than 2^62 elements; of a list in braces, naming its line.
  Shape(std::initializer_list<int64_t> dims, std::source_location at = std::source_location::current());
  explicit Shape(Dims dims);

  int rank() const { return static_cast<int>(dims().size()); }
  /// The extent of an axis; -1 is the last. Throws weft::Error naming the line when there is no such axis.
  int64_t operator[](Axis axis) const {
    const int64_t n = axis.number < 0 ? axis.number + rank() : axis.number;
    if (n < 0 || n >= rank()) [[unlikely]]
      fail(axis);
    return dims()[static_cast<size_t>(n)];
  }
  int64_t numel() const { return numel_; }
  const Dims& dims() const { return dims_ ? *dims_ : none_; }
  auto begin() const { return dims().begin(); }
  auto end() const { return dims().end(); }

  /// Elements between neighbours along each axis of a dense row-major array.
  Dims strides() const;
  /// Along each axis, where the element with this number lies, of a tensor in row-major order.
  Dims index_of(int64_t number) const;

  bool operator==(const Shape& other) const { return dims_ == other.dims_ || dims() == other.dims(); }

 private:
  [[noreturn]] void fail(const Axis& axis) const;

  static const Dims none_;

  std::shared_ptr<const Dims> dims_;  // null: rank 0
  int64_t numel_ = 1;
};

/// "[64,1,28,28]"; "[]" for rank 0.
std::string to_string(const Shape& shape);
std::string to_string(const Dims& dims);

/// The shape that two operands broadcast to by NumPy's rule (right-aligned; 1 stretches).
/// Returns false when they do not broadcast.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result);

/// Calls `visit(index)` for every index of `shape` in row-major order.
template <class Visit>
void for_each_index(const Shape& shape, Visit visit) {
  if (shape.numel() == 0) return;
  Dims index(shape.dims().size(), 0);
  for (;;) {
    visit(index);
    int axis = shape.rank() - 1;
    while (axis >= 0 && ++index[static_cast<size_t>(axis)] == shape[axis]) index[static_cast<size_t>(axis--)] = 0;
    if (axis < 0) return;
  }
}

}  // namespace weft
