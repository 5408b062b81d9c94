// Reductions along axes. The order of combination is fixed by the shape (support/reduction_order.h).

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/moments.h"
#include "weft/ir/ops/movements.h"

namespace weft::ir {
namespace {

/// `v`, which has the shape of op's result, over the reduced axes.
Expr broadcast_back(Builder& b, const Op& op, Value v) { return broadcast_over_axes({b, v}, {b, op.operand(0)}, op.dims("axes")); }

double count_of(const Op& op) {
  double count = 1;
  for (int64_t axis : op.dims("axes")) count *= static_cast<double>(op.operand(0).shape()[static_cast<int>(axis)]);
  return count;
}

/// var: what the sum of squares is divided by.
double freedom(const Op& op) { return std::max(count_of(op) - op.real("correction"), 0.0); }

/// var: of its operand.
Moments moments(Builder& b, const Op& op) { return Moments(b, op.operand(0), op.dims("axes")); }

/// prod: the product of all other elements over the axes, by no division, for x may hold zeros.
Expr product_of_others(Expr x, const Dims& axes) {
  Builder& b = x.builder();
  const Shape& shape = x.value().shape();
  Dims order, joined;
  for (int64_t d = 0; d < shape.rank(); ++d)
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) order.push_back(d), joined.push_back(shape[static_cast<int>(d)]);
  const int last = static_cast<int>(joined.size());
  order.insert(order.end(), axes.begin(), axes.end());
  Dims back(order.size()), moved;
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  int64_t count = 1;
  for (int64_t axis : axes) count *= shape[static_cast<int>(axis)];
  joined.push_back(count);
  const Value rows = b("transpose", {x}, {{"permutation", order}}), flat = b.reshape(rows, Shape(joined));
  const auto beside = [&](bool from_end) {
    return Expr(b, scan(b, shifted(b, flat, last, from_end ? -1 : 1, 1), last, "mul", 1, from_end));
  };
  return {b, b("transpose", {b.reshape(beside(false) * beside(true), rows.shape())}, {{"permutation", back}})};
}

/// A composite with the attributes of a reduction.
OpDef along_axes(std::string name, std::string doc) {
  OpDef def{.name = std::move(name), .kind = Kind::composite, .doc = std::move(doc), .operands = {{"x", Accepts::floating}}};
  def.attributes = reduction_attributes();
  def.infer = infer_reduction;
  def.autocast = Autocast::wide;
  return def;
}

/// max and min: the gradient is shared evenly among the elements that attain the extreme.
Expr extreme_gradient(Expr g, Expr x, Expr y, const AttributeView& a) {
  const Dims& axes = a.dims("axes");
  const auto stretched = [&](Expr reduced) { return broadcast_over_axes(reduced, x, axes); };
  const Expr hit{x.builder(), x.builder().cast(x == stretched(y), x.value().dtype())};
  return stretched(g) * hit / stretched(hit.apply("sum", {{"axes", axes}, {"keep_dims", a.flag("keep_dims")}}));
}

OpDef extreme(std::string name, std::string doc, Scalar (*combine)(Scalar, Scalar), double (*identity)(DType)) {
  OpDef def = reduction(std::move(name), std::move(doc), Accepts::number, combine, identity, extreme_gradient);
  def.autocast = Autocast::follows;  // exact in any type
  def.infer = [](const InferContext& c) {
    for (int64_t axis : c.get<Dims>("axes"))
      c.require(axis < 0 || axis >= c.shape(0).rank() || c.shape(0)[static_cast<int>(axis)] > 0,
                "cannot reduce an empty axis: it has no extreme");
    return infer_reduction(c);
  };
  def.error_ulps = 0;
  return def;
}

}  // namespace

