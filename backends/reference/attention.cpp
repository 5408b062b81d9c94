#include "weft/ir/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/backends/reference/heavy.h"

namespace weft::reference {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Row-major, what a view shows.
Tensor shown(const Tensor& x, const StridedView& view) {
  Tensor result(ir::Type{x.type.dtype, Shape(view.extents)});
  size_t next = 0;
  for_each_index(result.type.shape, [&](const Dims& index) {
    int64_t at = view.offset;
    for (size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * view.strides[axis];
    result.real[next++] = x.real[static_cast<size_t>(at)];
  });
  return result;
}

/// The op's result i, made of what it is row-major.
Tensor written(const ir::Op& op, int i, const Tensor& x) {
  const StridedView view = ir::attention_result(op, i);
  Tensor result(op.result(i).type());
  size_t next = 0;
  for_each_index(x.type.shape, [&](const Dims& index) {
    int64_t at = view.offset;
    for (size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * view.strides[axis];
    result.real[static_cast<size_t>(at)] = x.real[next++];
  });
  return result;
}

/// A result as it is before it is written.
Tensor row_major(const ir::Op& op, int i) {
  return Tensor(ir::Type{op.result(i).type().dtype, Shape(ir::attention_result(op, i).extents)});
}

/// One op's operands, a head of queries at a time.
class Heads {
 public:
  Heads(const ir::Op& op, Operands operands) : a_(ir::attention_of(op)) {
    const bool masked = static_cast<bool>(ir::attention_mask_of(op));
    for (size_t i = 0; i + (masked ? 1 : 0) < operands.size(); ++i)
      operands_.push_back(shown(*operands[i], ir::attention_operand(op, static_cast<int>(i))));
    if (masked) mask_ = operands.back();
  }
  const std::vector<double>& operand(size_t i) const { return operands_[i].real; }

  const Attention& extents() const { return a_; }
  /// Where the head's rows of an operand of queries begin, and of keys or values.
  size_t of_queries(int64_t head, int64_t width) const { return static_cast<size_t>(head * a_.queries * width); }
  size_t of_keys(int64_t head, int64_t width) const { return static_cast<size_t>(head / a_.group * a_.keys * width); }

  double dot(int64_t head, int i, int64_t query, int j, int64_t key, int64_t width) const {
    const double* x = operand(static_cast<size_t>(i)).data() + of_queries(head, width) + query * width;
    const double* y = operand(static_cast<size_t>(j)).data() + of_keys(head, width) + key * width;
    double sum = 0;
    for (int64_t e = 0; e < width; ++e) sum += x[e] * y[e];
    return sum;
  }

  /// -inf where the query does not see the key.
  double score(int64_t head, int64_t query, int64_t key) const {
    if (key >= a_.seen(query)) return -infinity;
    const double s = a_.scale * dot(head, 0, query, 1, key, a_.width);
    if (!mask_) return s;
    const size_t at = mask_place(head, query, key);
    if (is_floating(mask_->type.dtype)) return s + mask_->real[at];
    return mask_->integer[at] ? s : -infinity;
  }

 private:
  size_t mask_place(int64_t head, int64_t query, int64_t key) const {
    const Shape& shape = mask_->type.shape;
    const Dims strides = shape.strides();
    int64_t place = 0;
    const auto add = [&](int axis, int64_t index) {
      if (shape[axis] > 1) place += index * strides[static_cast<size_t>(axis)];
    };
    for (int axis = shape.rank() - 3; axis >= 0; --axis) {
      const int64_t extent = a_.batch[static_cast<size_t>(axis)];
      add(axis, head % extent);
      head /= extent;
    }
    add(shape.rank() - 2, query);
    add(shape.rank() - 1, key);
    return static_cast<size_t>(place);
  }

  Attention a_;
  std::vector<Tensor> operands_;
  const Tensor* mask_ = nullptr;
};

}  // namespace

std::vector<Tensor> attention(const ir::Op& op, Operands operands) {
  const Heads heads(op, operands);
  const Attention& a = heads.extents();
  Tensor result = row_major(op, 0), lse(op.result(1).type());
  std::vector<double> weights(static_cast<size_t>(a.keys));
  for (int64_t head = 0; head < a.heads(); ++head)
    for (int64_t query = 0; query < a.queries; ++query) {
      double largest = -infinity, sum = 0;
      for (int64_t key = 0; key < a.keys; ++key) {
        const double s = weights[static_cast<size_t>(key)] = heads.score(head, query, key);
        largest = s > largest || std::isnan(s) ? s : largest;
      }
      const double shift = largest == -infinity ? 0 : largest;
      for (double& w : weights) sum += w = std::exp(w - shift);
      lse.real[heads.of_queries(head, 1) + static_cast<size_t>(query)] = shift + std::log(sum);
      double* to = result.real.data() + heads.of_queries(head, a.value_width) + query * a.value_width;
      const double* from = heads.operand(2).data() + heads.of_keys(head, a.value_width);
      if (sum == 0) continue;
      for (int64_t key = 0; key < a.keys; ++key)
        for (int64_t e = 0; e < a.value_width; ++e) to[e] += weights[static_cast<size_t>(key)] / sum * from[key * a.value_width + e];
    }
  std::vector<Tensor> results;
  results.push_back(written(op, 0, result)), results.push_back(std::move(lse));
  return results;
}

std::vector<Tensor> attention_gradient(const ir::Op& op, Operands operands) {
  const Heads heads(op, operands);
  const Attention& a = heads.extents();
  Tensor dq = row_major(op, 0), dk = row_major(op, 1), dv = row_major(op, 2);
  const std::vector<double>&q = heads.operand(0), &k = heads.operand(1), &g = heads.operand(3);
  for (int64_t head = 0; head < a.heads(); ++head) {
    const size_t of_q = heads.of_queries(head, a.width), of_k = heads.of_keys(head, a.width), of_g = heads.of_queries(head, a.value_width),
                 of_v = heads.of_keys(head, a.value_width);
    for (int64_t query = 0; query < a.queries; ++query) {
      const size_t row = heads.of_queries(head, 1) + static_cast<size_t>(query);
      const double lse = heads.operand(4)[row], delta = heads.operand(5)[row];
      for (int64_t key = 0; key < a.keys; ++key) {
        const double s = heads.score(head, query, key), weight = std::exp(s - (lse == -infinity ? infinity : lse));
        const double slope = weight * (heads.dot(head, 3, query, 2, key, a.value_width) - delta) * a.scale;
        for (int64_t e = 0; e < a.width; ++e) {
          const size_t of_query = of_q + static_cast<size_t>(query * a.width + e), of_key = of_k + static_cast<size_t>(key * a.width + e);
          dq.real[of_query] += slope * k[of_key];
          dk.real[of_key] += slope * q[of_query];
        }
        for (int64_t e = 0; e < a.value_width; ++e)
          dv.real[of_v + static_cast<size_t>(key * a.value_width + e)] += weight * g[of_g + static_cast<size_t>(query * a.value_width + e)];
      }
    }
  }
  std::vector<Tensor> results;
  results.push_back(written(op, 0, dq)), results.push_back(written(op, 1, dk)), results.push_back(written(op, 2, dv));
  return results;
}

}  // namespace weft::reference
