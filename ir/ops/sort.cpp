// What orders elements: sort, and the median of all.

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/ir/ops/along_axis.h"
#include "weft/ir/ops/families.h"
#include "weft/ir/ops/sort.h"
#include "weft/support/slices.h"

namespace weft::ir {
namespace {

/// The axis in the place of the last one, or back.
Value swapped_with_last(Builder& b, Value v, int axis) {
  const int last = v.shape().rank() - 1;
  if (axis == last) return v;
  Dims order;
  for (int d = 0; d <= last; ++d) order.push_back(d == axis ? last : d == last ? axis : d);
  return b("transpose", {v}, {{"permutation", order}});
}

/// Is a before b in ascending order, in which nan is the largest number?
Expr stands_before(Expr a, Expr b) {
  if (!is_floating(a.value().dtype())) return a < b;
  return (a < b).apply("or", (a == a).apply("and", b.apply("is_nan")));
}

/// Does neither stand before the other?
Expr stand_alike(Expr a, Expr b) {
  if (!is_floating(a.value().dtype())) return a == b;
  return (a == b).apply("or", a.apply("is_nan").apply("and", b.apply("is_nan")));
}

/// Of each element of rows [..., n] how many of its row stand before it.
Expr ranks(Builder& b, Value rows, bool descending) {
  Dims wide = rows.shape().dims(), column = wide, row = wide;
  const int64_t n = wide.back();
  wide.push_back(n), column.push_back(1), row.insert(row.end() - 1, 1);
  const auto stretched = [&](const Dims& shape) { return Expr(b, b.broadcast(b.reshape(rows, Shape(shape)), Shape(wide))); };
  const Expr self = stretched(column), other = stretched(row);
  const auto number = [&](size_t axis) { return Expr(b, b("iota", {}, {{"shape", wide}, {"axis", static_cast<int64_t>(axis)}})); };
  const Expr is_earlier = number(wide.size() - 1) < number(wide.size() - 2);
  const Expr before = descending ? stands_before(self, other) : stands_before(other, self);
  const Expr either = before.apply("or", stand_alike(self, other).apply("and", is_earlier));
  return {b, b.sum(b.cast(either, i64), {static_cast<int64_t>(wide.size()) - 1})};
}

/// Ranks by counting, of which an index of the wanted places is made.
std::vector<Value> decompose_sort(Builder& b, const Op& op) {
  const Value x = op.operand(0);
  const SortedPart order = sorted_part(op);
  const Type &values = op.result(0).type(), &indices = op.result(1).type();
  if (values.shape.numel() == 0) return {b.splat(values, 0), b.splat(indices, 0)};
  const Value rows = swapped_with_last(b, x, order.axis);
  const int last = rows.shape().rank() - 1;
  const Expr place = ranks(b, rows, order.descending) - static_cast<double>(order.start);
  Dims wanted = rows.shape().dims();
  wanted.back() = order.count;
  const Value places = places_along_axis(b, place, Shape(wanted), last);
  const Value number = flattened(b, b("iota", {}, {{"shape", rows.shape().dims()}, {"axis", int64_t{last}}}));
  const Value found = b("scatter_add", {b.splat({i64, Shape{Shape(wanted).numel()}}, 0), places, number});
  const Value index = swapped_with_last(b, b.reshape(found, Shape(wanted)), order.axis);
  const Value picked = b("gather", {flattened(b, x), places_along_axis(b, index, x.shape(), order.axis)});
  return {b.reshape(picked, values.shape), index};
}

OpDef sort_op() {
  OpDef op;
  op.name = "sort";
  op.kind = Kind::heavy;
  op.doc =
      "The elements of x along `axis` in ascending order, those of them that stand at `start` to start + count - 1, and their indices in x "
      "(torch.sort). Equal ones keep their order; nan is the largest number";
  op.operands = {{"x"}};
  op.attributes = {
      {"axis", AttributeKind::integer, {}, "not negative"},
      {"descending", AttributeKind::boolean, Attribute(false), "the largest first"},
      {"start", AttributeKind::integer, Attribute(int64_t{0}), "the first place of the order that is wanted"},
      {"count", AttributeKind::integer, Attribute(int64_t{-1}), "how many are wanted; -1: all from there on"},
      {"slices", AttributeKind::integer, Attribute(int64_t{1}), "parts, of some rows each, that threads sort", {}, true},
      {"scratch", AttributeKind::integer, Attribute(int64_t{0}), "bytes to sort in: a last result, which nobody reads", {}, true}};
  op.infer = [](const InferContext& c) -> std::vector<Type> {
    const int64_t axis = c.get<int64_t>("axis"), start = c.get<int64_t>("start"), given = c.get<int64_t>("count"),
                  scratch = c.get<int64_t>("scratch"), slices = c.get<int64_t>("slices");
    c.require(axis >= 0 && axis < c.shape(0).rank(), fmt::format("axis {} is out of range", axis));
    Dims shape = c.shape(0).dims();
    int64_t& extent = shape[static_cast<size_t>(axis)];
    c.require(start >= 0 && start <= extent, fmt::format("start {} is outside of the axis, which has {} elements", start, extent));
    c.require(given >= -1 && given <= extent - start,
              fmt::format("from {} on there are {} elements, not {}", start, extent - start, given));
    c.require(slices >= 1 && slices <= most_slices, fmt::format("slices must be 1 to {}, not {}", most_slices, slices));
    c.require(scratch >= 0, "scratch must not be negative");
    extent = given < 0 ? extent - start : given;
    std::vector<Type> types{{c.operand(0).dtype, Shape(shape)}, {i64, Shape(shape)}};
    if (scratch > 0) types.push_back({u8, Shape{scratch}});
    return types;
  };
  op.decompose = decompose_sort;
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    Builder& b = c.builder;
    const Type& x = c.op.operand(0).type();
    const Value places = places_along_axis(b, c.op.result(1), x.shape, sorted_part(c.op).axis);
    const Value none = b.splat({x.dtype, Shape{x.shape.numel()}}, 0);
    return {b.reshape(b("scatter_add", {none, places, flattened(b, c.result_gradients[0])}), x.shape)};
  };
  op.autocast = Autocast::follows;
  op.error_ulps = 0;
  op.flops = [](const Op& o) {
    const double n = static_cast<double>(o.operand(0).shape()[sorted_part(o).axis]);
    return static_cast<double>(o.operand(0).shape().numel()) * std::log2(std::max(n, 2.0));
  };
  return op;
}

/// Of all elements of x that which no fewer stand behind than before.
Value lower_median(Builder& b, Value x) {
  const Value row = flattened(b, x);
  const int64_t middle = (row.shape()[0] - 1) / 2;
  const Op& sorted = b.create("sort", {row}, {{"axis", int64_t{0}}, {"start", middle}, {"count", int64_t{1}}});
  return b.reshape(sorted.result(0), Shape());
}

OpDef median_op() {
  OpDef op;
  op.name = "median";
  op.doc = "Of all elements of x the lower of the two in the middle (torch.median); nan if one is nan, and of no elements";
  op.operands = {{"x", Accepts::number}};
  op.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.shape(0).numel() > 0 || is_floating(c.operand(0).dtype), "of no elements there is no median but nan");
    return {{c.operand(0).dtype, Shape()}};
  };
  op.decompose = [](Builder& b, const Op& o) -> std::vector<Value> {
    const Value x = o.operand(0);
    if (x.shape().numel() == 0) return {b.splat(o.result().type(), std::numeric_limits<double>::quiet_NaN())};
    const Expr middle{b, lower_median(b, x)};
    if (!is_floating(x.dtype())) return {middle};
    const Expr largest{b, b("max", {flattened(b, x)}, {{"axes", Dims{0}}, {"keep_dims", false}})};
    return {select(largest.apply("is_nan"), largest, middle)};
  };
  // Shared evenly among the elements that are the median.
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    Builder& b = c.builder;
    const Expr x{b, c.op.operand(0)};
    const Shape& shape = x.value().shape();
    if (shape.numel() == 0) return {x.like(0)};
    const Expr hit{b, b.cast(stand_alike(x, Expr(b, c.op.result()).broadcast(shape)), x.value().dtype())};
    Dims axes;
    for (int d = 0; d < shape.rank(); ++d) axes.push_back(d);
    const Expr count{b, b.sum(hit, axes)};
    return {(Expr(b, c.result_gradients[0]) / count).broadcast(shape) * hit};
  };
  op.autocast = Autocast::follows;
  op.error_ulps = 0;
  return op;
}

}  // namespace

SortedPart sorted_part(const Op& op) {
  const auto axis = static_cast<int>(op.integer("axis"));
  return {axis, op.flag("descending"), op.integer("start"), op.result(0).shape()[axis]};
}

void define_sort_ops(Registry& r) {
  r.add(sort_op());
  r.add(median_op());
}

}  // namespace weft::ir
