// Scaled dot-product attention and its gradient, which backends run in blocks: the weights of all queries and keys are never stored.
// Semantics follow torch.nn.functional.scaled_dot_product_attention.

#include "weft/ir/ops/attention.h"

#include <cmath>
#include <limits>

#include "weft/ir/ops/families.h"
#include "weft/support/conversion.h"
#include "weft/support/layout.h"
#include "weft/support/slices.h"

namespace weft::ir {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr int forward_operands = 3, gradient_operands = 6;  // before the mask

/// What sums and exponents are computed in.

Shape with_last_axes(const Dims& batch, std::initializer_list<int64_t> last) {
  Dims dims = batch;
  dims.insert(dims.end(), last);
  return Shape(dims);
}

int operands_before_mask(const OpDef& def) { return static_cast<int>(def.operands.size()) - 1; }

/// What operand i is read as. Throws weft::Error unless it is a view of the operand, whose rows lie in one piece.
Shape viewed(const InferContext& c, int i) {
  const std::string& attribute = c.def().operands[static_cast<size_t>(i)].view;
  const Dims& numbers = c.get<Dims>(attribute);
  if (numbers.empty()) return c.shape(i);
  const auto view = StridedView::parse(numbers);
  c.require(view && view->reach() <= c.shape(i).numel(), attribute + " must be a view of the operand: an offset, extents, strides");
  c.require(!view->extents.empty() && (view->extents.back() < 2 || view->strides.back() == 1), attribute + ": rows must lie in one piece");
  return Shape(view->extents);
}

/// The type of a result that lies as its attribute says: with the last axis last, so that rows lie in one piece.
Type ordered(const InferContext& c, int result, Type type) {
  const std::string& attribute = c.def().result_orders[static_cast<size_t>(result)];
  const Dims& order = c.get<Dims>(attribute);
  if (order.empty()) return type;
  const int rank = type.shape.rank();
  c.require(is_permutation(order, rank) && order.back() == rank - 1, attribute + " must name each axis once, the last one last");
  return {type.dtype, Shape(StridedView::dense(type.shape).permuted(order).extents)};
}

void require_operands(const InferContext& c) {
  const Shape q = viewed(c, 0), k = viewed(c, 1), v = viewed(c, 2);
  const int rank = q.rank();
  c.require(rank >= 2 && k.rank() == rank && v.rank() == rank, "queries, keys and values must have equal ranks of at least 2");
  c.require(c.operand(1).dtype == c.operand(0).dtype && c.operand(2).dtype == c.operand(0).dtype,
            "queries, keys and values must have equal element types");
  c.require(q[-1] == k[-1], "queries and keys must have equal last axes");
  c.require(k[-2] == v[-2], "there must be a value for each key");
  for (int axis = 0; axis < rank - 2; ++axis) {
    c.require(k[axis] == v[axis], "keys and values must have equal leading axes");
    const bool is_heads = axis == rank - 3;
    c.require(q[axis] == k[axis] || (is_heads && k[axis] > 0 && q[axis] > 0 && q[axis] % k[axis] == 0),
              is_heads ? "the queries' heads must be a multiple of the keys'" : "queries and keys must have equal leading axes");
  }
  const double scale = c.get<double>("scale");
  c.require(std::isfinite(scale), "the scale must be finite");
  const DType wide = computed_in(c.operand(0).dtype);
  c.require(std::isfinite(rounded(wide, scale)), fmt::format("the scale must be one that {} holds, not {}", weft::name_of(wide), scale));
}

Attention extents_of(const InferContext& c) { return Attention::of(viewed(c, 0), viewed(c, 1), viewed(c, 2), false, 1); }

void require_mask(const InferContext& c, int mask) {
  c.require(c.count() <= mask + 1, "there may be one mask");
  if (c.count() <= mask) return;
  const Shape& m = c.shape(mask);
  const Shape q = viewed(c, 0), k = viewed(c, 1);
  const int rank = q.rank();
  c.require(c.operand(mask).dtype == boolean || c.operand(mask).dtype == c.operand(0).dtype,
            "the mask must be of bool or of the queries' type");
  c.require(m.rank() == rank, "the mask must have the queries' rank");
  for (int axis = 0; axis < rank; ++axis) {
    const int64_t whole = axis == rank - 1 ? k[-2] : q[axis];
    c.require(m[axis] == whole || m[axis] == 1, "each axis of the mask must be that of [..., queries, keys] or 1");
  }
}

std::vector<Type> with_scratch(const InferContext& c, std::vector<Type> results) {
  const int64_t bytes = c.get<int64_t>("scratch"), slices = c.get<int64_t>("slices");
  c.require(slices >= 1 && slices <= most_slices, fmt::format("slices must be 1 to {}, not {}", most_slices, slices));
  c.require(bytes >= 0, "scratch must not be negative");
  if (bytes > 0) results.push_back({u8, Shape{bytes}});
  return results;
}

AttributeSpec planned_dims(const std::string& name, const std::string& doc) {
  return {name, AttributeKind::dims, Attribute(Dims()), doc, {}, true};
}

/// For what the op reads and writes there are attributes that say where it lies.
std::vector<AttributeSpec> attention_attributes(const OpDef& def) {
  std::vector<AttributeSpec> all{
      {"scale", AttributeKind::real, Attribute(1.0), "of the products of queries and keys"},
      {"causal", AttributeKind::boolean, Attribute(false), "query i sees the keys 0 to i alone"},
      {"slices", AttributeKind::integer, Attribute(int64_t{1}), "parts, of some heads each, that threads compute on their own", {}, true},
      {"scratch", AttributeKind::integer, Attribute(int64_t{0}), "bytes to work in: a last result, which nobody reads", {}, true}};
  for (const OperandSpec& operand : def.operands)
    if (!operand.view.empty())
      all.push_back(planned_dims(
          operand.view, operand.name + " is a view of the operand: its offset, extents and strides, in elements; none: all of it"));
  for (const std::string& order : def.result_orders)
    if (!order.empty())
      all.push_back(planned_dims(order, "which axis of the result lies in the place of each; none: they lie as they are"));
  return all;
}

/// The elements that a view of v shows, picked one by one.
Value picked(Builder& b, Value v, const StridedView& view) {
  if (view == StridedView::dense(v.shape())) return v;
  const Shape shape(view.extents);
  Value place = b.splat({i64, shape}, static_cast<double>(view.offset));
  for (int axis = 0; axis < shape.rank(); ++axis)
    place = Expr(b, place) + Expr(b, b("iota", {}, {{"shape", shape.dims()}, {"axis", int64_t{axis}}})) *
                                 static_cast<double>(view.strides[static_cast<size_t>(axis)]);
  return b("gather", {b.reshape(v, Shape{v.shape().numel()}), place});
}

/// Attention written out.
class Parts {
 public:
  Parts(Builder& b, const Op& op) : b_(b), op_(op), a_(attention_of(op)), type_(op.operand(0).dtype()), wide_(computed_in(type_)) {
    for (int i = 0; i < operands_before_mask(op.def()); ++i) operands_.push_back(picked(b, op.operand(i), attention_operand(op, i)));
  }

