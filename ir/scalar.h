#pragma once
// Scalar expressions: what an elementwise op computes for one element, in a form that the reference evaluates and
// the code generator turns into vector instructions. An expression is a small DAG of primitives; every node has an
// element type, and both operands of a binary primitive have the same one.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "weft/support/dtype.h"

namespace weft::ir {

enum class Primitive : uint8_t {
  argument,  // operand number `integer`
  constant,  // `real`, or `integer` for an integer or bool type
  // arithmetic; integers wrap, integer division truncates towards zero and x / 0 is 0 (no trap)
  add,
  subtract,
  multiply,
  divide,
  negate,
  absolute,
  fma,
  // floating functions
  exp,
  expm1,
  log,
  log1p,
  sqrt,
  sin,
  cos,
  tanh,
  erf,
  atan,
  pow,
  floor,
  ceil,
  round_even,
  // comparisons, to bool; false when an operand is NaN, but for not_equal, which is true
  equal,
  not_equal,
  less,
  less_equal,
  // bool and bits
  bit_and,
  bit_or,
  bit_xor,
  bit_not,
  shift_left,
  shift_right,  // logical
  select,       // a ? b : c, a bool
  cast,         // to `dtype`
  asinh,        // inverse hyperbolic sine, floating
};

struct ScalarNode {
  Primitive primitive;
  DType dtype;
  int a = -1, b = -1, c = -1;  // operand nodes
  double real = 0;
  int64_t integer = 0;
};

/// Nodes in evaluation order; the last one is the value.
struct ScalarExpression {
  std::vector<ScalarNode> nodes;
};

std::string_view name_of(Primitive primitive);
int operand_count(Primitive primitive);

/// A node under construction; the operators below build further nodes.
class Scalar {
 public:
  Scalar(ScalarExpression* owner, int node) : owner_(owner), node_(node) {}
  DType dtype() const { return owner_->nodes[static_cast<size_t>(node_)].dtype; }
  int node() const { return node_; }
  ScalarExpression* owner() const { return owner_; }
  /// A constant of this node's type.
  Scalar like(double value) const;
  Scalar like_integer(int64_t value) const;

