// Losses. Semantics and defaults follow torch.nn.functional.

#include <numeric>

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

const AttributeSpec reduction_attribute{"reduction", AttributeKind::text, Attribute(std::string("mean")),
                                        "what becomes of the samples' losses", {"mean", "sum", "none"}};

Type reduced(const InferContext& c, Type each) {
  return c.get<std::string>("reduction") == "none" ? each : Type{each.dtype, {}};
}

Value reduce(Builder& b, const Op& op, Value each) {
  const auto& how = op.attribute<std::string>("reduction");
  if (how == "none") return each;
  Dims axes(each.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return b(how, {each}, {{"axes", axes}});
}

}  // namespace

void define_loss_ops(Registry& r) {
  OpDef mse;
  mse.name = "mse_loss";
  mse.doc = "(input - target)^2, reduced";
  mse.operands = {{"input", Accepts::floating}, {"target", Accepts::floating}};
  mse.attributes = {reduction_attribute};
  mse.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.operand(0) == c.operand(1), "input and target must have one type and shape");
    return {reduced(c, c.operand(0))};
  };
  mse.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    return {reduce(b, op, (Expr(b, op.operand(0)) - Expr(b, op.operand(1))).apply("square"))};
  };
  mse.error_ulps = 32;
  r.add(std::move(mse));

  OpDef ce;
  ce.name = "cross_entropy";
  ce.doc = "-log softmax(input)[target] with classes along axis 1 (axis 0 for one sample), reduced; target holds "
           "class indices. An index outside the classes gives nan";
  ce.operands = {{"input", Accepts::floating, false, "[N, C, ...] or [C]"},
                 {"target", Accepts::integer, false, "i64, [N, ...] or []", true}};
  ce.attributes = {reduction_attribute};
  ce.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.shape(0).rank() >= 1, "input needs a class axis");
    const auto axis = c.shape(0).rank() == 1 ? 0 : 1;
    Dims each = c.shape(0).dims();
    each.erase(each.begin() + axis);
    c.require(c.operand(1) == Type{i64, Shape(each)}, "target must be i64" + weft::to_string(each) + ", one class index a sample");
    return {reduced(c, {c.operand(0).dtype, Shape(each)})};
  };
  ce.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Value input = op.operand(0);
    const Shape& shape = input.shape();
    const int64_t axis = shape.rank() == 1 ? 0 : 1;
    const Expr log_p{b, b("log_softmax", {input}, {{"axis", axis}})};
    Dims column = shape.dims();
    column[static_cast<size_t>(axis)] = 1;
    const Value target = op.operand(1);
    const Value index = b.broadcast(b.reshape(target, Shape(column)), shape);
    const Value counted = b("iota", {}, {{"shape", shape.dims()}, {"axis", axis}});
    const Expr picked = select({b, b("eq", {index, counted})}, -log_p, log_p.like(0));
    const Expr each{b, b.sum(picked, {axis})};
    // A class that does not exist must not pass as a loss of zero.
    const Expr t{b, target};
    const Expr valid{b, b("and", {t.like(0) <= t, t < static_cast<double>(shape[static_cast<int>(axis)])})};
    return {reduce(b, op, select(valid, each, each.like(std::numeric_limits<double>::quiet_NaN())))};
  };
  ce.index_bound = [](const Op& op, int operand) -> std::optional<int64_t> {
    const Shape& shape = op.operand(0).shape();
    if (operand != 1) return std::nullopt;
    return shape[shape.rank() == 1 ? 0 : 1];
  };
  ce.error_ulps = 64;
  r.add(std::move(ce));
}

}  // namespace weft::ir
