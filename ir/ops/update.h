#pragma once
// How update rules are written down. Private to ir/ops.

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/optimizer.h"

namespace weft::ir {

/// The operands of an update op under their names.
class Update {
 public:
  Update(Builder& b, const Op& op, const OptimizerSpec& spec) : b_(b), op_(op), spec_(spec) {}

  Builder& builder() const { return b_; }
  Expr parameter() const { return {b_, op_.operand(0)}; }
  Expr gradient() const { return {b_, op_.operand(1)}; }
  /// The number of this step, from 1, in double.
  Expr step() const { return {b_, b_.cast(op_.operand(2), f64)}; }
  bool flag(std::string_view name) const { return op_.flag(name); }
  /// A hyper-parameter, in double.
  Expr hyper(std::string_view name) const;
  Expr state(int i) const { return {b_, op_.operand(spec_.fixed_operands() + i)}; }
  std::vector<Value> operands() const { return {op_.operands().begin(), op_.operands().end()}; }
  /// Of a rule for rows: which rows the gradient is of.
  Value index() const { return op_.operand(spec_.fixed_operands() - 1); }
  /// A number in double.
  Expr number(double value) const { return {b_, b_.splat({f64, {}}, value)}; }
  /// A scalar computed in double, with the gradient's type and shape, which is the parameter's but for rows.
  Expr broadcast(Expr scalar) const;
  Expr broadcast(std::string_view hyper_name) const { return broadcast(hyper(hyper_name)); }
  /// `first` at the first step, else `later`: how a state starts with anything but zero.
  Expr at_first(Expr first, Expr later) const;

  /// g, negated to maximize.
  Expr ascended_gradient() const { return flag("maximize") ? -gradient() : gradient(); }
  /// g, negated to maximize, plus the coupled weight decay.
  Expr decayed_gradient() const;
  /// The parameter times (1 - lr * weight_decay): the decoupled weight decay.
  Expr shrunk_parameter() const;

 private:
  Builder& b_;
  const Op& op_;
  const OptimizerSpec& spec_;
};

/// An update op: what its definition is made of.
struct UpdateRule {
  OptimizerSpec spec;
  std::string doc;
  /// Boolean attributes. One that has a hyper-parameter's name says that this one is not zero.
  std::vector<std::string> switches;
  /// The new parameter, then the new states.
  std::function<std::vector<Value>(const Update&)> apply;
  double error_ulps = 64;
  /// Why it has none, if so.
  std::string no_gradient = {};
};

/// Rules that follow the gradient: sgd, asgd, rprop, lars.
const std::vector<UpdateRule>& descent_rules();
/// Rules with running moments: adam, adamw, adamax, nadam, radam, lion.
const std::vector<UpdateRule>& moment_rules();
/// Rules that divide by the size of past gradients: adagrad, adadelta, rmsprop, adafactor.
const std::vector<UpdateRule>& adaptive_rules();
/// Rules for matrices: muon.
const std::vector<UpdateRule>& matrix_rules();
/// Rules for rows of a table: sparse_adam.
const std::vector<UpdateRule>& row_rules();

inline Expr sqrt(Expr x) { return x.apply("sqrt"); }
inline Expr square(Expr x) { return x * x; }
inline Expr abs(Expr x) { return x.apply("abs"); }
inline Expr pow(Expr x, Expr y) { return x.apply("pow", y); }
inline Expr maximum(Expr x, Expr y) { return x.apply("maximum", y); }
inline Expr minimum(Expr x, Expr y) { return x.apply("minimum", y); }
/// A running mean, or a momentum, as it is kept: 0 where it is denormal. Where gradients are 0 from some step on it shrinks at every
/// step, and would end as the smallest denormal number and stay that; processors take some hundred cycles for each operation on it.
inline Expr fading(Expr running) { return running.apply("flush_denormal"); }
/// torch.lerp: a + weight * (b - a), from b's side where the weight is at least a half, so that a weight of 1 gives b.
inline Expr lerp(Expr a, Expr b, Expr weight) {
  const Expr way = b - a;
  return select(weight < 0.5, a + weight * way, b - way * (1.0 - weight));
}

}  // namespace weft::ir
