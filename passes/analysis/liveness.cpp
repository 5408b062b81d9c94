#include "weft/passes/analysis/liveness.h"

#include <algorithm>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/placement.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

bool is_view(Value v) { return !v.is_input() && v.op()->def().kind == ir::Kind::view; }

Value owner_of(Value v) {
  while (is_view(v)) v = v.op()->operand(0);
  return v;
}

std::vector<Op*> memory_readers(Value v) {
  std::vector<Op*> readers, waiting(v.users().rbegin(), v.users().rend());
  while (!waiting.empty()) {
    Op* user = waiting.back();
    waiting.pop_back();
    if (user->def().kind != ir::Kind::view) {
      readers.push_back(user);
      continue;
    }
    const ir::Users& through = user->result().users();
    waiting.insert(waiting.end(), through.rbegin(), through.rend());
  }
  return readers;
}

Placement placement_of(const ir::Graph& graph) {
  Placement places;
  for (const ir::Input& input : graph.inputs()) places[input.value()] = {Place::Kind::input, input.value().index(), input.value()};
  for (const ir::Output& output : graph.outputs())
    if (output.alias) places[output.value] = {Place::Kind::input, *output.alias, output.value};
  for (const auto& op : graph.ops())
    for (Value v : op->results()) {
      if (places.contains(v)) continue;
      if (is_view(v)) places[v] = places.at(op->operand(0));
      else if (op->def().kind == ir::Kind::constant) places[v] = {Place::Kind::constant, 0, v};
      else {
        WEFT_CHECK(v.offset(), "a result of {} has no place", op->name());
        places[v] = {Place::Kind::arena, *v.offset(), v};
      }
    }
  return places;
}

std::vector<Interval> arena_intervals(const ir::Graph& graph) {
  std::unordered_set<Value, ir::ValueHash> in_inputs;
  for (const ir::Output& output : graph.outputs())
    if (output.alias) in_inputs.insert(output.value);
  std::vector<Interval> intervals;
  std::unordered_map<Value, size_t, ir::ValueHash> number;
  int now = 0;
  for (const auto& op : graph.ops()) {
    for (Value v : op->operands())
      if (const auto found = number.find(owner_of(v)); found != number.end()) intervals[found->second].end = now;
    if (op->def().kind != ir::Kind::view && op->def().kind != ir::Kind::constant)
      for (Value v : op->results()) {
        if (in_inputs.contains(v)) continue;
        number[v] = intervals.size();
        intervals.push_back({v, now, now});
      }
    ++now;
  }
  for (const ir::Output& output : graph.outputs())
    if (const auto found = number.find(owner_of(output.value)); found != number.end()) intervals[found->second].end = now;
  return intervals;
}

}  // namespace weft::passes
