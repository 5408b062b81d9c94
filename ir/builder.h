#pragma once
// Creates ops: fills in attribute defaults, checks operands, infers result types.

#include <initializer_list>
#include <string_view>

#include "weft/ir/graph.h"
#include "weft/ir/op_def.h"

namespace weft::ir {

class Builder {
 public:
  /// Appends to `graph`, or inserts before `before`. New ops get `locations`.
  explicit Builder(Graph& graph, Op* before = nullptr, Locations locations = {})
      : graph_(&graph), before_(before), locations_(std::move(locations)) {}

  Graph& graph() const { return *graph_; }
  void set_locations(Locations locations) { locations_ = std::move(locations); }
  const Locations& locations() const { return locations_; }
  void set_insertion_point(Op* before) { before_ = before; }
  /// What new ops are inserted before; null: they are appended.
  Op* insertion_point() const { return before_; }

  /// Throws weft::Error (op, requirement, operand types, user's line) when the operands or attributes do not fit.
  Op& create(std::string_view op, std::vector<Value> operands, NamedAttributes attributes = {},
             std::vector<std::unique_ptr<Graph>> bodies = {});
  Op& create(const OpDef& def, std::vector<Value> operands, NamedAttributes attributes = {},
             std::vector<std::unique_ptr<Graph>> bodies = {});
  /// The same op of other operands, with its bodies and its attributes, but for those that are given.
  Op& copy(const Op& op, std::vector<Value> operands, const NamedAttributes& changed = {});
  Op& copy(const Op& op, std::vector<Value> operands, const NamedAttributes& changed, std::vector<std::unique_ptr<Graph>> bodies);
  /// The single result of `create`.
  Value operator()(std::string_view op, std::vector<Value> operands, NamedAttributes attributes = {}) {
    return create(op, std::move(operands), std::move(attributes)).result();
  }

  /// Every element `value`.
  Value splat(const Type& type, double value);
  Value zeros_like(Value v) { return splat(v.type(), 0); }
  /// No op when the shape / type is right already.
  Value broadcast(Value v, const Shape& shape);
  Value reshape(Value v, const Shape& shape);
  Value cast(Value v, DType dtype);
  /// With the type's elements and shape: of a scalar in double, what a tensor is computed with.
  Value broadcast_as(Value v, const Type& type) { return broadcast(cast(v, type.dtype), type.shape); }
  /// What a reduction over these axes of the shape gave, broadcast back over them.
  Value broadcast_over(Value v, const Dims& axes, const Shape& shape);
  Value sum(Value v, Dims axes, bool keep_dims = false);
  /// Sums out what broadcasting to v's shape added: the gradient of broadcast.
  Value sum_to(Value v, const Shape& shape);

 private:
  Graph* graph_;
  Op* before_;
  Locations locations_;
};

/// Result types by the op's own rule, operands checked against its specification.
std::vector<Type> infer_types(const OpDef& def, std::span<const Type> operands, Attributes attributes,
                              std::span<const std::unique_ptr<Graph>> bodies, const Locations& at);

/// Attributes in the order of the definition, defaults filled in; unknown or missing ones throw weft::Error.
std::vector<Attribute> complete_attributes(const OpDef& def, const NamedAttributes& given, const Locations& at);

/// A value with operators, so that gradient rules and decompositions read like the maths. Operands must have equal
/// shapes; a number becomes a constant of the other operand's type.
class Expr {
 public:
  Expr(Builder& builder, Value value) : builder_(&builder), value_(value) {}
  operator Value() const { return value_; }
  Value value() const { return value_; }
  Builder& builder() const { return *builder_; }
  Expr like(double number) const { return {*builder_, builder_->splat(value_.type(), number)}; }
  Expr apply(std::string_view op) const { return {*builder_, (*builder_)(op, {value_})}; }
  Expr apply(std::string_view op, Value other) const { return {*builder_, (*builder_)(op, {value_, other})}; }
  Expr apply(std::string_view op, NamedAttributes attributes) const {
    return {*builder_, (*builder_)(op, {value_}, std::move(attributes))};
  }
  /// Axes of extent 1, and missing ones in front, stretched.
  Expr broadcast(const Shape& shape) const { return {*builder_, builder_->broadcast(value_, shape)}; }

 private:
  Builder* builder_;
  Value value_;
};

#define WEFT_EXPR_OPERATOR(symbol, op)                                             \
  inline Expr operator symbol(Expr a, Expr b) { return a.apply(op, b); }           \
  inline Expr operator symbol(Expr a, double b) { return a.apply(op, a.like(b)); } \
  inline Expr operator symbol(double a, Expr b) { return b.like(a).apply(op, b); }
WEFT_EXPR_OPERATOR(+, "add")
WEFT_EXPR_OPERATOR(-, "sub")
WEFT_EXPR_OPERATOR(*, "mul")
WEFT_EXPR_OPERATOR(/, "div")
WEFT_EXPR_OPERATOR(<, "lt")
WEFT_EXPR_OPERATOR(<=, "le")
WEFT_EXPR_OPERATOR(==, "eq")
WEFT_EXPR_OPERATOR(!=, "ne")
#undef WEFT_EXPR_OPERATOR
inline Expr operator-(Expr a) { return a.apply("neg"); }
inline Expr select(Expr condition, Expr yes, Expr no) { return {condition.builder(), condition.builder()("select", {condition, yes, no})}; }

}  // namespace weft::ir
