// Reductions in the order of support/reduction_order.h.

#include "weft/support/reduction_order.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/backends/reference/kernels.h"
#include "weft/backends/reference/scalar_program.h"

namespace weft::reference {
namespace {

/// The neutral element; an infinity is an integer type's extreme.
Tensor identities(const ir::Op& op, int64_t count) {
  const DType dtype = op.result().dtype();
  const double value = op.def().identity(dtype);
  Tensor t(ir::Type{dtype, Shape{count}});
  std::fill(t.real.begin(), t.real.end(), value);
  if (is_floating(dtype)) return t;
  const auto [least, most] = range_of(dtype);
  std::fill(t.integer.begin(), t.integer.end(), std::isinf(value) ? (value > 0 ? most : least) : static_cast<int64_t>(value));
  return t;
}

/// How the elements lie once the reduced axes stand first, their lane axis last among them.
struct Order {
  Dims permutation;
  int64_t reduced = 1;  // elements combined into one result
  Dims extents;         // reduced one inside the other; the last is the lane axis
  int64_t kept = 1;
};

Order order_of(const Shape& shape, const Dims& axes) {
  Order order;
  Dims extents;
  std::vector<bool> reduced;
  for (int64_t axis = 0; axis < shape.rank(); ++axis) {
    const int64_t extent = shape[static_cast<int>(axis)];
    const bool is_reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (is_reduced) order.permutation.push_back(axis);
    (is_reduced ? order.reduced : order.kept) *= extent;
    if (extent == 1) continue;
    extents.push_back(extent);
    reduced.push_back(is_reduced);
  }
  for (int64_t axis = 0; axis < shape.rank(); ++axis)
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) order.permutation.push_back(axis);
  order.extents = reduced_extents(extents, reduced);
  return order;
}

/// Where the pieces start: the elements of one index of the axis that is cut, and its indices, that make a piece.
class Pieces {
 public:
  explicit Pieces(const Dims& extents) : pieces_(reduction_pieces(extents)) {
    if (!pieces_) return;
    extent_ = extents[pieces_->axis];
    for (size_t axis = pieces_->axis + 1; axis < extents.size(); ++axis) each_ *= extents[axis];
  }
  bool starts_at(int64_t element) const { return pieces_ && element % each_ == 0 && element / each_ % extent_ % pieces_->length == 0; }
  int levels() const { return pieces_ ? pieces_->levels : 0; }

 private:
  std::optional<ReductionPieces> pieces_;
  int64_t extent_ = 1, each_ = 1;
};

}  // namespace

Tensor reduction(const ir::Op& op, const Tensor& x) {
  const Order order = order_of(x.type.shape, op.dims("axes"));
  const Tensor rows = permuted(x, order.permutation);                   // [reduced][kept]
  const Tensor neutral = identities(op, reduction_lanes * order.kept);  // [lane][kept]
  const auto kept = static_cast<size_t>(order.kept);
  ScalarProgram combine(ir::combine_of(op), reduction_lanes * kept);
  const Pieces pieces(order.extents);
  std::vector<Tensor> levels(static_cast<size_t>(pieces.levels()) + 1, neutral);  // the piece, and what is above it
  const auto raise = [&](size_t level) {
    const ir::ScalarElements arguments[] = {elements_of(levels[level + 1]), elements_of(levels[level])};
    combine.run(arguments, levels[level + 1], 0, reduction_lanes * kept);
    levels[level] = neutral;
  };
  int64_t done = 0;  // pieces
  const auto end_piece = [&] {
    raise(0);
    int64_t group = ++done;
    for (size_t level = 1; level + 1 < levels.size() && group % reduction_chain == 0; ++level, group /= reduction_chain) raise(level);
  };
  const int64_t lane_extent = order.extents.empty() ? 1 : order.extents.back();
  // Neighbours along the lane axis go to neighbouring lanes, so up to 16 rows are combined at once.
  for (int64_t row = 0; row < order.reduced;) {
    if (row > 0 && pieces.starts_at(row)) end_piece();
    const int64_t lanes = std::min<int64_t>(reduction_lanes, lane_extent - row % lane_extent);
    const ir::ScalarElements arguments[] = {elements_of(levels[0]), elements_of(rows, static_cast<size_t>(row) * kept)};
    combine.run(arguments, levels[0], 0, static_cast<size_t>(lanes) * kept);
    row += lanes;
  }
  for (size_t level = 0; level + 1 < levels.size(); ++level) raise(level);
  Tensor& total = levels.back();
  for (size_t half = reduction_lanes / 2; half > 0; half /= 2) {
    const ir::ScalarElements arguments[] = {elements_of(total), elements_of(total, half * kept)};
    combine.run(arguments, total, 0, half * kept);
  }
  Tensor result(op.result().type());
  const auto first = [&](const auto& from, auto& to) { std::copy_n(from.begin(), to.size(), to.begin()); };
  first(total.real, result.real);
  first(total.integer, result.integer);
  return result;
}

}  // namespace weft::reference
