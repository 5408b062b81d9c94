#include "weft/frontend/language/recorder.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/scope.h"

namespace weft::detail {
namespace {

bool is_number(const Arg& arg) { return arg.number() || arg.hyper(); }
DType dtype_of_number(const Arg& arg) { return arg.hyper() || arg.number()->category == f64 ? default_dtype() : arg.number()->category; }

/// What is known of an operand before it is recorded.
ir::Type type_of(const Arg& arg) {
  if (arg.tensor()) return arg.tensor()->value().type();
  if (arg.parameter()) return {arg.parameter()->dtype(), arg.parameter()->shape()};
  return {dtype_of_number(arg), {}};
}

std::string describe(const Arg& arg) {
  if (const HyperExpression* h = arg.hyper())
    return h->node().hyper ? fmt::format("the hyper-parameter '{}'", h->node().hyper->name()) : "a number computed of hyper-parameters";
  if (const Arg::Number* n = arg.number()) return fmt::format("{}", n->real);
  return to_string(type_of(arg));
}

std::vector<const Arg*> given(std::vector<const Arg*> operands) {
  std::erase(operands, nullptr);
  return operands;
}

int category(DType t) { return t == boolean ? 0 : is_integer(t) ? 1 : 2; }

}  // namespace

DType promote(DType a, DType b) {
  if (a == b || category(a) != category(b)) return category(a) < category(b) ? b : a;
  if (is_floating(a)) return size_of(a) == size_of(b) ? f32 : size_of(a) < size_of(b) ? b : a;
  for (const DType t : {u16, u32})
    if (a == t || b == t)
      throw Error("{} and {} have no common element type", name_of(a), name_of(b)).hint("cast one of them, or both to i64");
  if (size_of(a) == size_of(b)) return i16;  // u8 and i8
  return size_of(a) < size_of(b) ? b : a;
}

Recorder::Recorder(std::string_view what, std::vector<const Arg*> operands, std::source_location at)
    : what_(what), operands_(given(std::move(operands))), where_(Scope::locate(at)), recording_(find_recording()),
      builder(recording_->graph(), nullptr, {where_}) {}

std::shared_ptr<Recording> Recorder::find_recording() const {
  std::shared_ptr<Recording> found;
  for (const Arg* arg : operands_) {
    const Tensor* tensor = arg->tensor();
    if (!tensor) continue;
    if (!tensor->recording) throw Error("an operand is a Tensor that nothing was assigned to").of(what_).at(to_string(where_));
    if (found && found->lies_in(*tensor->recording)) continue;
    if (found && !tensor->recording->lies_in(*found))
      throw Error("the operands belong to two graphs, '{}' and '{}'", found->name(), tensor->recording->name())
          .of(what_)
          .at(to_string(where_))
          .hint(
              "a tensor lives in the graph that recorded it: let one graph output it and the other take it as an input, or record both in "
              "one graph");
    found = tensor->recording;
  }
  // Whatever a step of a scan records is the step's, also what it computes of values from outside.
  const std::shared_ptr<Recording> innermost = Recording::innermost();
  if (!found) found = Scope::recording();
  if (!found || (innermost && innermost->lies_in(*found))) found = innermost;
  if (found && found->outermost().is_open() && !found->is_open())
    throw Error("an operand belongs to a step of a scan that has been recorded, at {}", to_string(where_))
        .of(what_)
        .hint("a step's values end with it: let it return the tensor, as a state or as a result");
  if (!found)
    throw Error("no graph is being recorded on this thread, at {}; make one first: Graph graph(\"name\")", to_string(where_)).of(what_);
  return found;
}

ir::Value Recorder::value(const Arg& arg) {
  if (arg.tensor()) return recording_->seen(arg.tensor()->value());
  if (const Parameter* p = arg.parameter()) {
    const ir::Value v = recording_->parameter(*p, where_);
    return p->is_frozen() && is_floating(v.dtype()) ? builder("detach", {v}) : v;  // even if it is trained elsewhere in the graph
  }
  return value(arg, dtype_of_number(arg), {});
}

ir::Value Recorder::value(const Arg& arg, DType dtype) {
  if (const HyperExpression* h = arg.hyper()) return builder.cast(value(h->node()), dtype);
  return arg.number() ? value(arg, dtype, {}) : builder.cast(value(arg), dtype);
}

/// In f64.
ir::Value Recorder::value(const HyperExpression::Node& node) {
  using enum HyperExpression::Op;
  switch (node.op) {
    case hyper: return recording_->hyper(*node.hyper, node.hyper->name(), where_);
    case number: return builder.splat({f64, {}}, node.number);
    case negate: return builder("neg", {value(*node.a)});
    case add: return builder("add", {value(*node.a), value(*node.b)});
    case subtract: return builder("sub", {value(*node.a), value(*node.b)});
    case multiply: return builder("mul", {value(*node.a), value(*node.b)});
    case divide: return builder("div", {value(*node.a), value(*node.b)});
    case power: return builder("pow", {value(*node.a), value(*node.b)});
  }
  throw InternalError("no such operation on hyper-parameters");
}

ir::Value Recorder::value(const Arg& arg, DType dtype, const Shape& shape) {
  if (const Arg::Number* n = arg.number()) {
    const ir::Type type{dtype, shape};
    const bool exact = n->category != f64 && !is_floating(dtype);
    return builder("constant", {}, {{"value", exact ? ir::Dense::splat_integer(type, n->integer) : ir::Dense::splat(type, n->real)}});
  }
  return builder.broadcast(value(arg, dtype), shape);
}

ir::Value Recorder::index(const Arg& arg) {
  const ir::Value v = value(arg);
  return is_integer(v.dtype()) ? builder.cast(v, i64) : v;
}

DType Recorder::common_dtype(const std::vector<const Arg*>& operands) const {
  std::array<std::optional<DType>, 3> of_rank_class;  // tensors with axes, scalar tensors, numbers
  for (const Arg* arg : operands) {
    const ir::Type type = type_of(*arg);
    auto& so_far = of_rank_class[is_number(*arg) ? 2 : type.shape.rank() == 0 ? 1 : 0];
    try {
      so_far = so_far ? promote(*so_far, type.dtype) : type.dtype;
    } catch (Error& e) {
      e.of(what_).at(to_string(where_));
      throw;
    }
  }
  std::optional<DType> result;
  for (const auto& lower : of_rank_class)
    if (lower && (!result || category(*lower) > category(*result))) result = lower;
  return *result;
}

DType Recorder::floating_dtype(const std::vector<const Arg*>& operands) const {
  const DType common = common_dtype(operands);
  return is_floating(common) ? common : default_dtype();
}

Shape Recorder::common_shape() const {
  Shape result;
  for (const Arg* arg : operands_) {
    Shape both;
    bool do_broadcast = false;
    try {
      do_broadcast = broadcast_shapes(result, type_of(*arg).shape, both);
    } catch (const Error& e) {
      fail(e.what());
    }
    if (!do_broadcast) fail("the shapes do not broadcast (aligned from the right, extents must be equal or 1)");
    result = both;
  }
  return result;
}

int64_t Recorder::axis(int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank) fail(fmt::format("axis {} is out of range for rank {}", axis, rank));
  return axis < 0 ? axis + rank : axis;
}

Dims Recorder::axes(const Axes& axes, int rank) const {
  Dims result;
  for (int64_t axis : axes.dims) result.push_back(this->axis(axis, std::max(rank, 1)));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) fail("an axis is named twice");
  if (rank == 0) return {};
  if (axes.dims.empty()) {
    result.resize(static_cast<size_t>(rank));
    std::iota(result.begin(), result.end(), 0);
  }
  return result;
}

int64_t Recorder::axis_of(ir::Value& v, int64_t axis) {
  if (v.shape().rank() == 0) v = builder.reshape(v, Shape{1});
  return this->axis(axis, v.shape().rank());
}

Shape Recorder::shape(Dims extents) const {
  try {
    return Shape(std::move(extents));
  } catch (const Error& e) {
    fail(e.what());
  }
}

void Recorder::fail(const std::string& requirement) const {
  std::string given;
  for (const Arg* arg : operands_) given += (given.empty() ? "" : ", ") + describe(*arg);
  throw Error(ErrorKind::shape, requirement).of(what_).given(given).at(to_string(where_));
}

}  // namespace weft::detail
