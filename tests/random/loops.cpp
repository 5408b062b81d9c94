#include "weft/tests/random/loops.h"

#include <algorithm>
#include <numeric>

#include "weft/ir/builder.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/loops.h"

namespace weft::test {
namespace {

using ir::Value;

bool is_index(const ir::Graph& graph, int input) {
  const Value v = graph.input(input);
  for (const ir::Op* op : v.users())
    for (int i = 0; i < static_cast<int>(op->operands().size()); ++i)
      if (op->operand(i) == v && op->def().index_bound && op->def().index_bound(*op, i)) return true;
  return false;
}

/// A value that the next step may have in the place of `state`, of numbers up to 1.
Value successor(ir::Builder& b, Dice& dice, const Pool& pool, Value state) {
  const Value alike = pool.draw(dice, [&](Value v) { return !v.is_input() && v.type() == state.type(); });
  if (alike && dice.chance(80)) return b("tanh", {alike});
  const Value other = pool.draw(dice, [](Value v) { return !v.is_input() && is_floating(v.dtype()) && v.shape().numel() > 0; });
  if (!other) return b("tanh", {state});
  Dims axes(other.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  const Value mean = b.cast(b("mean", {b("tanh", {other})}, {{"axes", axes}}), state.dtype());
  return b("tanh", {b("add", {state, b.broadcast(mean, state.shape())})});
}

}  // namespace

ir::Type LoopBody::operand(int input) const {
  const ir::Type type = graph->input(input).type();
  return input >= carried && input < carried + sliced ? ir::stacked_of(type, length) : type;
}

std::optional<LoopBody> loop_body(ir::Module& module, Dice& dice, const Pool& pool) {
  LoopBody body{.length = 1 + static_cast<int64_t>(dice(4)), .reverse = dice.chance(40)};
  ir::Graph& drawn = module.graph();
  std::vector<int> carried, sliced, constant;
  for (int i = 0; i < static_cast<int>(drawn.inputs().size()); ++i) {
    if (is_index(drawn, i)) return std::nullopt;
    const bool may_carry = is_floating(drawn.input(i).dtype()) && carried.size() < 3;
    (may_carry && dice.chance(70) ? carried : dice.chance(60) ? sliced : constant).push_back(i);
  }
  ir::Builder b(drawn);
  std::vector<Value> outputs;
  for (int i : carried) outputs.push_back(successor(b, dice, pool, drawn.input(i)));
  for (size_t more = carried.empty() ? 1 : dice(3); more > 0; --more) {
    const Value v = !outputs.empty() && dice.chance(30) ? dice.pick(outputs) : pool.draw(dice, [](Value x) { return !x.is_input(); });
    if (v) outputs.push_back(v);
  }
  if (outputs.empty()) return std::nullopt;
  body.carried = std::ssize(carried), body.sliced = std::ssize(sliced);
  for (const auto* list : {&sliced, &constant}) carried.insert(carried.end(), list->begin(), list->end());
  drawn.reorder_inputs(carried);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool is_carried = static_cast<int64_t>(i) < body.carried;
    drawn.add_output({"", outputs[i], is_carried ? std::optional(static_cast<int>(i)) : std::nullopt, {}});
  }
  body.graph = clone(drawn);
  return body;
}

ir::Module without_loops(const ir::Module& module) {
  ir::Module m = module.clone();
  for (bool found = true; found;) {
    found = false;
    for (ir::Op* op : m.graph().op_list())
      if (ir::is_loop(*op)) passes::write_out(*op), found = true;
  }
  return m;
}

}  // namespace weft::test