 private:
  ScalarExpression* owner_;
  int node_;
};

/// Throws weft::Error where the operands are of two expressions, or of element types that the primitive does not take.
Scalar make(Primitive primitive, DType dtype, std::initializer_list<Scalar> operands);

inline Scalar operator+(Scalar a, Scalar b) { return make(Primitive::add, a.dtype(), {a, b}); }
inline Scalar operator-(Scalar a, Scalar b) { return make(Primitive::subtract, a.dtype(), {a, b}); }
inline Scalar operator*(Scalar a, Scalar b) { return make(Primitive::multiply, a.dtype(), {a, b}); }
inline Scalar operator/(Scalar a, Scalar b) { return make(Primitive::divide, a.dtype(), {a, b}); }
inline Scalar operator-(Scalar a) { return make(Primitive::negate, a.dtype(), {a}); }
inline Scalar operator&(Scalar a, Scalar b) { return make(Primitive::bit_and, a.dtype(), {a, b}); }
inline Scalar operator|(Scalar a, Scalar b) { return make(Primitive::bit_or, a.dtype(), {a, b}); }
inline Scalar operator^(Scalar a, Scalar b) { return make(Primitive::bit_xor, a.dtype(), {a, b}); }
inline Scalar operator~(Scalar a) { return make(Primitive::bit_not, a.dtype(), {a}); }
inline Scalar shift_left(Scalar a, Scalar b) { return make(Primitive::shift_left, a.dtype(), {a, b}); }
inline Scalar shift_right(Scalar a, Scalar b) { return make(Primitive::shift_right, a.dtype(), {a, b}); }
inline Scalar operator==(Scalar a, Scalar b) { return make(Primitive::equal, boolean, {a, b}); }
inline Scalar operator!=(Scalar a, Scalar b) { return make(Primitive::not_equal, boolean, {a, b}); }
inline Scalar operator<(Scalar a, Scalar b) { return make(Primitive::less, boolean, {a, b}); }
inline Scalar operator<=(Scalar a, Scalar b) { return make(Primitive::less_equal, boolean, {a, b}); }
inline Scalar select(Scalar condition, Scalar yes, Scalar no) { return make(Primitive::select, yes.dtype(), {condition, yes, no}); }
inline Scalar cast(Scalar a, DType to) { return a.dtype() == to ? a : make(Primitive::cast, to, {a}); }
inline Scalar unary(Primitive p, Scalar a) { return make(p, a.dtype(), {a}); }

// A number becomes a constant of the other operand's type.
#define WEFT_SCALAR_OPERATOR(symbol)                                               \
  inline Scalar operator symbol(Scalar a, double b) { return a symbol a.like(b); } \
  inline Scalar operator symbol(double a, Scalar b) { return b.like(a) symbol b; }
WEFT_SCALAR_OPERATOR(+)
WEFT_SCALAR_OPERATOR(-)
WEFT_SCALAR_OPERATOR(*)
WEFT_SCALAR_OPERATOR(/)
WEFT_SCALAR_OPERATOR(==)
WEFT_SCALAR_OPERATOR(!=)
WEFT_SCALAR_OPERATOR(<)
WEFT_SCALAR_OPERATOR(<=)
#undef WEFT_SCALAR_OPERATOR

inline Scalar abs(Scalar x) { return unary(Primitive::absolute, x); }
inline Scalar exp(Scalar x) { return unary(Primitive::exp, x); }
inline Scalar expm1(Scalar x) { return unary(Primitive::expm1, x); }
inline Scalar log(Scalar x) { return unary(Primitive::log, x); }
inline Scalar log1p(Scalar x) { return unary(Primitive::log1p, x); }
inline Scalar sqrt(Scalar x) { return unary(Primitive::sqrt, x); }
inline Scalar sin(Scalar x) { return unary(Primitive::sin, x); }
inline Scalar cos(Scalar x) { return unary(Primitive::cos, x); }
inline Scalar tanh(Scalar x) { return unary(Primitive::tanh, x); }
inline Scalar erf(Scalar x) { return unary(Primitive::erf, x); }
inline Scalar atan(Scalar x) { return unary(Primitive::atan, x); }
inline Scalar floor(Scalar x) { return unary(Primitive::floor, x); }
inline Scalar ceil(Scalar x) { return unary(Primitive::ceil, x); }
inline Scalar round(Scalar x) { return unary(Primitive::round_even, x); }  // halves to even
inline Scalar fma(Scalar a, Scalar b, Scalar c) { return make(Primitive::fma, a.dtype(), {a, b, c}); }
inline Scalar pow(Scalar base, Scalar exponent) { return make(Primitive::pow, base.dtype(), {base, exponent}); }

/// The arguments, then the nodes that `root` needs, an operand before its reader and the first one first: C++ leaves open
/// in which order the operands of `a * b + c * d` make theirs. The value is the last node, if need be a copy.
ScalarExpression sort_by_need(const ScalarExpression& expression, int root);

/// Throws weft::Error unless the node is one of this expression.
void require_same_owner(const ScalarExpression* owner, const Scalar& node);

/// The expression of `arguments.size()` operands that `body` builds.
template <class Body>
ScalarExpression build_scalar(std::span<const DType> arguments, Body body) {
  ScalarExpression e;
  std::vector<Scalar> args;
  for (size_t i = 0; i < arguments.size(); ++i) {
    e.nodes.push_back({Primitive::argument, arguments[i], -1, -1, -1, 0, static_cast<int64_t>(i)});
    args.emplace_back(&e, static_cast<int>(i));
  }
  const Scalar root = body(std::span<const Scalar>(args));
  require_same_owner(&e, root);
  return sort_by_need(e, root.node());
}

}  // namespace weft::ir
