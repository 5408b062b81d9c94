#include "weft/ir/define.h"

#include <algorithm>

namespace weft::ir {

AttributeSpec attribute(std::string name, Attribute fallback, std::string doc) {
  const AttributeKind kind = kind_of(fallback);
  return {std::move(name), kind, std::move(fallback), std::move(doc)};
}

AttributeSpec required_attribute(std::string name, AttributeKind kind, std::string doc) {
  return {std::move(name), kind, {}, std::move(doc)};
}

std::vector<AttributeSpec> reduction_attributes() {
  return {required_attribute("axes", AttributeKind::dims, "the reduced axes, ascending"),
          attribute("keep_dims", false, "keep the reduced axes with extent 1")};
}

Shape reduced_shape(const InferContext& c, const Dims& axes, bool keep) {
  const Shape& from = c.shape(0);
  for (size_t i = 0; i < axes.size(); ++i)
    c.require(axes[i] >= 0 && axes[i] < from.rank() && (i == 0 || axes[i] > axes[i - 1]),
              fmt::format("the axes {} must be ascending and lie in rank {}", weft::to_string(axes), from.rank()));
  Dims shape;
  for (int d = 0; d < from.rank(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (!reduced) shape.push_back(from[d]);
    else if (keep) shape.push_back(1);
  }
  return Shape(shape);
}

std::vector<Type> infer_reduction(const InferContext& c) {
  return {{c.operand(0).dtype, reduced_shape(c, c.get<Dims>("axes"), c.get<bool>("keep_dims"))}};
}

Expr broadcast_over_axes(Expr reduced, Expr x, const Dims& axes) {
  return {x.builder(), x.builder().broadcast_over(reduced, axes, x.value().shape())};
}

namespace detail {

void require_arguments(size_t taken, size_t given) {
  if (taken != given) throw Error("the formula takes {} arguments besides the attributes, but there are {}", taken, given);
}

std::vector<Expr> expressions(Builder& builder, std::span<const Value> values) {
  std::vector<Expr> all;
  for (Value v : values) all.emplace_back(builder, v);
  return all;
}

namespace {

/// The definitions whose decompositions are being written out on this thread to learn their types.
thread_local std::vector<const OpDef*> inferring;

struct Inferring {
  explicit Inferring(const OpDef& def) { inferring.push_back(&def); }
  ~Inferring() { inferring.pop_back(); }
};

}  // namespace

std::vector<Type> infer_by(const Decomposition& decomposition, const InferContext& context) {
  const OpDef& def = context.def();
  if (std::count(inferring.begin(), inferring.end(), &def) > 0) context.fail("it is made of itself");
  const Inferring now(def);
  Graph graph;
  Builder builder(graph, nullptr, context.locations());
  std::vector<Value> operands;
  for (int i = 0; i < context.count(); ++i) operands.push_back(graph.add_input("x" + std::to_string(i), context.operand(i)));
  std::vector<Type> types;
  try {
    for (Value v : decomposition(expressions(builder, operands), context.attributes())) types.push_back(v.type());
  } catch (const Error& e) {
    context.fail("in its decomposition, " + without_place(e, context.locations()));
  }
  return types;
}

}  // namespace detail
}  // namespace weft::ir
