// Contractions: what a library runs.

#include "weft/ir/ops/contraction.h"

#include "weft/ir/ops/families.h"
#include "weft/support/slices.h"

namespace weft::ir {
namespace {

/// The results, and the memory that the library works in as one more.
std::vector<Type> with_scratch(const InferContext& c, std::vector<Type> results) {
  const int64_t bytes = c.get<int64_t>("scratch"), slices = c.get<int64_t>("slices");
  c.require(slices >= 1 && slices <= most_slices, fmt::format("slices must be 1 to {}, not {}", most_slices, slices));
  c.require(bytes >= 0, "scratch must not be negative");
  if (bytes > 0) results.push_back({u8, Shape{bytes}});
  return results;
}

std::vector<Type> infer_matmul(const InferContext& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  c.require(a.rank() >= 2 && b.rank() == a.rank(), "the operands must have equal ranks of at least 2");
  c.require(c.operand(0).dtype == c.operand(1).dtype, "the operands must have equal element types");
  const auto [m, inner_a] = MatrixExtents::of(a, c.get<bool>("transpose_a"));
  const auto [inner_b, n] = MatrixExtents::of(b, c.get<bool>("transpose_b"));
  c.require(inner_a == inner_b, "the inner extents must agree");
  Dims shape = batch_axes(a);
  c.require(shape == batch_axes(b), "the batch extents must agree");
  shape.push_back(m), shape.push_back(n);
  const Type product{c.operand(0).dtype, Shape(shape)};
  if (c.bodies().empty()) {
    c.require(c.count() == 2, "epilogue operands need an epilogue body");
    return with_scratch(c, {product});
  }
  const Graph& body = *c.bodies()[0];
  c.require(c.bodies().size() == 1 && static_cast<int>(body.inputs().size()) == c.count() - 1 && body.input(0).type() == product &&
                !body.outputs().empty(),
            "there must be one epilogue, with an output: its inputs must be the product and the further operands");
  for (int i = 2; i < c.count(); ++i)
    c.require(body.input(i - 1).type() == c.operand(i), "the epilogue's inputs must have the operands' types");
  std::vector<Type> results;
  for (const Output& output : body.outputs()) results.push_back(output.value.type());
  return with_scratch(c, std::move(results));
}

std::vector<Value> matmul_gradient(GradientContext& c) {
  if (!c.op.bodies().empty())
    throw Error("matmul's epilogue has no gradient: fusion comes after differentiation").at(to_string(c.op.locations()));
  const Value a = c.op.operand(0), b = c.op.operand(1), g = c.result_gradients[0];
  const MatrixProduct p = matrix_product_of(c.op);
  const bool ta = p.transpose_a, tb = p.transpose_b;
  const auto product = [&](Value x, Value y, bool tx, bool ty) {
    return c.builder("matmul", {x, y}, {{"transpose_a", tx}, {"transpose_b", ty}});
  };
  // With A' and B' the operands as multiplied: dA' = g B'^T and dB' = A'^T g, transposed back where needed.
  return {ta ? product(b, g, tb, true) : product(g, b, false, !tb), tb ? product(g, a, true, ta) : product(a, g, !ta, false)};
}

Value transposed(Builder& b, Value v) { return b("transpose", {v}, {{"permutation", matrix_transposition(v.shape().rank())}}); }

std::vector<Value> decompose_matmul(Builder& b, const Op& op) {
  // Products of bf16 are summed in f32, as a library would.
  const DType wide = computed_in(op.operand(0).dtype());
  Value x = b.cast(op.operand(0), wide), y = b.cast(op.operand(1), wide);
  const MatrixProduct p = matrix_product_of(op);
  if (p.transpose_a) x = transposed(b, x);
  if (!p.transpose_b) y = transposed(b, y);
  const size_t rank = x.shape().dims().size();
  Dims rows = x.shape().dims(), columns = y.shape().dims();
  Dims all(rows.begin(), rows.end() - 1);
  all.push_back(columns[rank - 2]);
  all.push_back(rows[rank - 1]);
  rows.insert(rows.end() - 1, 1);
  columns.insert(columns.end() - 2, 1);
  const Value left = b.broadcast(b.reshape(x, Shape(rows)), Shape(all));
  const Value right = b.broadcast(b.reshape(y, Shape(columns)), Shape(all));
  const Value product = b.cast(b.sum(b("mul", {left, right}), {static_cast<int64_t>(rank)}), op.operand(0).dtype());
  if (op.bodies().empty()) return {product};
  std::vector<Value> operands = op.operands();
  operands.erase(operands.begin());
  operands[0] = product;
  return inline_body(op.body(), operands, b.graph(), b.insertion_point());
}

}  // namespace

MatrixProduct matrix_product_of(const Op& op) {
  return MatrixProduct::of(op.operand(0).shape(), op.operand(1).shape(), op.flag("transpose_a"), op.flag("transpose_b"));
}

void define_contraction_ops(Registry& r) {
  OpDef matmul;
  matmul.name = "matmul";
  matmul.kind = Kind::heavy;
  matmul.doc =
      "Product of the matrices a [..., m, k] and b [..., k, n], leading axes batched; f32 accumulation for "
      "bf16. An optional body, the epilogue, is applied to the product and the further operands; its outputs are the results";
  matmul.operands = {{"a", Accepts::number}, {"b", Accepts::number}, {"extra", Accepts::any, true, "epilogue operands"}};
  matmul.attributes = {
      {"transpose_a", AttributeKind::boolean, Attribute(false), "a is [..., k, m]"},
      {"transpose_b", AttributeKind::boolean, Attribute(false), "b is [..., n, k]"},
      {"slices", AttributeKind::integer, Attribute(int64_t{1}), "parts of the result that threads compute on their own", {}, true},
      {"scratch",
       AttributeKind::integer,
       Attribute(int64_t{0}),
       "bytes that the library works in: one more result, which nobody reads",
       {},
       true},
      {"algorithm",
       AttributeKind::text,
       Attribute(std::string()),
       "by which the library computes it, where it was asked to choose",
       {},
       true}};
  matmul.infer = infer_matmul;
  matmul.gradient = matmul_gradient;
  matmul.decompose = decompose_matmul;
  matmul.flops = [](const Op& op) { return matrix_product_of(op).flops(); };
  matmul.bilinear = true;
  matmul.autocast = Autocast::low;
  matmul.takes_epilogue = true;
  matmul.error_ulps = 64;
  r.add(std::move(matmul));
}

}  // namespace weft::ir
