// Ops that a program registers, for the walks over the registry.

#include "weft/ir/define.h"
#include "weft/ir/registry.h"

namespace weft::ir {
namespace {

OpDef product() {
  OpDef def = reduction(
      "acme.product", "The product of x over `axes`", Accepts::number, [](Scalar a, Scalar b) { return a * b; }, [](DType) { return 1.0; },
      [](Expr g, Expr x, Expr y, const AttributeView& a) { return broadcast_over_axes(g * y, x, a.dims("axes")) / x; });
  def.error_ulps = 32;
  def.autocast = Autocast::wide;
  return def;
}

const OpDef* const ops[] = {
    &register_op(elementwise(
                     "acme.swish", "x * sigmoid(beta x)", {{"x", Accepts::floating}}, {attribute("beta", 1.5, "how steep")},
                     [](Scalar x, const AttributeView& a) { return x / (1.0 + exp(-x * a.real("beta"))); },
                     [](Expr g, Expr x, Expr y, const AttributeView& a) {
                       const double beta = a.real("beta");
                       const Expr s = (x * beta).apply("sigmoid");
                       return g * (s + y * beta * (1.0 - s));
                     }),
                 {"registered.cpp", __LINE__}),
    &register_op(elementwise(
                     "acme.log_add", "log(e^a + e^b)", {{"a", Accepts::floating}, {"b", Accepts::floating}}, {},
                     [](Scalar a, Scalar b) { return a + log1p(exp(b - a)); },
                     [](Expr g, Expr a, Expr b, Expr y) { return std::pair{g * (a - y).apply("exp"), g * (b - y).apply("exp")}; }),
                 {"registered.cpp", __LINE__}),
    &register_op(product(), {"registered.cpp", __LINE__}),
};

}  // namespace
}  // namespace weft::ir
