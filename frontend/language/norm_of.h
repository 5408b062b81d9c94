#pragma once
// Norms whose gradient is 0 where they are 0, as in PyTorch.

#include "weft/frontend/language/recorder.h"

namespace weft::detail {

/// sqrt(x), with the derivative 0 at 0.
ir::Expr root(ir::Expr x);
/// weft::norm of v, which is floating: of f16 and bf16 in f32, which holds the squares of what f16 holds, and not rounded.
ir::Value wide_norm(Recorder& r, ir::Value v, double p, const Dims& axes, bool keep_dims);
/// The same in v's type.
ir::Value norm(Recorder& r, ir::Value v, double p, const Dims& axes, bool keep_dims);

}  // namespace weft::detail
