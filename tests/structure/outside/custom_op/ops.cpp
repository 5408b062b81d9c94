#include "ops.h"

using namespace weft;
using ir::Accepts, ir::AttributeView, ir::Expr, ir::Scalar;

namespace {

const ir::OpDef& swish_op = register_op(ir::elementwise(
    "acme.swish", "x * sigmoid(beta x)", {{"x", Accepts::floating}}, {ir::attribute("beta", 1.0, "how steep")},
    [](Scalar x, const AttributeView& a) { return x / (1.0 + exp(-x * a.real("beta"))); },
    [](Expr g, Expr x, Expr y, const AttributeView& a) {
      const double beta = a.real("beta");
      const Expr s = (x * beta).apply("sigmoid");
      return g * (s + y * beta * (1.0 - s));
    }));

const ir::OpDef& unit_op =
    register_op(ir::composite("acme.unit", "x / sqrt(mean(x^2) + eps), the mean along the last axis", {{"x", Accepts::floating}},
                              {ir::attribute("eps", 1e-6, "keeps the root away from 0")}, [](Expr x, const AttributeView& a) {
                                const Dims last{x.value().shape().rank() - 1};
                                const Expr squares = (x * x).apply("mean", {{"axes", last}, {"keep_dims", true}});
                                return x * (squares + a.real("eps")).apply("rsqrt").broadcast(x.value().shape());
                              }));

}  // namespace

Tensor acme::swish(Arg x, double beta) { return call(swish_op.name, {x}, {{"beta", beta}}); }
Tensor acme::unit(Arg x, double eps) { return call(unit_op.name, {x}, {{"eps", eps}}); }
