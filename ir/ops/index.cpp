// Ops whose reads or writes are placed by data.

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/indexed.h"

namespace weft::ir {

Shape gathered_shape(const Shape& x, const Shape& index, int64_t axis) {
  Dims shape(x.dims().begin(), x.dims().begin() + axis);
  shape.insert(shape.end(), index.begin(), index.end());
  shape.insert(shape.end(), x.dims().begin() + axis + 1, x.dims().end());
  return Shape(shape);
}

AttributeSpec index_scratch() {
  return {"scratch", AttributeKind::integer, Attribute(int64_t{0}), "bytes to sort the index in: a second result, which nobody reads", {},
          true};
}

std::vector<Type> with_index_scratch(const InferContext& c, const Type& result) {
  const int64_t scratch = c.get<int64_t>("scratch");
  c.require(scratch >= 0, "scratch must not be negative");
  std::vector<Type> types{result};
  if (scratch) types.push_back({u8, Shape{scratch}});
  return types;
}

namespace {

std::optional<int64_t> bound_by_axis(const Op& op, int operand) {
  if (operand != 1) return std::nullopt;
  return op.operand(0).shape()[static_cast<int>(op.integer("axis"))];
}

void require_axis(const InferContext& c) {
  const int64_t axis = c.get<int64_t>("axis");
  c.require(axis >= 0 && axis < c.shape(0).rank(), fmt::format("axis {} is out of range", axis));
  c.require(c.operand(1).dtype == i64, "the index must be i64");
}

}  // namespace

void define_index_ops(Registry& r) {
  const AttributeSpec axis{"axis", AttributeKind::integer, Attribute(int64_t{0}), "the indexed axis"};

  OpDef gather;
  gather.name = "gather";
  gather.kind = Kind::heavy;
  gather.doc =
      "Slices of x along `axis` picked by index (torch.index_select, for an index of any rank); an index "
      "outside the axis gives nan (0 for integers)";
  gather.operands = {{"x"}, {"index", Accepts::integer, false, "i64", true}};
  gather.attributes = {axis, {"sparse", AttributeKind::boolean, Attribute(false), "the gradient is row_sparse, which needs axis 0"}};
  gather.infer = [](const InferContext& c) -> std::vector<Type> {
    require_axis(c);
    c.require(!c.get<bool>("sparse") || c.get<int64_t>("axis") == 0, "a sparse gradient needs axis 0");
    return {{c.operand(0).dtype, gathered_shape(c.shape(0), c.shape(1), c.get<int64_t>("axis"))}};
  };
  gather.gradient = [](GradientContext& c) -> std::vector<Value> {
    if (c.op.flag("sparse"))
      return {c.builder("row_sparse", {c.op.operand(1), c.result_gradients[0]}, {{"extent", c.op.operand(0).shape()[0]}}), Value()};
    return {c.builder("scatter_add", {c.builder.zeros_like(c.op.operand(0)), c.op.operand(1), c.result_gradients[0]},
                      {{"axis", c.op.integer("axis")}}),
            Value()};
  };
  gather.index_bound = bound_by_axis;
  gather.flops = [](const Op&) { return 0.0; };
  gather.bytes = [](const Op& op) { return op.operand(1).type().bytes() + 2 * op.result().type().bytes(); };
  gather.error_ulps = 0;
  gather.autocast = Autocast::follows;
  r.add(std::move(gather));

  OpDef scatter;
  scatter.name = "scatter_add";
  scatter.kind = Kind::heavy;
  scatter.doc =
      "x with `updates` added to its slices along `axis` at index (torch.index_add); an index outside the axis adds "
      "nothing. Those of one index are summed on their own, f16 and bf16 in f32";
  scatter.operands = {{"x", Accepts::number}, {"index", Accepts::integer, false, "i64", true}, {"updates", Accepts::number}};
  scatter.attributes = {axis, index_scratch()};
  scatter.infer = [](const InferContext& c) -> std::vector<Type> {
    require_axis(c);
    c.require(c.operand(2).dtype == c.operand(0).dtype && c.shape(2) == gathered_shape(c.shape(0), c.shape(1), c.get<int64_t>("axis")),
              "the updates must have x's type with the axis replaced by the index's shape");
    return with_index_scratch(c, c.operand(0));
  };
  scatter.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {c.result_gradients[0], Value(),
            c.builder("gather", {c.result_gradients[0], c.op.operand(1)}, {{"axis", c.op.integer("axis")}})};
  };
  scatter.index_bound = bound_by_axis;
  scatter.in_place = 0;
  scatter.autocast = Autocast::follows;
  scatter.error_ulps = 32;
  scatter.flops = [](const Op& op) { return static_cast<double>(op.operand(2).shape().numel()); };
  scatter.bytes = [](const Op& op) { return op.operand(1).type().bytes() + 3 * op.operand(2).type().bytes(); };
  r.add(std::move(scatter));

  OpDef one_hot;
  one_hot.name = "one_hot";
  one_hot.doc = "A new last axis with 1 where its index equals the operand, else 0; zeros alone for an index outside the classes";
  one_hot.operands = {{"index", Accepts::integer, false, "i64", true}};
  one_hot.attributes = {{"classes", AttributeKind::integer, {}, "the new axis's extent"},
                        {"dtype", AttributeKind::dtype, Attribute(i64), "the result's element type"}};
  one_hot.infer = [](const InferContext& c) -> std::vector<Type> {
    Dims shape = c.shape(0).dims();
    shape.push_back(c.get<int64_t>("classes"));
    c.require(c.operand(0).dtype == i64, "the index must be i64");
    return {{c.get<DType>("dtype"), Shape(shape)}};
  };
  one_hot.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Shape& shape = op.result().shape();
    Dims column = op.operand(0).shape().dims();
    column.push_back(1);
    const Value index = b.broadcast(b.reshape(op.operand(0), Shape(column)), shape);
    const Value counted = b("iota", {}, {{"shape", shape.dims()}, {"axis", int64_t{shape.rank() - 1}}});
    return {b.cast(b("eq", {index, counted}), op.attribute<DType>("dtype"))};
  };
  one_hot.no_gradient = "its operand is an index";
  one_hot.autocast = Autocast::follows;
  one_hot.index_bound = [](const Op& op, int) -> std::optional<int64_t> { return op.integer("classes"); };
  r.add(std::move(one_hot));

  OpDef checked;
  checked.name = "checked_index";
  checked.doc =
      "x, whose elements must be indices below `below`; with `ascending` also 0 at first, and none smaller than the one before. What is "
      "fed is checked, what is computed is taken as it is";
  checked.operands = {{"x", Accepts::integer, false, "i64", true}};
  checked.attributes = {{"below", AttributeKind::integer, {}, "their bound"},
                        {"ascending", AttributeKind::boolean, Attribute(false), "where parts of something begin"},
                        {"what", AttributeKind::text, Attribute(std::string("indices")), "they are, for messages: lengths, labels"}};
  checked.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.operand(0).dtype == i64, "the index must be i64");
    c.require(c.get<int64_t>("below") >= 0, "the bound must not be negative");
    c.require(!c.get<bool>("ascending") || c.shape(0).rank() == 1, "what ascends must have one axis");
    return {c.operand(0)};
  };
  checked.decompose = [](Builder&, const Op& op) -> std::vector<Value> { return {op.operand(0)}; };
  checked.no_gradient = "its operand is an index";
  checked.autocast = Autocast::follows;
  checked.index_bound = [](const Op& op, int) -> std::optional<int64_t> { return op.integer("below"); };
  r.add(std::move(checked));
}

}  // namespace weft::ir
