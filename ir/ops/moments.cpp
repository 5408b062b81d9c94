#include "weft/ir/ops/moments.h"

namespace weft::ir {

Moments::Moments(Builder& builder, Value x, Dims axes) : builder_(builder), x_(x), axes_(std::move(axes)) {}

Expr Moments::centered() const {
  const Expr d = shifted();
  return d - broadcast(mean(d));
}

Expr Moments::squares() const {
  const Expr d = shifted(), all = sum(d * d), missed = mean(d) * sum(d);
  // Also where both are infinite.
  return select(all <= missed, all.like(0), all - missed);
}

}  // namespace weft::ir
