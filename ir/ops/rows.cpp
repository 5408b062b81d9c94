// Row-sparse gradients: of a table that a step reads a few rows of, the rows and which they are.

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/indexed.h"

namespace weft::ir {
namespace {

void require_rows(const InferContext& c, int index, int rows) {
  const Shape &i = c.shape(index), &r = c.shape(rows);
  c.require(c.operand(index).dtype == i64, "the index must be i64");
  c.require(r.rank() >= i.rank() && Dims(r.begin(), r.begin() + i.rank()) == i.dims(), "the rows' shape must begin with the index's");
}

OpDef row_sparse_op() {
  OpDef op;
  op.name = "row_sparse";
  op.doc =
      "A tensor of `extent` rows that is zero but for `rows`, which stand at `index`; those of equal index are summed "
      "(a torch.sparse_coo_tensor with one sparse axis). Optimizers that update rows take it as it is written here";
  op.operands = {{"index", Accepts::integer, false, "i64", true}, {"rows", Accepts::floating}};
  op.attributes = {{"extent", AttributeKind::integer, {}, "the number of rows"}};
  op.infer = [](const InferContext& c) -> std::vector<Type> {
    require_rows(c, 0, 1);
    const int64_t extent = c.get<int64_t>("extent");
    c.require(extent >= 0, "extent must not be negative");
    Dims dims{extent};
    dims.insert(dims.end(), c.shape(1).begin() + c.shape(0).rank(), c.shape(1).end());
    return {{c.operand(1).dtype, Shape(dims)}};
  };
  op.decompose = [](Builder& b, const Op& o) -> std::vector<Value> {
    return {b("scatter_add", {b.splat(o.result().type(), 0), o.operand(0), o.operand(1)}, {{"axis", int64_t{0}}})};
  };
  op.index_bound = [](const Op& o, int operand) -> std::optional<int64_t> {
    return operand == 0 ? std::optional(o.integer("extent")) : std::nullopt;
  };
  op.error_ulps = 32;  // as scatter_add
  op.autocast = Autocast::follows;
  return op;
}

OpDef coalesce_op() {
  OpDef op;
  op.name = "coalesce";
  op.kind = Kind::heavy;
  op.doc =
      "y[i] is the sum of all rows[j] with index[j] == index[i], f16 and bf16 summed in f32: what torch's coalesce() leaves of equal "
      "rows, at each of their places, so that the shape depends on no data";
  op.operands = {{"index", Accepts::integer, false, "i64", true}, {"rows", Accepts::number}};
  op.attributes = {index_scratch()};
  op.autocast = Autocast::follows;
  op.infer = [](const InferContext& c) -> std::vector<Type> {
    require_rows(c, 0, 1);
    return with_index_scratch(c, c.operand(1));
  };
  // The matrix of equal indices is its own transpose.
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {Value(), c.builder("coalesce", {c.op.operand(0), c.result_gradients[0]})};
  };
  op.error_ulps = 32;
  op.flops = [](const Op& o) { return static_cast<double>(o.operand(1).shape().numel()); };
  return op;
}

/// 1 where no later row has the same index, else 0: those rows that scatter_rows leaves standing, as wide as `rows`.
Expr last_of_index(Builder& b, Value table, Value index, const Shape& rows) {
  const int64_t count = index.shape().numel();
  // From 1, since gather gives 0 for an index outside the table.
  const Expr number = Expr(b, b.reshape(b("iota", {}, {{"shape", Dims{count}}, {"axis", int64_t{0}}}), index.shape())) + 1.0;
  const Value none = b.splat({i64, Shape{table.shape()[0]}}, 0);
  const Expr winner{b, b("gather", {b("scatter_rows", {none, index, number}), index}, {{"axis", int64_t{0}}})};
  Dims thin = index.shape().dims();
  thin.resize(static_cast<size_t>(rows.rank()), 1);
  return {b, b.broadcast(b.reshape(winner == number, Shape(thin)), rows)};
}

OpDef scatter_rows_op() {
  OpDef op;
  op.name = "scatter_rows";
  op.kind = Kind::heavy;
  op.doc =
      "x with its rows at `index` replaced, in row-major order of the index, so that the last row of an index stands "
      "(torch.index_copy along axis 0); an index outside x replaces nothing";
  op.operands = {{"x"}, {"index", Accepts::integer, false, "i64", true}, {"rows"}};
  op.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.shape(0).rank() > 0, "x must have rows");
    require_rows(c, 1, 2);
    c.require(c.operand(2).dtype == c.operand(0).dtype && c.shape(2) == gathered_shape(c.shape(0), c.shape(1), 0),
              "the rows must have x's type, with its first axis replaced by the index's shape");
    return {c.operand(0)};
  };
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    Builder& b = c.builder;
    const Value dy = c.result_gradients[0], index = c.op.operand(1), rows = c.op.operand(2);
    const Expr picked{b, b("gather", {dy, index}, {{"axis", int64_t{0}}})};
    const Expr stands = last_of_index(b, c.op.operand(0), index, rows.shape());
    return {b("scatter_rows", {dy, index, b.zeros_like(rows)}), Value(), select(stands, picked, picked.like(0))};
  };
  op.index_bound = [](const Op& o, int operand) -> std::optional<int64_t> {
    return operand == 1 ? std::optional(o.operand(0).shape()[0]) : std::nullopt;
  };
  op.in_place = 0;
  op.autocast = Autocast::follows;
  op.flops = [](const Op&) { return 0.0; };
  op.bytes = [](const Op& o) { return o.operand(1).type().bytes() + 2 * o.operand(2).type().bytes(); };
  op.error_ulps = 0;
  return op;
}

}  // namespace

void define_row_ops(Registry& r) {
  r.add(row_sparse_op());
  r.add(coalesce_op());
  r.add(scatter_rows_op());
}

}  // namespace weft::ir
