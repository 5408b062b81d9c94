// Elementwise ops of two operands of one shape, comparisons and select. Semantics follow torch.<name>.

#include <limits>

#include "weft/ir/ops/division.h"
#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

NoGradient discrete() { return {"its result is discrete"}; }

template <class Body, class Gradient>
OpDef binary(std::string name, Accepts accepts, std::string doc, Body body, Gradient gradient) {
  return elementwise(std::move(name), std::move(doc), {{"a", accepts}, {"b", accepts}}, {}, body, gradient);
}

OpDef comparison(std::string name, std::string doc, Scalar (*body)(Scalar, Scalar)) {
  OpDef def = binary(std::move(name), Accepts::any, std::move(doc), body, discrete());
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.operand(0).dtype == c.operand(1).dtype, "the operands must have equal element types");
    return {{boolean, c.shape(0)}};
  };
  return def;
}

/// What a division of `a` by `b` leaves, with the sign of `a`. Of floating numbers it is computed in f64, exactly where the quotient is
/// below 2^53: there it may be rounded up to the next integer, but no further.
Scalar remaining(Scalar a, Scalar b) {
  if (!is_floating(a.dtype())) return a - a / b * b;
  const Scalar x = cast(abs(a), f64), y = cast(abs(b), f64), rest = fma(-floor(x / y), y, x);
  const Scalar infinity = y.like(std::numeric_limits<double>::infinity());
  const Scalar left = select((y == infinity) & (x < infinity), x, select(rest < 0.0, rest + y, rest));
  return cast(select(a < 0.0, -left, left), a.dtype());
}

/// The same with the sign of `b`.
Scalar modulo(Scalar a, Scalar b) {
  const Scalar rest = remaining(a, b), zero = a.like(0);
  return select((rest != zero) & ((rest < zero) ^ (b < zero)), rest + b, rest);
}

/// d/db of a - n b with n, the quotient, rounded to an integer.
template <class Quotient>
auto remainder_gradient(Quotient quotient) {
  return [quotient](Expr g, Expr a, Expr b, Expr) -> std::pair<Expr, Expr> {
    if (!is_floating(a.value().dtype())) return {g, g};
    return {g, -g * quotient(a, b)};
  };
}

/// The gradient of maximum: none where the operand is below the other, half of g at a tie, else (nan too) all of it.
std::pair<Expr, Expr> maximum_gradient(Expr g, Expr a, Expr b, Expr) {
  const Expr half = g * 0.5, zero = g.like(0), tie = a == b;
  return {select(tie, half, select(a < b, zero, g)), select(tie, half, select(b < a, zero, g))};
}

std::pair<Expr, Expr> minimum_gradient(Expr g, Expr a, Expr b, Expr) {
  const Expr half = g * 0.5, zero = g.like(0), tie = a == b;
  return {select(tie, half, select(b < a, zero, g)), select(tie, half, select(a < b, zero, g))};
}

}  // namespace

Expr floor_of_quotient(Expr a, Expr b) {
  const Expr rest = a.apply("fmod", b), zero = a.like(0);
  const auto both = [&](Expr p, Expr q) { return Expr(a.builder(), a.builder()("and", {p, q})); };
  const Expr beyond = both(rest != zero, Expr(a.builder(), a.builder()("xor", {rest < zero, b < zero})));
  if (!is_floating(a.value().dtype())) {
    const Expr quotient = a / b;
    return select(both(beyond, b != zero), quotient - 1.0, quotient);
  }
  const Expr quotient = (a - rest) / b, below = select(beyond, quotient - 1.0, quotient);
  return select(b == zero, a / b, below.apply("round"));
}

