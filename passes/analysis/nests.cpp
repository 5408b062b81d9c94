#include "weft/passes/analysis/nests.h"

#include <algorithm>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

/// A view that stays outside hides from the nest which elements of the old value are read.
bool reads_view_of_replaced(const NestRegion& r) {
  const auto is_inside = [&](const Op* op) { return std::find(r.ops.begin(), r.ops.end(), op) != r.ops.end(); };
  const auto is_replaced = [&](Value v) {
    return std::any_of(r.in_place.begin(), r.in_place.end(), [&](const auto& p) { return p.second == v; });
  };
  for (const Op* op : r.ops)
    for (Value v : op->operands())
      if (owner_of(v) != v && is_replaced(owner_of(v)) && !is_inside(v.op())) return true;
  return false;
}

}  // namespace

bool can_fuse(const Op& op) {
  switch (op.def().kind) {
    case Kind::elementwise:
    case Kind::reduction:
    case Kind::movement:
    case Kind::index: return true;
    case Kind::view: return op.def().access(op).has_value();
    case Kind::constant: return op.attribute<ir::Dense>("value").is_splat();
    case Kind::composite:
    case Kind::heavy:
    case Kind::nest:
    case Kind::launch:
    case Kind::loop: return false;
  }
  return false;
}

bool is_cheap(const Op& op) {
  if (op.def().copies) return false;
  if (op.def().kind == Kind::constant || op.def().kind == Kind::index || op.def().broadcasts) return can_fuse(op);
  const bool single = op.result().shape().numel() == 1 && op.def().kind != Kind::reduction;
  return single && can_fuse(op);
}

Nests::Nests(const ir::Graph& graph) {
  for (const ir::Output& output : graph.outputs())
    if (output.alias && !output.value.is_input()) replaced_[output.value].push_back(graph.input(*output.alias));
}

std::optional<LoopNest> Nests::nest_of(const std::vector<Op*>& ops, const std::vector<Value>& outputs, NoNest* why) const {
  NestRegion r;
  r.ops.assign(ops.begin(), ops.end());
  r.outputs = outputs;
  for (size_t i = 0; i < r.outputs.size(); ++i)
    for (Value old : replaced_by(r.outputs[i])) r.in_place.emplace_back(static_cast<int>(i), old);
  if (!r.in_place.empty() && reads_view_of_replaced(r)) {
    if (why) *why = {"a view of the old value is read", "the value is read as it is"};
    return std::nullopt;
  }
  count_work(static_cast<int64_t>(ops.size()));
  return analyze(r, why);
}

const std::vector<Value>& Nests::replaced_by(Value value) const {
  static const std::vector<Value> none;
  const auto found = replaced_.find(value);
  return found == replaced_.end() ? none : found->second;
}

}  // namespace weft::passes
