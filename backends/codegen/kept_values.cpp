#include "weft/backends/codegen/kept_values.h"

#include <algorithm>

#include "weft/backends/codegen/math/math.h"
#include "weft/ir/op_def.h"

namespace weft::codegen {
namespace {

/// A function that no instruction computes is worth more than a load.
bool is_expensive(const ir::Op& op) {
  if (op.def().kind != ir::Kind::elementwise) return false;
  const ir::ScalarExpression expression = scalar_of(op);
  return std::any_of(expression.nodes.begin(), expression.nodes.end(), [](const ir::ScalarNode& n) { return find_function(n.primitive); });
}

}  // namespace

KeptValues::KeptValues(const ir::Graph& body, const passes::LoopNest& nest) {
  for (int stage = 0; stage < nest.stages; ++stage) {
    for (const auto& [op, its_stage] : nest.reduction_stage)
      if (its_stage == stage) visit(op->operand(0), stage, nest);
    for (size_t i = 0; i < body.outputs().size(); ++i)
      if (nest.output_stage[i] == stage) visit(body.outputs()[i].value, stage, nest);
  }
}

/// Stages come in order, so that the last one to visit an op is the last to need it.
void KeptValues::visit(ir::Value v, int stage, const passes::LoopNest& nest) {
  if (v.is_input() || nest.reduction_stage.contains(v.op())) return;
  const auto [found, is_new] = last_stage_.emplace(v.op(), stage);
  if (!is_new && found->second == stage) return;
  found->second = stage;
  for (ir::Value operand : v.op()->operands()) visit(operand, stage, nest);
}

bool KeptValues::is_needed_after(const ir::Op& op, int stage) const {
  const auto found = last_stage_.find(&op);
  return found != last_stage_.end() && found->second > stage && is_expensive(op);
}

}  // namespace weft::codegen
