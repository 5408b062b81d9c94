// Losses. Semantics and defaults follow torch.nn.functional.

#include <numeric>

#include "weft/ir/class_axis.h"
#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

AttributeSpec reduction_attribute() {
  return {"reduction", AttributeKind::text, Attribute(std::string("mean")), "what becomes of the samples' losses", {"mean", "sum", "none"}};
}

Type reduced(const InferContext& c, Type each) { return c.get<std::string>("reduction") == "none" ? each : Type{each.dtype, {}}; }

Value reduce(Builder& b, const Op& op, Value each) {
  const auto& how = op.attribute<std::string>("reduction");
  if (how == "none") return each;
  Dims axes(each.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return b(how, {each}, {{"axes", axes}});
}

/// A loss of scores for classes and the indices of the right ones.
OpDef class_loss(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"input", Accepts::floating, false, "[N, C, ...] or [C]"},
                  {"target", Accepts::integer, false, "i64, [N, ...] or []", true}};
  def.attributes = {reduction_attribute()};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.shape(0).rank() >= 1, "input needs a class axis");
    Dims each = c.shape(0).dims();
    each.erase(each.begin() + class_axis(c.shape(0)));
    c.require(c.operand(1) == Type{i64, Shape(each)}, "target must be i64" + weft::to_string(each) + ", one class index a sample");
    return {reduced(c, {c.operand(0).dtype, Shape(each)})};
  };
  def.index_bound = [](const Op& op, int operand) -> std::optional<int64_t> {
    if (operand != 1) return std::nullopt;
    const Shape& shape = op.operand(0).shape();
    return shape[static_cast<int>(class_axis(shape))];
  };
  def.error_ulps = 64;
  def.autocast = Autocast::wide;
  return def;
}

}  // namespace

void define_loss_ops(Registry& r) {
  OpDef mse;
  mse.name = "mse_loss";
  mse.doc = "(input - target)^2, reduced";
  mse.operands = {{"input", Accepts::floating}, {"target", Accepts::floating}};
  mse.attributes = {reduction_attribute()};
  mse.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.operand(0) == c.operand(1), "input and target must have one type and shape");
    return {reduced(c, c.operand(0))};
  };
  mse.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    return {reduce(b, op, (Expr(b, op.operand(0)) - Expr(b, op.operand(1))).apply("square"))};
  };
  mse.error_ulps = 32;
  mse.autocast = Autocast::wide;
  r.add(std::move(mse));

  OpDef nll = class_loss("nll_loss",
                         "-input[target] with classes along axis 1 (axis 0 for one sample), reduced; input holds "
                         "log-probabilities, target class indices. An index outside the classes gives nan");
  nll.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Expr log_p{b, op.operand(0)};
    const Shape& shape = op.operand(0).shape();
    const int64_t axis = class_axis(shape);
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
  r.add(std::move(nll));

  OpDef ce = class_loss("cross_entropy",
                        "-log softmax(input)[target] with classes along axis 1 (axis 0 for one sample), "
                        "reduced; target holds class indices. An index outside the classes gives nan");
  ce.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Value log_p = b("log_softmax", {op.operand(0)}, {{"axis", class_axis(op.operand(0).shape())}});
    return {b("nll_loss", {log_p, op.operand(1)}, {{"reduction", op.attribute<std::string>("reduction")}})};
  };
  r.add(std::move(ce));

  OpDef bce;
  bce.name = "binary_cross_entropy";
  bce.kind = Kind::elementwise;
  bce.doc =
      "-(target log(x) + (1 - target) log(1 - x)) for a probability x, logarithms not below -100; the derivative in x is "
      "(x - target) / max((1 - x) x, 1e-12)";
  bce.operands = {{.name = "x", .accepts = Accepts::floating, .doc = "in [0, 1]", .range = {{0, 1}}},
                  {.name = "target", .accepts = Accepts::floating, .doc = "in [0, 1]", .range = {{0, 1}}}};
  bce.scalar = [](std::span<const Scalar> v, const AttributeView&) {
    const Scalar x = v[0], t = v[1], least = x.like(-100);
    const auto clamped = [&](Scalar l) { return select(l < least, least, l); };
    return (t - t.like(1)) * clamped(unary(Primitive::log1p, -x)) - t * clamped(unary(Primitive::log, x));
  };
  bce.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Expr g{c.builder, c.result_gradients[0]}, x{c.builder, c.op.operand(0)}, t{c.builder, c.op.operand(1)};
    // PyTorch's bound is an f32.
    const Expr variance = ((1.0 - x) * x).apply("maximum", x.like(static_cast<double>(1e-12f)));
    return {g * (x - t) / variance, g * ((-x).apply("log1p") - x.apply("log"))};
  };
  bce.autocast = Autocast::wide;
  bce.sample_low = 0.1, bce.sample_high = 0.9, bce.error_ulps = 32;
  r.add(std::move(bce));
}

}  // namespace weft::ir
