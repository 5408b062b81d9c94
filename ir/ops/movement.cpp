// Ops that move elements and compute nothing.

#include <algorithm>
#include <numeric>

#include "weft/ir/layout.h"
#include "weft/ir/ops/families.h"
#include "weft/ir/ops/movements.h"

namespace weft::ir {
namespace {

constexpr auto dims_kind = AttributeKind::dims;
constexpr int64_t most_elements = int64_t{1} << 62;  // as Shape allows

/// The axis-th dimension of a dims attribute.
int64_t at(const Dims& d, int axis) { return d[static_cast<size_t>(axis)]; }

std::optional<std::vector<Access>> broadcast_access(const Op& op) {
  const Shape& from = op.operand(0).shape();
  const int rank = op.result().shape().rank();
  Access access;
  for (int d = 0; d < from.rank(); ++d)
    access.map.push_back(from[d] == 1 ? Affine::zero(rank) : Affine::axis(rank, d + rank - from.rank()));
  return std::vector{access};
}

/// Stretched where it lies; an axis in blocks has another extent than 1, or cannot be stretched so.
std::optional<std::pair<NamedAttributes, Layout>> broadcast_in_layout(const Op& op, const Layout& layout) {
  const Shape &from = op.operand(0).shape(), &to = op.result().shape();
  if (from.rank() != to.rank()) return std::nullopt;
  for (const Layout::Part& p : layout.parts(from.rank()))
    if (p.block && from[p.axis] != to[p.axis]) return std::nullopt;
  return std::pair(NamedAttributes{{"shape", layout.physical(to).dims()}}, layout);
}

/// Splitting an axis, and adding or dropping axes of extent 1, is affine; merging axes is not.
std::optional<std::vector<Access>> reshape_access(const Op& op) {
  const Shape &from = op.operand(0).shape(), &to = op.result().shape();
  if (from.numel() == 0) return std::nullopt;
  Access access;
  int t = 0;
  for (int f = 0; f < from.rank(); ++f) {
    Affine sum = Affine::zero(to.rank());
    if (from[f] != 1) {
      // Take result axes, outermost first, until their extents multiply to this operand axis.
      int64_t remaining = from[f];
      while (remaining > 1) {
        if (t == to.rank() || remaining % to[t] != 0) return std::nullopt;
        remaining /= to[t];
        if (to[t] != 1) sum.coefficients[static_cast<size_t>(t)] = remaining;
        ++t;
      }
    }
    access.map.push_back(std::move(sum));
  }
  return std::vector{access};
}

Value transposed(Builder& b, Value v, const Dims& permutation) { return b("transpose", {v}, {{"permutation", permutation}}); }

/// Undoes a slice: puts g at its places in zeros of `shape`.
Value unslice(Builder& b, Value g, const Shape& shape, const Dims& start, const Dims& step) {
  Dims low, high;
  for (int d = 0; d < shape.rank(); ++d) {
    g = pad_interior(b, g, d, at(step, d));
    low.push_back(at(start, d));
    high.push_back(shape[d] - at(start, d) - g.shape()[d]);
  }
  const bool whole = std::all_of(low.begin(), low.end(), [](int64_t x) { return x == 0; }) &&
                     std::all_of(high.begin(), high.end(), [](int64_t x) { return x == 0; });
  return whole ? g : b("pad", {g}, {{"low", low}, {"high", high}});
}

Dims steps_of(const Op& op) {
  const Dims& step = op.dims("step");
  return step.empty() ? Dims(op.dims("start").size(), 1) : step;
}

OpDef movement(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.kind = Kind::movement;
  def.doc = std::move(doc);
  def.operands = {{"x"}};
  def.error_ulps = 0;
  return def;
}

void define_broadcast(Registry& r) {
  OpDef def = movement("broadcast", "x stretched to `shape` by NumPy's rule: axes align from the right, extent 1 repeats");
  def.attributes = {{"shape", dims_kind, {}, "the result's shape"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Shape to(c.get<Dims>("shape"));
    Shape both;
    c.require(broadcast_shapes(c.shape(0), to, both) && both == to, "the operand does not broadcast to " + weft::to_string(to));
    return {{c.operand(0).dtype, to}};
  };
  def.access = broadcast_access;
  def.in_layout = broadcast_in_layout;
  def.broadcasts = true;
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {c.builder.sum_to(c.result_gradients[0], c.op.operand(0).shape())};
  };
  r.add(std::move(def));
}

void define_reshape(Registry& r) {
  OpDef def = movement("reshape", "The elements of x in row-major order under another shape; costs nothing");
  def.kind = Kind::view;
  def.attributes = {{"shape", dims_kind, {}, "the result's shape, with as many elements"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Shape to(c.get<Dims>("shape"));
    c.require(to.numel() == c.shape(0).numel(), fmt::format("{} elements do not fit into {}", c.shape(0).numel(), weft::to_string(to)));
    return {{c.operand(0).dtype, to}};
  };
  def.access = reshape_access;
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {c.builder.reshape(c.result_gradients[0], c.op.operand(0).shape())};
  };
  r.add(std::move(def));
}

void define_transpose(Registry& r) {
  OpDef def = movement("transpose", "Axes reordered: axis i of the result is axis permutation[i] of x (torch.permute)");
  def.attributes = {{"permutation", dims_kind, {}, "each axis of x once"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Dims& p = c.get<Dims>("permutation");
    c.require(is_permutation(p, c.shape(0).rank()), "the permutation " + weft::to_string(p) + " must name every axis once");
    Dims shape;
    for (int64_t axis : p) shape.push_back(c.shape(0)[static_cast<int>(axis)]);
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    Access access;
    for (int64_t axis : inverse(op.dims("permutation")))
      access.map.push_back(Affine::axis(op.result().shape().rank(), static_cast<int>(axis)));
    return std::vector{access};
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {transposed(c.builder, c.result_gradients[0], inverse(c.op.dims("permutation")))};
  };
  r.add(std::move(def));
}

void define_slice(Registry& r) {
  OpDef def = movement("slice", "x[start : end : step] along every axis");
  def.attributes = {{"start", dims_kind, {}, "first index, per axis"},
                    {"end", dims_kind, {}, "one past the last index, per axis"},
                    {"step", dims_kind, Attribute(Dims{}), "distance of indices, per axis; all 1 when empty"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Dims &start = c.get<Dims>("start"), &end = c.get<Dims>("end"), &step = c.get<Dims>("step");
    const size_t rank = c.shape(0).dims().size();
    c.require(start.size() == rank && end.size() == rank && (step.empty() || step.size() == rank),
              "start, end and step need one entry per axis");
    Dims shape;
    for (size_t d = 0; d < rank; ++d) {
      const int64_t s = step.empty() ? 1 : step[d];
      c.require(0 <= start[d] && start[d] <= end[d] && end[d] <= c.shape(0).dims()[d] && s >= 1,
                fmt::format("the range {}:{}:{} does not lie in axis {}", start[d], end[d], s, d));
      shape.push_back(start[d] == end[d] ? 0 : (end[d] - start[d] - 1) / s + 1);
    }
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    Access access{identity_map(op.result().shape().rank())};
    const Dims step = steps_of(op);
    for (size_t d = 0; d < access.map.size(); ++d) {
      access.map[d].coefficients[d] = step[d];
      access.map[d].offset = op.dims("start")[d];
    }
    return std::vector{access};
  };
  def.moved_back = [](const Op& op, const Dims& places) -> NamedAttributes {
    Dims start = op.dims("start"), end = op.dims("end");
    for (size_t d = 0; d < places.size(); ++d) start[d] -= places[d], end[d] -= places[d];
    return {{"start", start}, {"end", end}};
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {unslice(c.builder, c.result_gradients[0], c.op.operand(0).shape(), c.op.dims("start"), steps_of(c.op))};
  };
  r.add(std::move(def));
}

void define_flip(Registry& r) {
  OpDef def = movement("flip", "x with the order of its elements reversed along `axes`");
  def.attributes = {{"axes", dims_kind, {}, "not negative, each once"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    Dims axes = c.get<Dims>("axes");
    std::sort(axes.begin(), axes.end());
    c.require(std::adjacent_find(axes.begin(), axes.end()) == axes.end(), "an axis is named twice");
    for (int64_t axis : axes) c.require(axis >= 0 && axis < c.shape(0).rank(), fmt::format("axis {} is out of range", axis));
    return {c.operand(0)};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    Access access{identity_map(op.result().shape().rank())};
    for (int64_t axis : op.dims("axes")) {
      Affine& along = access.map[static_cast<size_t>(axis)];
      along.coefficients[static_cast<size_t>(axis)] = -1;
      along.offset = op.result().shape()[static_cast<int>(axis)] - 1;
    }
    return std::vector{access};
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    return {c.builder("flip", {c.result_gradients[0]}, {{"axes", c.op.dims("axes")}})};
  };
  r.add(std::move(def));
}

void define_pad(Registry& r) {
  OpDef def = movement("pad", "x with `low` elements of `value` before and `high` after it along every axis");
  def.attributes = {{"low", dims_kind, {}, "elements added before, per axis"},
                    {"high", dims_kind, {}, "elements added after, per axis"},
                    {"value", AttributeKind::real, Attribute(0.0), "the added elements"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Dims &low = c.get<Dims>("low"), &high = c.get<Dims>("high");
    const size_t rank = c.shape(0).dims().size();
    c.require(low.size() == rank && high.size() == rank, "low and high need one entry per axis");
    Dims shape;
    for (size_t d = 0; d < rank; ++d) {
      c.require(low[d] >= 0 && high[d] >= 0, "padding must not be negative");
      c.require(low[d] <= most_elements / 4 && high[d] <= most_elements / 4, "the padding is too large");
      shape.push_back(low[d] + c.shape(0).dims()[d] + high[d]);
    }
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    Access access{identity_map(op.result().shape().rank()), true};
    for (size_t d = 0; d < access.map.size(); ++d) access.map[d].offset = -op.dims("low")[d];
    return std::vector{access};
  };
  def.fill = [](const Op& op) { return op.real("value"); };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    Dims end = c.op.dims("low");
    for (size_t d = 0; d < end.size(); ++d) end[d] += c.op.operand(0).shape().dims()[d];
    return {c.builder("slice", {c.result_gradients[0]}, {{"start", c.op.dims("low")}, {"end", end}})};
  };
  r.add(std::move(def));
}

void define_concat(Registry& r) {
  OpDef def = movement("concat", "The operands xs one after the other along `axis` (torch.cat)");
  def.operands = {{"xs", Accepts::any, true}};
  def.attributes = {{"axis", AttributeKind::integer, {}, "the joined axis, not negative"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    c.require(c.count() > 0, "needs at least one operand");
    const int64_t axis = c.get<int64_t>("axis");
    c.require(axis >= 0 && axis < c.shape(0).rank(), fmt::format("axis {} is out of range", axis));
    Dims shape = c.shape(0).dims();
    for (int i = 1; i < c.count(); ++i) {
      Dims other = c.shape(i).dims();
      c.require(other.size() == shape.size() && c.operand(i).dtype == c.operand(0).dtype,
                "the operands must have equal ranks and element types");
      c.require(shape[static_cast<size_t>(axis)] <= most_elements - other[static_cast<size_t>(axis)], "the joined axis is too long");
      shape[static_cast<size_t>(axis)] += std::exchange(other[static_cast<size_t>(axis)], shape[static_cast<size_t>(axis)]);
      other[static_cast<size_t>(axis)] = shape[static_cast<size_t>(axis)];
      c.require(other == shape, "the operands must agree on every axis but the joined one");
    }
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    const auto axis = static_cast<size_t>(op.integer("axis"));
    std::vector<Access> all;
    int64_t offset = 0;
    for (Value v : op.operands()) {
      Access access{identity_map(v.shape().rank()), true};
      access.map[axis].offset = -offset;
      offset += v.shape().dims()[axis];
      all.push_back(std::move(access));
    }
    return all;
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Value g = c.result_gradients[0];
    const auto axis = static_cast<size_t>(c.op.integer("axis"));
    std::vector<Value> gradients;
    Dims start(g.shape().dims().size(), 0), end = g.shape().dims();
    for (Value v : c.op.operands()) {
      end[axis] = start[axis] + v.shape().dims()[axis];
      gradients.push_back(c.builder("slice", {g}, {{"start", start}, {"end", end}}));
      start[axis] = end[axis];
    }
    return gradients;
  };
  r.add(std::move(def));
}

}  // namespace

void define_movement_ops(Registry& r) {
  define_broadcast(r);
  define_reshape(r);
  define_transpose(r);
  define_slice(r);
  define_flip(r);
  define_pad(r);
  define_concat(r);
}

}  // namespace weft::ir
