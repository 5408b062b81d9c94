#pragma once
// What the losses have in common while they are recorded. Of narrow scores a loss is computed in f32 and rounded once.

#include "weft/frontend/language/loss.h"
#include "weft/frontend/language/recorder.h"

namespace weft::detail {

class LossRecorder : public Recorder {
 public:
  using Recorder::Recorder;

  /// The operand that says the result's type, the narrow ones as f32.
  ir::Value scores(const Arg& arg) { return widened(value(arg)); }
  /// What is computed, in the result's type.
  Tensor tensor(ir::Value v) { return Recorder::tensor(narrow_ && is_floating(v.dtype()) ? builder.cast(v, *narrow_) : v); }
  Tensor operator()(std::string_view op, std::vector<ir::Value> operands, ir::NamedAttributes attributes = {}) {
    return tensor(builder(op, std::move(operands), std::move(attributes)));
  }

  ir::Expr expr(ir::Value v) { return {builder, v}; }
  /// The operand in that type, stretched to that shape; `what` is for the message.
  ir::Expr stretched(const Arg& arg, const ir::Type& to, const char* what);
  /// v, of a narrow type as f32, which the result then is rounded from.
  ir::Value widened(ir::Value v) {
    if (!is_narrow(v.dtype())) return v;
    narrow_ = v.dtype();
    return builder.cast(v, f32);
  }
  /// All elements added up.
  ir::Expr total(ir::Value v);
  /// The losses `each` as the reduction says.
  Tensor reduced(ir::Value each, const std::string& reduction);
  /// Input and target, which must be floating and of one shape, in their common type, the narrow ones as f32.
  std::pair<ir::Expr, ir::Expr> pair(const Arg& input, const Arg& target);

 private:
  std::optional<DType> narrow_ = {};  // the result's
};

}  // namespace weft::detail
