#pragma once
// The extents of attention: what its shape, its cost and the calls that run it follow from.

#include "weft/support/shape.h"

namespace weft {

/// Of queries [..., heads, queries, width], keys [..., heads / group, keys, width] and values [..., heads / group, keys, value_width].
struct Attention {
  Dims batch;         // the queries' axes before their last two
  int64_t group = 1;  // so many heads of queries share one of keys and values
  int64_t queries = 0, keys = 0, width = 0, value_width = 0;
  bool causal = false;  // query i sees the keys 0 to i
  double scale = 1;     // of the products of queries and keys

  /// Of operands whose shapes fit.
  static Attention of(const Shape& queries, const Shape& keys, const Shape& values, bool causal, double scale);
  /// All heads of queries, of the whole batch.
  int64_t heads() const;
  /// How many keys a query sees, where no mask hides any.
  int64_t seen(int64_t query) const { return causal && query + 1 < keys ? query + 1 : keys; }
  /// Queries with keys that they see.
  double pairs() const;
  /// Multiplications and additions of the result and of its gradients.
  double flops() const { return 2 * pairs() * static_cast<double>(width + value_width); }
  double gradient_flops() const { return 2 * pairs() * static_cast<double>(3 * width + 2 * value_width); }

  bool operator==(const Attention&) const = default;
};

}  // namespace weft