  Value operand(size_t i) const { return operands_[i]; }
  /// Result i as the op writes it.
  Value result(int i, Value v) const {
    const Dims& order = op_.dims(op_.def().result_orders[static_cast<size_t>(i)]);
    return order.empty() ? v : b_("transpose", {v}, {{"permutation", order}});
  }

  /// [..., queries, keys] in the wide type; what is not seen is -inf.
  Expr scores() const {
    const Value products = b_("matmul", {grouped(operand(0)), operand(1)}, {{"transpose_b", true}});
    Expr s = Expr(b_, b_.cast(by_heads(products, a_.keys), wide_)) * a_.scale;
    const Expr hidden = s.like(-infinity);
    if (const Value mask = attention_mask_of(op_)) {
      if (mask.dtype() == boolean) s = select({b_, b_.broadcast(mask, s.value().shape())}, s, hidden);
      else s = s + Expr(b_, b_.broadcast(b_.cast(mask, wide_), s.value().shape()));
    }
    if (a_.causal) {
      const Dims square{a_.queries, a_.keys};
      const Value query = b_("iota", {}, {{"shape", square}, {"axis", int64_t{0}}}),
                  key = b_("iota", {}, {{"shape", square}, {"axis", int64_t{1}}});
      s = select({b_, b_.broadcast(b_("le", {key, query}), s.value().shape())}, s, hidden);
    }
    return s;
  }

  /// e^(score - lse): a row that sees nothing, whose lse is -inf, is 0.
  Expr weights(Expr scores, Value lse) const {
    const Expr l{b_, lse};
    return (scores - over_keys(select(l == -infinity, l.like(infinity), l))).apply("exp");
  }

  /// The derivative by the scores.
  Expr slopes(Expr weights, Value g, Value delta) const {
    const Value products = b_("matmul", {grouped(g), operand(2)}, {{"transpose_b", true}});
    return weights * (Expr(b_, b_.cast(by_heads(products, a_.keys), wide_)) - over_keys({b_, delta}));
  }