void define_reduction_ops(Registry& r) {
  OpDef sum = reduction(
      "sum", "Sum of x over `axes`; of no elements: 0. f16 and bf16 accumulate in f32", Accepts::number,
      [](Scalar a, Scalar b) { return a + b; }, [](DType) { return 0.0; },
      [](Expr g, Expr x, Expr, const AttributeView& a) { return broadcast_over_axes(g, x, a.dims("axes")); });
  sum.linear = true;
  sum.autocast = Autocast::wide;
  sum.error_ulps = 32;
  r.add(std::move(sum));

  OpDef prod = reduction(
      "prod", "Product of x over `axes`; of no elements: 1. f16 and bf16 multiply in f32", Accepts::number,
      [](Scalar a, Scalar b) { return a * b; }, [](DType) { return 1.0; },
      [](Expr g, Expr x, Expr, const AttributeView& a) -> Value {
        if (x.value().shape().numel() == 0) return x.like(0);
        return broadcast_over_axes(g, x, a.dims("axes")) * product_of_others(x, a.dims("axes"));
      });
  prod.autocast = Autocast::wide;
  r.add(std::move(prod));

  r.add(extreme(
      "max", "Largest element of x over `axes` (torch.amax); nan if one is nan",
      [](Scalar a, Scalar b) { return select((a != a) | (b < a), a, b); }, [](DType) { return -std::numeric_limits<double>::infinity(); }));
  r.add(extreme(
      "min", "Smallest element of x over `axes` (torch.amin); nan if one is nan",
      [](Scalar a, Scalar b) { return select((a != a) | (a < b), a, b); }, [](DType) { return std::numeric_limits<double>::infinity(); }));

  OpDef mean = along_axes("mean", "Arithmetic mean of x over `axes`; of no elements: nan");
  mean.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Expr total{b, b("sum", {op.operand(0)}, {{"axes", op.dims("axes")}, {"keep_dims", op.flag("keep_dims")}})};
    return {total / count_of(op)};
  };
  mean.error_ulps = 32;
  r.add(std::move(mean));

  OpDef var = along_axes("var", "Variance of x over `axes`: the sum of (x - mean)^2 divided by max(count - correction, 0)");
  var.attributes.push_back({"correction", AttributeKind::real, Attribute(1.0), "1: unbiased by Bessel's correction; 0: the mean square"});
  var.infer = [](const InferContext& c) {
    c.require(std::isfinite(c.get<double>("correction")), "the correction must be finite");
    return infer_reduction(c);
  };
  var.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    return {b.reshape(moments(b, op).squares() / freedom(op), op.result().shape())};
  };
  var.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Expr g = broadcast_back(c.builder, c.op, c.result_gradients[0]);
    // As in PyTorch, by the difference itself, also where it is negative and the variance infinite.
    return {g * 2.0 / (count_of(c.op) - c.op.real("correction")) * moments(c.builder, c.op).centered()};
  };
  var.error_ulps = 64;
  r.add(std::move(var));

  OpDef argmax;
  argmax.name = "argmax";
  argmax.doc = "Index of the largest element of x along `axis`, the first of several; a nan counts as largest";
  argmax.operands = {{"x", Accepts::number}};
  argmax.attributes = {{"axis", AttributeKind::integer, {}, "not negative"},
                       {"keep_dims", AttributeKind::boolean, Attribute(false), "keep the axis with extent 1"}};
  argmax.infer = [](const InferContext& c) -> std::vector<Type> {
    const int64_t axis = c.get<int64_t>("axis");
    const Shape shape = reduced_shape(c, {axis}, c.get<bool>("keep_dims"));
    c.require(c.shape(0)[static_cast<int>(axis)] > 0, "cannot take argmax of an empty axis");
    return {{i64, shape}};
  };
  argmax.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Value x = op.operand(0);
    const Dims axes{op.integer("axis")};
    const Value largest = b.broadcast(b("max", {x}, {{"axes", axes}, {"keep_dims", true}}), x.shape());
    Value hit = b("eq", {x, largest});
    if (is_floating(x.dtype())) hit = b("or", {hit, b("is_nan", {x})});
    const Value index = b("iota", {}, {{"shape", x.shape().dims()}, {"axis", axes[0]}});
    const Value beyond = b.splat(index.type(), static_cast<double>(x.shape()[static_cast<int>(axes[0])]));
    return {b("min", {b("select", {hit, index, beyond})}, {{"axes", axes}, {"keep_dims", op.flag("keep_dims")}})};
  };
  argmax.no_gradient = "its result is an index";
  argmax.autocast = Autocast::follows;
  r.add(std::move(argmax));
}

}  // namespace weft::ir
