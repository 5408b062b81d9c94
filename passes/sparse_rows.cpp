#include "weft/passes/sparse_rows.h"

#include "weft/ir/builder.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// The one number that all elements of `v` are, or null.
Value uniform_of(Value v) {
  while (!v.is_input() && v.shape().rank() > 0 && v.op()->def().broadcasts) v = v.op()->operand(0);
  return v.shape().rank() == 0 ? v : Value();
}

SparseRows joined(Builder& b, const SparseRows& first, const SparseRows& second) {
  const auto flat = [&](const SparseRows& s) -> SparseRows {
    const int64_t count = s.index.shape().numel();
    Dims dims{count};
    dims.insert(dims.end(), s.rows.shape().begin() + s.index.shape().rank(), s.rows.shape().end());
    return {b.reshape(s.index, Shape{count}), b.reshape(s.rows, Shape(dims))};
  };
  const SparseRows x = flat(first), y = flat(second);
  const auto concat = [&](Value p, Value q) { return b("concat", {p, q}, {{"axis", int64_t{0}}}); };
  return {concat(x.index, y.index), concat(x.rows, y.rows)};
}

SparseRows scaled(Builder& b, const SparseRows& sparse, Value number) {
  return {sparse.index, b("mul", {sparse.rows, b.broadcast(number, sparse.rows.shape())})};
}

}  // namespace

SparseRows rows_of(ir::Graph& graph, Value gradient, const std::string& wanted) {
  if (gradient.is_input()) throw Error("{}, not the input '{}'", wanted, gradient.name());
  const Op& op = *gradient.op();
  Builder b(graph, nullptr, op.locations());
  if (op.is("row_sparse")) return {op.operand(0), op.operand(1)};
  if (op.def().adds == 1) return joined(b, rows_of(graph, op.operand(0), wanted), rows_of(graph, op.operand(1), wanted));
  if (op.def().multiplies())
    for (int i = 0; i < 2; ++i)
      if (const Value number = uniform_of(op.operand(1 - i))) return scaled(b, rows_of(graph, op.operand(i), wanted), number);
  throw Error("{}; {} at {} makes it dense. An embedding with `.sparse = true` that is used for nothing else has one", wanted, op.name(),
              to_string(op.locations()))
      .hint("optim::Adam takes dense ones");
}

}  // namespace weft::passes
