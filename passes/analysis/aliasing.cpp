#include "weft/passes/analysis/aliasing.h"

#include <unordered_set>
#include <vector>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/loop_nest.h"
#include "weft/support/work.h"

namespace weft::passes {

using ir::Kind;
using ir::Op;
using ir::Value;

namespace {

/// Of an op that is one nest. Where types differ, equal indices are not equal addresses.
bool nest_may_overwrite(const ir::Op& op, int operand, int result) {
  if (op.operand(operand).type() != op.result(result).type()) return false;
  if (op.def().kind == Kind::heavy) {
    if (op.def().in_place == operand && result == 0) return true;
    // A library reads the epilogue's operands where it writes the result, its own anywhere.
    const int inner = operand - 1;
    if (op.bodies().empty() || inner < 1 || result != 0) return false;
    NestRegion region = region_of(op.body());
    region.in_place = {{0, op.body().input(inner)}};
    return analyze(region).has_value();
  }
  if (op.def().kind != Kind::nest) return analyze({{&op}, {op.result(result)}, {{0, op.operand(operand)}}}).has_value();
  NestRegion region = region_of(op.body());
  region.in_place = {{result, op.body().input(operand)}};
  return analyze(region).has_value();
}

/// In a kernel, no other nest than the writing one may read the operand, unless the nests run in order.
bool kernel_may_overwrite(const ir::Op& kernel, int operand, int result) {
  const ir::Graph& body = kernel.body();
  const Value old = body.input(operand), written = body.outputs()[static_cast<size_t>(result)].value;
  std::unordered_set<const Op*> others;
  for (const ir::Use& use : old.users())
    if (use.op != written.op()) others.insert(use.op);
    else if (!nest_may_overwrite(*use.op, use.operand, written.index())) return false;
  if (others.empty()) return true;
  if (!kernel.flag("serial")) return false;
  for (const auto& nest : body.ops()) {
    if (nest == written.op()) return others.empty();
    others.erase(nest);
  }
  return false;
}

bool may_replace(const Op& op, int operand, int result) {
  if (ir::is_loop(op)) return operand == result && ir::scan_of(op).is_carried(operand);
  return op.def().kind == Kind::launch ? kernel_may_overwrite(op, operand, result) : nest_may_overwrite(op, operand, result);
}

}  // namespace

bool may_replace(Value v, Value old) {
  const Op& op = *v.op();
  if (op.def().kind == Kind::view || op.def().kind == Kind::constant) return false;
  // What a loop carries lies where it began.
  if (ir::is_loop(op) && v.index() < ir::scan_of(op).carried && op.operand(v.index()) != old) return false;
  // The operands that are `old` or a view of it.
  std::vector<Value> same{old};
  for (size_t i = 0; i < same.size(); ++i)
    for (const ir::Use& use : same[i].users()) {
      count_work(1);
      if (use.op->def().kind == Kind::view) same.push_back(use.op->result());
      if (use.op == &op && !may_replace(op, use.operand, v.index())) return false;
    }
  return true;
}

}  // namespace weft::passes