void define_binary_ops(Registry& r) {
  constexpr auto number = Accepts::number;
  OpDef sum =
      binary("add", number, "a + b", [](Scalar a, Scalar b) { return a + b; }, [](Expr g, Expr, Expr, Expr) { return std::pair{g, g}; });
  sum.adds = 1;
  r.add(std::move(sum));
  OpDef difference =
      binary("sub", number, "a - b", [](Scalar a, Scalar b) { return a - b; }, [](Expr g, Expr, Expr, Expr) { return std::pair{g, -g}; });
  difference.adds = -1;
  r.add(std::move(difference));
  OpDef product = binary(
      "mul", number, "a * b", [](Scalar a, Scalar b) { return a * b; },
      [](Expr g, Expr a, Expr b, Expr) { return std::pair{g * b, g * a}; });
  product.bilinear = true;
  r.add(std::move(product));
  OpDef div = binary(
      "div", number, "a / b; of integers: truncated towards zero, and 0 when b is 0", [](Scalar a, Scalar b) { return a / b; },
      [](Expr g, Expr, Expr b, Expr y) { return std::pair{g / b, -g * y / b}; });
  div.sample_low = 0.5, div.sample_high = 3;
  r.add(std::move(div));
  OpDef fmod = binary("fmod", number,
                      "a - n b with n = a / b rounded towards 0, exact while n is below 2^53: it has the sign of a; of an integer by 0: a",
                      remaining, remainder_gradient([](Expr a, Expr b) { return (a / b).apply("trunc"); }));
  fmod.sample_low = 1.1, fmod.sample_high = 1.9;
  r.add(std::move(fmod));
  OpDef remainder = binary("remainder", number,
                           "a - n b with n = a / b rounded down, exact while n is below 2^53: it has the sign of b; of an integer by 0: a",
                           modulo, remainder_gradient(floor_of_quotient));
  remainder.sample_low = 1.1, remainder.sample_high = 1.9;
  r.add(std::move(remainder));
  OpDef pow = binary(
      "pow", Accepts::floating,
      "a^b as C's pow: 0^0 is 1, a negative base takes integer exponents only. The derivative in a "
      "is 0 where b is 0, the derivative in b is 0 where a is 0 and b is not negative",
      [](Scalar a, Scalar b) { return make(Primitive::pow, a.dtype(), {a, b}); },
      [](Expr g, Expr a, Expr b, Expr y) {
        // What is left out is computed of 1, so that the derivatives of these are finite there, too.
        const Expr zero = g.like(0), one = g.like(1), constant = b == 0.0;
        const Expr da = select(constant, zero, g * b * select(constant, one, a).apply("pow", b - 1.0));
        const Expr at_zero{g.builder(), g.builder()("and", {a == 0.0, b.like(0) <= b})};
        return std::pair{da, g * select(at_zero, zero, y * select(at_zero, one, a).apply("log"))};
      });
  pow.autocast = Autocast::wide;
  pow.sample_low = 0.3, pow.sample_high = 2.5, pow.error_ulps = 16;
  r.add(std::move(pow));
  r.add(binary(
      "maximum", number, "The larger of a and b, nan if either is nan; at a tie each gets half the gradient",
      [](Scalar a, Scalar b) { return select((a != a) | (b < a), a, b); }, maximum_gradient));
  r.add(binary(
      "minimum", number, "The smaller of a and b, nan if either is nan; at a tie each gets half the gradient",
      [](Scalar a, Scalar b) { return select((a != a) | (a < b), a, b); }, minimum_gradient));

  r.add(binary(
      "logaddexp", Accepts::floating, "log(e^a + e^b), which does not overflow where it is finite; nan if either is nan",
      [](Scalar a, Scalar b) {
        const Scalar larger = select((a != a) | (b < a), a, b);
        const Scalar gap = select(a == b, a.like(0), abs(a - b));  // inf - inf is nan
        return larger + log1p(exp(-gap));
      },
      [](Expr g, Expr a, Expr b, Expr) { return std::pair{g * (a - b).apply("sigmoid"), g * (b - a).apply("sigmoid")}; }));

  r.add(comparison("eq", "a == b; false where either is nan", [](Scalar a, Scalar b) { return a == b; }));
  r.add(comparison("ne", "a != b; true where either is nan", [](Scalar a, Scalar b) { return a != b; }));
  r.add(comparison("lt", "a < b; false where either is nan", [](Scalar a, Scalar b) { return a < b; }));
  r.add(comparison("le", "a <= b; false where either is nan", [](Scalar a, Scalar b) { return a <= b; }));
  r.add(comparison("gt", "a > b; false where either is nan", [](Scalar a, Scalar b) { return b < a; }));
  r.add(comparison("ge", "a >= b; false where either is nan", [](Scalar a, Scalar b) { return b <= a; }));

  constexpr auto bits = Accepts::bits;
  r.add(binary("and", bits, "a and b: logical of bools, bitwise of integers", [](Scalar a, Scalar b) { return a & b; }, discrete()));
  r.add(binary("or", bits, "a or b: logical of bools, bitwise of integers", [](Scalar a, Scalar b) { return a | b; }, discrete()));
  r.add(
      binary("xor", bits, "a exclusive or b: logical of bools, bitwise of integers", [](Scalar a, Scalar b) { return a ^ b; }, discrete()));
  r.add(binary(
      "shift_left", Accepts::integer, "a shifted left by b bits; 0 when b is negative or not below the width",
      [](Scalar a, Scalar b) { return shift_left(a, b); }, discrete()));
  r.add(binary(
      "shift_right", Accepts::integer, "a shifted right by b bits, filled with zeros; 0 when b is negative or not below the width",
      [](Scalar a, Scalar b) { return shift_right(a, b); }, discrete()));

  OpDef select_op = elementwise(
      "select",
      "a where the condition holds, else b (torch.where). What the branch not taken holds, nan and inf "
      "included, is not seen; its gradient is 0 there",
      {{"condition", Accepts::boolean}, {"a"}, {"b"}}, {}, [](Scalar c, Scalar a, Scalar b) { return select(c, a, b); },
      [](Expr g, Expr c, Expr, Expr, Expr) -> std::vector<Value> { return {Value(), select(c, g, g.like(0)), select(c, g.like(0), g)}; });
  select_op.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.operand(1).dtype == c.operand(2).dtype, "the branches must have equal element types");
    return {c.operand(1)};
  };
  r.add(std::move(select_op));
}

}  // namespace weft::ir