  /// Of each query, over the keys.
  Expr over_keys(Expr v) const {
    return {b_, b_.broadcast(b_.reshape(v, with_last_axes(a_.batch, {a_.queries, 1})), with_last_axes(a_.batch, {a_.queries, a_.keys}))};
  }

  /// The queries of heads that share keys, one after the other: [..., heads / group, group * queries, n].
  Value grouped(Value v) const {
    if (a_.group == 1) return v;
    Dims shape = v.shape().dims();
    shape[shape.size() - 3] /= a_.group, shape[shape.size() - 2] *= a_.group;
    return b_.reshape(v, Shape(shape));
  }
  /// The reverse: [..., heads, queries, n].
  Value by_heads(Value v, int64_t n) const { return b_.reshape(v, with_last_axes(a_.batch, {a_.queries, n})); }
  Value narrow(Value v) const { return b_.cast(v, type_); }

  const Attention& extents() const { return a_; }

 private:
  Builder& b_;
  const Op& op_;
  Attention a_;
  DType type_, wide_;
  std::vector<Value> operands_;
};

std::vector<Value> decompose_attention(Builder& b, const Op& op) {
  const Parts parts(b, op);
  if (parts.extents().keys == 0) return {b.splat(op.result(0).type(), 0), b.splat(op.result(1).type(), -infinity)};
  const Expr s = parts.scores();
  const auto reduced = [&](std::string_view reduction, Value v) {
    return Expr(b, b(reduction, {v}, {{"axes", Dims{s.value().shape().rank() - 1}}, {"keep_dims", false}}));
  };
  const Expr largest = reduced("max", s), shift = select(largest == -infinity, largest.like(0), largest);
  const Expr e = (s - parts.over_keys(shift)).apply("exp"), sum = reduced("sum", e);
  const Expr weights = e * parts.over_keys(1.0 / select(sum == 0.0, sum.like(1), sum));
  const Value result = b("matmul", {parts.grouped(parts.narrow(weights)), parts.operand(2)});
  return {parts.result(0, parts.by_heads(result, parts.extents().value_width)), shift + sum.apply("log")};
}

std::vector<Value> decompose_gradient(Builder& b, const Op& op) {
  const Parts parts(b, op);
  const Value q = parts.operand(0), g = parts.operand(3), lse = op.operand(4), delta = op.operand(5);
  const Expr weights = parts.weights(parts.scores(), lse);
  const Value slopes = parts.grouped(parts.narrow(parts.slopes(weights, g, delta) * parts.extents().scale));
  const Value dq = parts.by_heads(b("matmul", {slopes, parts.operand(1)}), parts.extents().width);
  const Value dk = b("matmul", {slopes, parts.grouped(q)}, {{"transpose_a", true}});
  const Value dv = b("matmul", {parts.grouped(parts.narrow(weights)), parts.grouped(g)}, {{"transpose_a", true}});
  return {parts.result(0, dq), parts.result(1, dk), parts.result(2, dv)};
}

std::vector<Value> attention_gradients(GradientContext& c) {
  Builder& b = c.builder;
  for (int i = 0; i < forward_operands; ++i)
    if (!c.op.dims(c.op.def().operands[static_cast<size_t>(i)].view).empty() || !c.op.dims(c.op.def().result_orders[0]).empty())
      throw Error("attention of views has no gradient: they come after differentiation").at(to_string(c.op.locations()));
  const Value g = c.result_gradients[0], result = c.op.result(0);
  const DType wide = c.op.result(1).dtype();
  const Expr along = Expr(b, b.cast(g, wide)) * Expr(b, b.cast(result, wide));
  const Expr delta = Expr(b, b.sum(along, {result.shape().rank() - 1})) - Expr(b, c.result_gradients[1]);
  std::vector<Value> operands{c.op.operand(0), c.op.operand(1), c.op.operand(2), g, c.op.result(1), delta};
  const Value mask = attention_mask_of(c.op);
  if (mask) operands.push_back(mask);
  const Op& gradient = b.create("attention_gradient", operands, {{"scale", c.op.real("scale")}, {"causal", c.op.flag("causal")}});
  std::vector<Value> gradients{gradient.result(0), gradient.result(1), gradient.result(2)};
  if (!mask) return gradients;
  gradients.emplace_back();
  if (mask.dtype() == boolean) return gradients;
  const Parts parts(b, c.op);
  const Expr slopes = parts.slopes(parts.weights(parts.scores(), c.op.result(1)), g, delta);
  gradients.back() = b.cast(b.sum_to(slopes, mask.shape()), mask.dtype());
  return gradients;
}

OpDef attention_op(std::string name, std::vector<OperandSpec> operands, std::vector<std::string> result_orders) {
  OpDef def;
  def.name = std::move(name);
  def.kind = Kind::heavy;
  def.operands = std::move(operands);
  def.operands.push_back({"mask", Accepts::any, true,
                          "none or one: [..., queries, keys], axes of 1 stretched; of bool, what is seen, else added to the scores"});
  def.result_orders = std::move(result_orders);
  def.attributes = attention_attributes(def);
  def.error_ulps = 64;
  return def;
}

}  // namespace

