#pragma once
// What the losses have in common while they are recorded.

#include "weft/frontend/loss.h"
#include "weft/frontend/recorder.h"

namespace weft::detail {

class LossRecorder : public Recorder {
 public:
  using Recorder::Recorder;

  ir::Expr expr(ir::Value v) { return {builder, v}; }
  /// The operand in that type, stretched to that shape; `what` is for the message.
  ir::Expr stretched(const Arg& arg, const ir::Type& to, const char* what);
  /// All elements added up.
  ir::Expr total(ir::Value v);
  /// The losses `each` as the reduction says.
  Tensor reduced(ir::Value each, const std::string& reduction);
  /// Input and target, which must be floating and of one shape, in their common type.
  std::pair<ir::Expr, ir::Expr> pair(const Arg& input, const Arg& target);
};

}  // namespace weft::detail
