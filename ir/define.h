#pragma once
// Definitions by formulas: how ops are written down, weft's own (ir/ops/*.cpp) and those that a program registers.
//
//   elementwise("swish", "x * sigmoid(beta x)", {{"x", Accepts::floating}}, {attribute("beta", 1.0, "how steep")},
//               [](Scalar x, const AttributeView& a) { return x / (1.0 + exp(-x * a.real("beta"))); },
//               [](Expr g, Expr x, Expr y, const AttributeView& a) { ... return g * slope; });
//
// A formula takes one argument for each operand, and behind these the attributes, which it may leave out. A gradient is given g,
// the gradient of the result, before the operands and y, the result, behind them; it returns one gradient for each operand, of
// several a std::pair or a std::vector<Value>, in which a null Value says that none flows. It consists of ops, so that it can be
// differentiated in turn.
//
// What is made here is an OpDef like any other, whose further fields may be filled in.

#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::ir {

/// An attribute that may be left out, of the type of its default.
AttributeSpec attribute(std::string name, Attribute fallback, std::string doc);
/// One that must be given.
AttributeSpec required_attribute(std::string name, AttributeKind kind, std::string doc);

/// `axes` and `keep_dims`, which every reduction has; the shape without the axes, and the shape rule of these attributes.
std::vector<AttributeSpec> reduction_attributes();
Shape reduced_shape(const InferContext& context, const Dims& axes, bool keep_dims);
std::vector<Type> infer_reduction(const InferContext& context);
/// What has the shape of x reduced over the axes, kept or not, in the shape of x: for gradients of reductions.
Expr broadcast_over_axes(Expr reduced, Expr x, const Dims& axes);

/// In place of a gradient: why none flows ("piecewise constant").
struct NoGradient {
  std::string why;
};
/// In place of a composite's gradient: that of its decomposition.
struct OfDecomposition {};

namespace detail {

constexpr size_t most_arguments = 8;

template <class X, size_t>
using Same = X;
template <class F, class X, size_t... i>
constexpr bool takes_all(std::index_sequence<i...>) {
  return std::is_invocable_v<const F&, Same<X, i>...> || std::is_invocable_v<const F&, Same<X, i>..., const AttributeView&>;
}
/// How many X the formula takes.
template <class F, class X, size_t n = 1>
constexpr size_t arguments() {
  if constexpr (n > most_arguments) return 0;
  else if constexpr (takes_all<F, X>(std::make_index_sequence<n>())) return n;
  else return arguments<F, X, n + 1>();
}

/// Throws weft::Error unless the formula takes as many as there are.
void require_arguments(size_t taken, size_t given);

template <class F, class X>
auto apply(const F& formula, std::span<const X> x, const AttributeView& attributes) {
  constexpr size_t count = arguments<F, X>();
  static_assert(count > 0, "a formula takes one argument for each operand (of a gradient also g and y), then perhaps const AttributeView&");
  require_arguments(count, x.size());
  return [&]<size_t... i>(std::index_sequence<i...>) {
    if constexpr (std::is_invocable_v<const F&, Same<X, i>..., const AttributeView&>) return formula(x[i]..., attributes);
    else return formula(x[i]...);
  }(std::make_index_sequence<count>());
}

inline std::vector<Value> to_values(Value v) { return {v}; }
inline std::vector<Value> to_values(std::pair<Expr, Expr> two) { return {two.first, two.second}; }
inline std::vector<Value> to_values(std::vector<Value> all) { return all; }

using Decomposition = std::function<std::vector<Value>(std::span<const Expr>, const AttributeView&)>;
/// The operands for a formula.
std::vector<Expr> expressions(Builder& builder, std::span<const Value> values);
/// The types that the decomposition gives.
std::vector<Type> infer_by(const Decomposition& decomposition, const InferContext& context);

inline void set_gradient(OpDef& def, NoGradient no) { def.no_gradient = std::move(no.why); }
inline void set_gradient(OpDef&, OfDecomposition) {}
template <class F>
void set_gradient(OpDef& def, F formula) {
  if constexpr (std::is_invocable_v<const F&, GradientContext&>) {
    def.gradient = formula;
  } else {
    def.gradient = [formula](GradientContext& c) -> std::vector<Value> {
      std::vector<Value> all{c.result_gradients[0]};
      all.insert(all.end(), c.op.operands().begin(), c.op.operands().end());
      all.push_back(c.op.result());
      return to_values(apply<F, Expr>(formula, expressions(c.builder, all), AttributeView(c.op)));
    };
  }
}

}  // namespace detail

/// The result's elements by the operands' at the same place: `body` of Scalars gives a Scalar. All operands have one shape; without
/// a shape rule (OpDef::infer) also one element type, which is the result's. Fuses into loop nests as it is.
template <class Body, class Gradient>
OpDef elementwise(std::string name, std::string doc, std::vector<OperandSpec> operands, std::vector<AttributeSpec> attributes, Body body,
                  Gradient gradient) {
  OpDef def{.name = std::move(name), .kind = Kind::elementwise, .doc = std::move(doc), .operands = std::move(operands)};
  def.attributes = std::move(attributes);
  def.scalar = [body](std::span<const Scalar> x, const AttributeView& a) { return detail::apply<Body, Scalar>(body, x, a); };
  detail::set_gradient(def, std::move(gradient));
  return def;
}

/// The elements of x along the attribute `axes` combined two by two, in the order of support/reduction_order.h, so that
/// `combine(Scalar, Scalar)` must be associative; `identity`, a number of each element type, changes nothing (an infinity stands for
/// the type's extreme value). Of the attribute `keep_dims`, the reduced axes stay with extent 1. A gradient is as an elementwise op's.
template <class Combine, class Gradient>
OpDef reduction(std::string name, std::string doc, Accepts accepts, Combine combine, double (*identity)(DType), Gradient gradient) {
  OpDef def{.name = std::move(name), .kind = Kind::reduction, .doc = std::move(doc), .operands = {{"x", accepts}}};
  def.attributes = reduction_attributes();
  def.infer = infer_reduction;
  def.combine = combine;
  def.identity = identity;
  detail::set_gradient(def, std::move(gradient));
  return def;
}

/// Other ops, of which it is made before anything is fused: `decomposition` of Exprs gives an Expr, or of several results a
/// std::vector<Value>. It also says the results' types; a shape rule (OpDef::infer) refuses operands in words of its own. A gradient of
/// several results takes a GradientContext&.
template <class F, class Gradient = OfDecomposition>
OpDef composite(std::string name, std::string doc, std::vector<OperandSpec> operands, std::vector<AttributeSpec> attributes,
                F decomposition, Gradient gradient = {}) {
  OpDef def{.name = std::move(name), .kind = Kind::composite, .doc = std::move(doc), .operands = std::move(operands)};
  def.attributes = std::move(attributes);
  const detail::Decomposition parts = [decomposition](std::span<const Expr> x, const AttributeView& a) {
    return detail::to_values(detail::apply<F, Expr>(decomposition, x, a));
  };
  def.infer = [parts](const InferContext& c) { return detail::infer_by(parts, c); };
  def.decompose = [parts](Builder& b, const Op& op) { return parts(detail::expressions(b, op.operands()), AttributeView(op)); };
  detail::set_gradient(def, std::move(gradient));
  return def;
}

}  // namespace weft::ir
