// Equations of ops that move elements.

#include <algorithm>
#include <numeric>

#include "weft/passes/rewrites.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

const Op* producer(Value v, std::string_view op) { return !v.is_input() && v.op()->is(op) ? v.op() : nullptr; }

Value same_shape(Builder&, const Op& op) { return op.operand(0).shape() == op.result().shape() ? op.operand(0) : Value(); }

/// A splat stays a splat however its elements are moved; padding must not bring in another number.
Value moved_splat(Builder& b, const Op& op) {
  const Op* c = producer(op.operand(0), "constant");
  if (!c || !c->attribute<ir::Dense>("value").is_splat() || op.operand(0).shape().numel() == 0) return {};
  const auto& d = c->attribute<ir::Dense>("value");
  const ir::Type& t = op.result().type();
  return b("constant", {}, {{"value", is_floating(t.dtype) ? ir::Dense::splat(t, d.at(0)) : ir::Dense::splat_integer(t, d.integer_at(0))}});
}

Value broadcast_twice(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "broadcast");
  return inner ? b.broadcast(inner->operand(0), op.result().shape()) : Value();
}

Value reshape_twice(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "reshape");
  return inner ? b.reshape(inner->operand(0), op.result().shape()) : Value();
}

/// Broadcasting aligns from the right, so leading ones that a reshape added mean nothing.
Value broadcast_of_leading_ones(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "reshape");
  if (!inner) return {};
  const Dims &from = inner->operand(0).shape().dims(), &to = inner->result().shape().dims();
  if (to.size() <= from.size() || !std::equal(from.rbegin(), from.rend(), to.rbegin())) return {};
  return b.broadcast(inner->operand(0), op.result().shape());
}

Value transpose_identity(Builder&, const Op& op) {
  const Dims& p = op.dims("permutation");
  return std::is_sorted(p.begin(), p.end()) ? op.operand(0) : Value();
}

Value transpose_twice(Builder& b, const Op& op) {
  const Op* inner = producer(op.operand(0), "transpose");
  if (!inner) return {};
  Dims both;
  for (int64_t axis : op.dims("permutation")) both.push_back(inner->dims("permutation")[static_cast<size_t>(axis)]);
  return b("transpose", {inner->operand(0)}, {{"permutation", both}});
}

/// Moving only axes of extent 1 leaves the elements in their order.
Value transpose_is_reshape(Builder& b, const Op& op) {
  Dims moved;
  for (int64_t axis : op.dims("permutation"))
    if (op.operand(0).shape()[static_cast<int>(axis)] != 1) moved.push_back(axis);
  return std::is_sorted(moved.begin(), moved.end()) ? b.reshape(op.operand(0), op.result().shape()) : Value();
}

Value concat_of_one(Builder&, const Op& op) { return op.operands().size() == 1 ? op.operand(0) : Value(); }

/// The axes of extent 1 of a reduction hold nothing to combine.
Value reduce_of_ones(Builder& b, const Op& op) {
  Dims axes;
  for (int64_t axis : op.dims("axes"))
    if (op.operand(0).shape()[static_cast<int>(axis)] != 1) axes.push_back(axis);
  if (axes.size() == op.dims("axes").size()) return {};
  Value v = op.operand(0);
  if (!axes.empty()) v = b(op.name(), {v}, {{"axes", axes}, {"keep_dims", true}});
  return b.reshape(v, op.result().shape());
}

/// A sum starts from 0, and so is never -0.
Value sum_of_ones(Builder& b, const Op& op) {
  const Value v = reduce_of_ones(b, op);
  const Dims& axes = op.dims("axes");
  const bool all_ones =
      std::all_of(axes.begin(), axes.end(), [&](int64_t axis) { return op.operand(0).shape()[static_cast<int>(axis)] == 1; });
  return v && all_ones && is_floating(v.dtype()) ? b("add", {v, b.zeros_like(v)}) : v;
}

}  // namespace

const std::vector<Rewrite>& movement_rewrites() {
  static const std::vector<Rewrite> rows = {
      {"broadcast", "broadcast to the same shape = x", same_shape},
      {"broadcast", "broadcast(broadcast(x)) = broadcast(x)", broadcast_twice},
      {"broadcast", "broadcast(reshape that adds leading ones) = broadcast(x)", broadcast_of_leading_ones},
      {"broadcast", "broadcast(splat) = splat", moved_splat},
      {"reshape", "reshape to the same shape = x", same_shape},
      {"reshape", "reshape(reshape(x)) = reshape(x)", reshape_twice},
      {"reshape", "reshape(splat) = splat", moved_splat},
      {"transpose", "transpose by the identity = x", transpose_identity},
      {"transpose", "transpose(transpose(x)) = transpose(x)", transpose_twice},
      {"transpose", "transpose of axes of extent 1 = reshape", transpose_is_reshape},
      {"transpose", "transpose(splat) = splat", moved_splat},
      {"slice", "slice of everything = x", same_shape},
      {"slice", "slice(splat) = splat", moved_splat},
      {"pad", "pad by nothing = x", same_shape},
      {"concat", "concat of one = x", concat_of_one},
      {"sum", "sum over axes of extent 1 = reshape + 0.0 (integers: reshape)", sum_of_ones},
      {"max", "max over axes of extent 1 = reshape", reduce_of_ones},
      {"min", "min over axes of extent 1 = reshape", reduce_of_ones},
  };
  return rows;
}

}  // namespace weft::passes