Attention attention_of(const Op& op) {
  const auto shape = [&](int i) { return Shape(attention_operand(op, i).extents); };
  return Attention::of(shape(0), shape(1), shape(2), op.flag("causal"), op.real("scale"));
}

StridedView attention_operand(const Op& op, int i) {
  const std::string& attribute = op.def().operands[static_cast<size_t>(i)].view;
  const Dims numbers = attribute.empty() ? Dims() : op.dims(attribute);
  return numbers.empty() ? StridedView::dense(op.operand(i).shape()) : *StridedView::parse(numbers);
}

StridedView attention_result(const Op& op, int i) {
  const std::string& attribute = op.def().result_orders[static_cast<size_t>(i)];
  const Dims order = attribute.empty() ? Dims() : op.dims(attribute);
  const StridedView written = StridedView::dense(op.result(i).shape());
  return order.empty() ? written : written.permuted(inverse(order));
}

bool is_attention_gradient(const Op& op) { return op.name() == "attention_gradient"; }

Value attention_mask_of(const Op& op) {
  const int mask = operands_before_mask(op.def());
  return static_cast<int>(op.operands().size()) > mask ? op.operand(mask) : Value();
}

void define_attention_ops(Registry& r) {
  const OperandSpec q{.name = "q", .accepts = Accepts::floating, .doc = "queries [..., heads, queries, width]", .view = "q_view"},
      k{.name = "k",
        .accepts = Accepts::floating,
        .doc = "keys [..., heads, keys, width], or fewer heads: then several of q share one",
        .view = "k_view"},
      v{.name = "v", .accepts = Accepts::floating, .doc = "values [..., heads, keys, value width]", .view = "v_view"};

  OpDef attention = attention_op("attention", {q, k, v}, {"order", ""});
  attention.doc =
      "softmax(scale q k^T + mask) v, leading axes batched, and the logarithm of the sums of e^score; 0 and -inf for a query that sees "
      "no key. Sums and exponents of bf16 are f32";
  attention.infer = [](const InferContext& c) -> std::vector<Type> {
    require_operands(c);
    require_mask(c, forward_operands);
    const Attention a = extents_of(c);
    return with_scratch(c, {ordered(c, 0, {c.operand(0).dtype, with_last_axes(a.batch, {a.queries, a.value_width})}),
                            {computed_in(c.operand(0).dtype), with_last_axes(a.batch, {a.queries})}});
  };
  attention.decompose = decompose_attention;
  attention.gradient = attention_gradients;
  attention.flops = [](const Op& op) { return attention_of(op).flops(); };
  attention.autocast = Autocast::low;
  r.add(std::move(attention));

  OpDef gradient =
      attention_op("attention_gradient",
                   {q,
                    k,
                    v,
                    {.name = "g", .accepts = Accepts::floating, .doc = "the gradient of attention's first result", .view = "g_view"},
                    {"lse", Accepts::floating, false, "its second result"},
                    {"delta", Accepts::floating, false, "the sum of g times the first result, less the gradient of lse"}},
                   {"q_order", "k_order", "v_order"});
  gradient.doc = "The gradients of attention by q, k and v";
  gradient.infer = [](const InferContext& c) -> std::vector<Type> {
    require_operands(c);
    require_mask(c, gradient_operands);
    const Attention a = extents_of(c);
    const Type rows{computed_in(c.operand(0).dtype), with_last_axes(a.batch, {a.queries})};
    c.require(c.operand(3).dtype == c.operand(0).dtype && viewed(c, 3) == with_last_axes(a.batch, {a.queries, a.value_width}),
              "g must have the result's type");
    c.require(c.operand(4) == rows && c.operand(5) == rows, fmt::format("lse and delta must be {}", to_string(rows)));
    std::vector<Type> results;
    for (int i = 0; i < forward_operands; ++i) results.push_back(ordered(c, i, {c.operand(i).dtype, viewed(c, i)}));
    return with_scratch(c, std::move(results));
  };
  gradient.decompose = decompose_gradient;
  gradient.flops = [](const Op& op) { return attention_of(op).gradient_flops(); };
  gradient.autocast = Autocast::fixed;
  r.add(std::move(gradient));
}

}  // namespace weft::ir
