// Ops that move elements, by the index maps of their definitions.

#include <algorithm>

#include "weft/backends/reference/kernels.h"

namespace weft::reference {
namespace {

/// Where one row of a result (its last axis) reads: element j at start[d] + j * step[d] along each axis d of `from`.
struct Row {
  Dims start, step;
};

Row row_of(const ir::IndexMap& map, const Dims& outer) {
  Row row;
  Dims first = outer;
  const bool scalar = !map.empty() && map[0].coefficients.empty();
  if (!scalar) first.push_back(0);
  for (const ir::Affine& a : map) {
    row.start.push_back(a.at(first));
    row.step.push_back(scalar ? 0 : a.coefficients.back());
  }
  return row;
}

bool lies_in(const Shape& shape, const Row& row, int64_t j) {
  for (size_t d = 0; d < row.start.size(); ++d) {
    const int64_t i = row.start[d] + j * row.step[d];
    if (i < 0 || i >= shape.dims()[d]) return false;
  }
  return true;
}

template <class V>
void copy_row(const std::vector<V>& from, int64_t start, int64_t step, V* to, int64_t count) {
  for (int64_t j = 0; j < count; ++j) to[j] = from[static_cast<size_t>(start + j * step)];
}

template <class V>
void copy_row_inside(const std::vector<V>& from, const Shape& shape, const Row& row, int64_t start, int64_t step, V* to, int64_t count) {
  for (int64_t j = 0; j < count; ++j)
    if (lies_in(shape, row, j)) to[j] = from[static_cast<size_t>(start + j * step)];
}

/// Writes the elements of `to` that the access finds in `from`.
template <class V>
void read_through(const ir::Access& access, const Shape& from_shape, const std::vector<V>& from, const Shape& to_shape,
                  std::vector<V>& to) {
  Dims outer = to_shape.dims();
  const int64_t inner = outer.empty() ? 1 : outer.back();
  if (!outer.empty()) outer.pop_back();
  const Dims strides = from_shape.strides();
  V* at = to.data();
  for_each_index(Shape(outer), [&](const Dims& index) {
    const Row row = row_of(access.map, index);
    int64_t start = 0, step = 0;
    for (size_t d = 0; d < strides.size(); ++d) {
      start += row.start[d] * strides[d];
      step += row.step[d] * strides[d];
    }
    if (access.guarded) copy_row_inside(from, from_shape, row, start, step, at, inner);
    else copy_row(from, start, step, at, inner);
    at += inner;
  });
}

void read_through(const ir::Access& access, const Tensor& from, Tensor& to) {
  if (is_floating(to.type.dtype)) read_through(access, from.type.shape, from.real, to.type.shape, to.real);
  else read_through(access, from.type.shape, from.integer, to.type.shape, to.integer);
}

void fill(Tensor& t, double value) {
  const DType dtype = t.type.dtype;
  std::fill(t.real.begin(), t.real.end(), rounded(dtype, value));
  // As a constant of this type would hold it.
  if (!t.integer.empty()) std::fill(t.integer.begin(), t.integer.end(), ir::Dense::splat({dtype, {}}, value).integer_at(0));
}

}  // namespace

Tensor movement(const ir::Op& op, Operands operands) {
  Tensor result(op.result().type());
  if (op.def().kind == ir::Kind::view) {
    result.real = operands[0]->real;
    result.integer = operands[0]->integer;
    return result;
  }
  if (op.def().fill) fill(result, op.def().fill(op));
  const auto accesses = op.def().access(op);
  WEFT_CHECK(accesses && accesses->size() == operands.size(), "{} has no index map", op.name());
  // The first operand that has an element gives it, so it is written last.
  for (size_t i = operands.size(); i-- > 0;) read_through((*accesses)[i], *operands[i], result);
  return result;
}

Tensor permuted(const Tensor& x, const Dims& permutation) {
  const int rank = x.type.shape.rank();
  Dims shape;
  ir::Access access{ir::IndexMap(permutation.size())};
  for (int i = 0; i < rank; ++i) {
    const auto axis = static_cast<size_t>(permutation[static_cast<size_t>(i)]);
    shape.push_back(x.type.shape.dims()[axis]);
    access.map[axis] = ir::Affine::axis(rank, i);
  }
  Tensor result(ir::Type{x.type.dtype, Shape(shape)});
  read_through(access, x, result);
  return result;
}

}  // namespace weft::reference
