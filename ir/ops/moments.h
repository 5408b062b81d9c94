#pragma once
// Means and variances that lose nothing where the mean is large. Private to ir/ops.

#include "weft/ir/builder.h"

namespace weft::ir {

/// Of x over `axes`, all with the axes kept. x is taken less a first, rounded mean; what that one misses is the mean of the
/// differences, which are small. So equal elements differ from their mean by 0, whatever rounding made of it, and the
/// squares need no sweep of their own: sum (d - c)^2 = sum d^2 - c sum d.
class Moments {
 public:
  Moments(Builder& builder, Value x, Dims axes);

  /// x less its mean.
  Expr centered() const;
  /// The sum of the squares of that, not below 0.
  Expr squares() const;

 private:
  Expr sum(Value v) const { return {builder_, builder_.sum(v, axes_, true)}; }
  Expr broadcast(Value v) const { return {builder_, builder_.broadcast(v, x_.shape())}; }
  Expr mean(Value v) const { return {builder_, builder_("mean", {v}, {{"axes", axes_}, {"keep_dims", true}})}; }
  /// x less the first mean.
  Expr shifted() const { return Expr(builder_, x_) - broadcast(mean(x_)); }

  Builder& builder_;
  Value x_;
  Dims axes_;
};

}  // namespace weft::ir
