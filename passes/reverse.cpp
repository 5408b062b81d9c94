#include "weft/passes/reverse.h"

#include <algorithm>

#include "weft/ir/ops/loop.h"
#include "weft/ir/order.h"
#include "weft/passes/loop_gradient.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;
using Active = std::unordered_set<Value, ir::ValueHash>;

bool carries_gradient(const Op& op) {
  if (op.def().needs_body()) return true;
  return op.def().no_gradient.empty() && (op.def().gradient || op.def().decompose);
}

void mark_active(const Op& op, Active& active) {
  std::vector<bool> of_operands;
  for (Value v : op.operands()) of_operands.push_back(active.contains(v));
  if (std::find(of_operands.begin(), of_operands.end(), true) == of_operands.end() || !carries_gradient(op)) return;
  const std::vector<bool> of_results = ir::is_loop(op) ? active_results(op, of_operands) : std::vector<bool>(op.results().size(), true);
  for (Value v : op.results())
    if (of_results[static_cast<size_t>(v.index())] && is_floating(v.dtype())) active.insert(v);
}

}  // namespace

Active active_values(const ir::Graph& graph, std::span<const Value> xs) {
  Active active(xs.begin(), xs.end());
  for (const Op* op : graph.ops()) mark_active(*op, active);
  return active;
}

Reverse::Reverse(ir::Graph& graph, std::span<const Value> xs) : graph_(graph), ops_(graph.op_list()), active_(active_values(graph, xs)) {}

void Reverse::seed(Value y, Value gradient) {
  ir::Builder builder(graph_, nullptr, y.is_input() ? ir::Locations() : backward_lines(y.op()->locations()));
  accumulate(builder, y, gradient);
}

void Reverse::run() {
  backward(ops_);
  if (!missing_.empty()) throw Error("no gradient is known for:{}", missing_);
}

Value Reverse::gradient(Value v) const {
  const auto found = gradients_.find(v);
  return found == gradients_.end() ? Value() : found->second;
}

void Reverse::backward(const std::vector<Op*>& ops) {
  for (auto at = ops.rbegin(); at != ops.rend(); ++at) {
    std::vector<Value> incoming;
    bool any = false;
    for (Value v : (*at)->results()) {
      incoming.push_back(active_.contains(v) ? gradient(v) : Value());
      any = any || incoming.back();
    }
    if (any) backward(**at, std::move(incoming));
  }
}

void Reverse::backward(const Op& op, std::vector<Value> incoming) {
  ir::Builder builder(graph_, nullptr, backward_lines(op.locations()));
  std::vector<Value> outgoing;
  if (ir::is_loop(op)) {
    std::vector<bool> wanted;
    for (Value v : op.operands()) wanted.push_back(active_.contains(v));
    outgoing = loop_gradients(builder, op, incoming, wanted);
  } else if (op.def().gradient) {
    for (size_t i = 0; i < incoming.size(); ++i)
      if (!incoming[i]) incoming[i] = builder.zeros_like(op.result(static_cast<int>(i)));
    ir::GradientContext context{builder, op, incoming};
    outgoing = ir::differentiate(context);
  } else if (op.def().decompose) {
    differentiate_decomposition(builder, op, incoming);
  } else {
    missing_ += fmt::format("\n  {} at {}: {}", op.name(), to_string(op.locations()), op.def().no_gradient);
  }
  for (size_t i = 0; i < outgoing.size(); ++i)
    if (outgoing[i] && active_.contains(op.operands()[i])) accumulate(builder, op.operands()[i], outgoing[i]);
}

/// The op's decomposition is written out once more and differentiated; the op itself stays, since others hold its
/// results. Once the op is decomposed too, common subexpression elimination leaves one copy.
void Reverse::differentiate_decomposition(ir::Builder& builder, const Op& op, const std::vector<Value>& incoming) {
  const Op* before = graph_.previous(nullptr);
  const std::vector<Value> results = ir::decompose(builder, op);
  std::vector<Op*> added;
  for (Op* last = graph_.previous(nullptr); last != before; last = graph_.previous(last)) added.push_back(last);
  std::reverse(added.begin(), added.end());
  for (Op* inner : added) mark_active(*inner, active_);
  for (size_t i = 0; i < results.size(); ++i)
    if (incoming[i] && active_.contains(results[i])) accumulate(builder, results[i], incoming[i]);
  backward(added);
}

const ir::Locations& Reverse::backward_lines(const ir::Locations& lines) {
  if (!lines_.shares_with(lines)) lines_ = lines, backward_lines_ = ir::towards(ir::Direction::backward, lines);
  return backward_lines_;
}

void Reverse::accumulate(ir::Builder& builder, Value v, Value gradient) {
  Value& slot = gradients_[v];
  slot = slot ? builder("add", {slot, gradient}) : gradient;
}

}  // namespace weft::passes
