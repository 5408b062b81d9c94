#pragma once
// Records one op of the tensor language: finds the graph and the user's line from its operands, promotes element types
// and makes broadcasting explicit.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/frontend/language/recording.h"
#include "weft/frontend/language/tensor.h"
#include "weft/ir/builder.h"
#include "weft/runtime/float_mode.h"

namespace weft::detail {

class Recorder {
 public:
  /// `what` names the op in messages. Throws weft::Error when the operands belong to two graphs, and when there is no
  /// graph to record into: without a tensor operand, that is the graph of the module being called, else the innermost
  /// living one. Null stands for an optional operand that is not given; the first one is.
  Recorder(std::string_view what, std::initializer_list<const Arg*> operands)
      : Recorder(what, {operands.begin(), operands.end()}, (*operands.begin())->where()) {}
  /// For ops without operands.
  Recorder(std::string_view what, std::source_location at) : Recorder(what, {}, at) {}
  Recorder(std::string_view what, std::vector<const Arg*> operands, std::source_location at);

  /// The operand as it is; a number is a scalar of its own category (a floating one of default_dtype()).
  ir::Value value(const Arg& arg);
  /// The same in another element type and shape. A number becomes a constant of that type.
  ir::Value value(const Arg& arg, DType dtype);
  ir::Value value(const Arg& arg, DType dtype, const Shape& shape);
  /// The operand as indices: integers of any type as i64. What holds others stays as it is, and the op refuses it.
  ir::Value index(const Arg& arg);

  /// The common element type of all operands, or of these, by torch.result_type: the highest category (bool < integer < floating) among
  /// tensors with axes, then scalar tensors, then numbers decides; inside a category the wider type. Throws weft::Error where an integer
  /// meets u16 or u32 of its own rank class.
  DType common_dtype() const { return common_dtype(operands_); }
  DType common_dtype(const std::vector<const Arg*>& operands) const;
  /// The same, but default_dtype() where it is no floating type.
  DType floating_dtype() const { return floating_dtype(operands_); }
  DType floating_dtype(const std::vector<const Arg*>& operands) const;
  /// The shape that all operands broadcast to.
  Shape common_shape() const;

  /// Creates the op and hands out its result.
  Tensor operator()(std::string_view op, std::vector<ir::Value> operands, ir::NamedAttributes attributes = {}) {
    return tensor(builder(op, std::move(operands), std::move(attributes)));
  }
  Tensor tensor(ir::Value value) const { return {recording_, value}; }
  /// `axis` counted from the end when negative; throws weft::Error when it is not below `rank`.
  int64_t axis(int64_t axis, int rank) const;
  /// The axes so counted, ascending; all of them when none are given. Throws weft::Error when one is named twice. A scalar has none, and
  /// may be told 0 or -1, as in PyTorch.
  Dims axes(const Axes& axes, int rank) const;
  /// The axis of `v` so counted. A scalar counts as one element of an axis, as in PyTorch: that is what `v` then is.
  int64_t axis_of(ir::Value& v, int64_t axis);
  /// Throws weft::Error, which knows the op and the line, for extents that no shape has.
  Shape shape(Dims extents) const;
  /// Throws weft::Error: the op, the requirement, the operands' types, the user's line.
  [[noreturn]] void fail(const std::string& requirement) const;

  Recording& recording() { return *recording_; }
  const std::shared_ptr<Recording>& shared_recording() const { return recording_; }
  const ir::Location& where() const { return where_; }

 private:
  std::shared_ptr<Recording> find_recording() const;
  ir::Value value(const HyperExpression::Node& node);

  FloatMode mode_;  // numbers become constants
  std::string what_;
  std::vector<const Arg*> operands_;
  ir::Location where_;
  std::shared_ptr<Recording> recording_;

 public:
  ir::Builder builder;
};

/// An optional operand for a Recorder's list.
inline const Arg* pointer(const std::optional<Arg>& arg) { return arg ? &*arg : nullptr; }

/// The element type that two tensors of equal rank class promote to. Throws weft::Error where another integer meets u16 or u32, for which
/// torch has none either.
DType promote(DType a, DType b);

}  // namespace weft::detail
