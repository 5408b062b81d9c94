#include "weft/passes/analysis/arithmetic_cost.h"

namespace weft::passes {

double cost_of(ir::Primitive p) {
  switch (p) {
    case ir::Primitive::argument:
    case ir::Primitive::constant: return 0;
    case ir::Primitive::divide:
    case ir::Primitive::sqrt: return divide_cost;
    case ir::Primitive::exp:
    case ir::Primitive::expm1:
    case ir::Primitive::log:
    case ir::Primitive::log1p:
    case ir::Primitive::sin:
    case ir::Primitive::cos:
    case ir::Primitive::tanh:
    case ir::Primitive::erf:
    case ir::Primitive::atan:
    case ir::Primitive::asinh:
    case ir::Primitive::pow: return function_cost;
    default: return plain_cost;
  }
}

}  // namespace weft::passes
