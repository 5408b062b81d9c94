// sort: each row's places in order, one after the other.

#include "weft/ir/ops/sort.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "weft/backends/reference/heavy.h"

namespace weft::reference {
namespace {

/// Nan is the largest number.
bool stands_before(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }
bool stands_before(int64_t a, int64_t b) { return a < b; }

template <class V>
void sort(const ir::SortedPart& part, const Shape& shape, const std::vector<V>& x, std::vector<V>& values, std::vector<int64_t>& indices) {
  const auto inner = std::accumulate(shape.begin() + part.axis + 1, shape.end(), int64_t{1}, std::multiplies<>());
  const int64_t extent = shape[part.axis], rows = extent == 0 ? 0 : static_cast<int64_t>(x.size()) / extent;
  std::vector<int64_t> order(static_cast<size_t>(extent));
  for (int64_t row = 0; row < rows; ++row) {
    const auto place = [&](int64_t i, int64_t length) { return static_cast<size_t>((row / inner * length + i) * inner + row % inner); };
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      const V a = x[place(i, extent)], b = x[place(j, extent)];
      return part.descending ? stands_before(b, a) : stands_before(a, b);
    });
    for (int64_t i = 0; i < part.count; ++i) {
      const int64_t from = order[static_cast<size_t>(part.start + i)];
      values[place(i, part.count)] = x[place(from, extent)];
      indices[place(i, part.count)] = from;
    }
  }
}

}  // namespace

std::vector<Tensor> sort(const ir::Op& op, Operands operands) {
  const Tensor& x = *operands[0];
  Tensor values(op.result(0).type()), indices(op.result(1).type());
  const ir::SortedPart part = ir::sorted_part(op);
  if (is_floating(x.type.dtype)) sort(part, x.type.shape, x.real, values.real, indices.integer);
  else sort(part, x.type.shape, x.integer, values.integer, indices.integer);
  std::vector<Tensor> results;
  results.push_back(std::move(values)), results.push_back(std::move(indices));
  return results;
}

}  // namespace weft::reference
