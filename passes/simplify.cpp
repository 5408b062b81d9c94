#include "weft/passes/simplify.h"

#include <memory_resource>
#include <unordered_map>

#include "weft/ir/equal.h"
#include "weft/ir/order.h"
#include "weft/support/work.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

bool decompose(ir::Module& module) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  // What a decomposition inserts stands before the op, so the walk looks at it next.
  for (auto at = graph.ops().begin(); at != graph.ops().end();) {
    Op& op = **at;
    if (op.def().kind != ir::Kind::composite) {
      ++at;
      continue;
    }
    const bool first = at == graph.ops().begin();
    const auto previous = first ? at : std::prev(at);
    ir::Builder builder(graph, &op, op.locations());
    const std::vector<Value> results = ir::decompose(builder, op);
    for (int i = 0; i < op.result_count(); ++i) op.result(i).replace_all_uses_with(results[static_cast<size_t>(i)]);
    graph.erase(op);
    at = first ? graph.ops().begin() : std::next(previous);
    changed = true;
  }
  return changed;
}

bool cse(ir::Graph& graph, bool (*which)(const ir::Op&)) {
  bool changed = false;
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_multimap<size_t, Op*> seen(&memory);
  for (Op* op : graph.editable_ops()) {
    if (op->is("copy") || (which && !which(*op))) continue;  // each copy is a buffer of its own
    size_t hash = ir::computation_hash(*op);
    for (Value v : op->operands()) hash = hash * 31 ^ ir::ValueHash{}(v);
    Op* twin = nullptr;
    for (auto [at, end] = seen.equal_range(hash); at != end && !twin; ++at)
      if (at->second->operands() == op->operands() && ir::same_computation(*at->second, *op)) twin = at->second;
    if (!twin) {
      seen.emplace(hash, op);
      continue;
    }
    twin->add_locations(op->locations());
    for (int i = 0; i < op->result_count(); ++i) op->result(i).replace_all_uses_with(twin->result(i));
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

bool dce(ir::Graph& graph) {
  bool changed = false;
  count_work(static_cast<int64_t>(graph.ops().size()));
  for (Op *op = graph.previous(nullptr), *before; op; op = before) {
    before = graph.previous(op);
    if (!op->is_unused()) continue;
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

bool cse(ir::Module& module) { return cse(module.graph()); }

bool dce(ir::Module& module) {
  ir::Graph& graph = module.graph();
  bool changed = dce(graph);
  for (int i = static_cast<int>(graph.inputs().size()) - 1; i >= 0; --i) {
    const ir::Input& input = graph.inputs()[static_cast<size_t>(i)];
    if (input.role != ir::Role::hyper || !input.value().users().empty() || graph.is_output(input.value())) continue;
    graph.remove_input(i);
    changed = true;
  }
  return changed;
}

bool simplify(ir::Module& module, const OnRewrite& on_rewrite) {
  bool any = false;
  for (;;) {
    bool changed = canonicalize(module, on_rewrite);
    changed |= fold(module);
    changed |= cse(module);
    changed |= dce(module);
    if (!changed) return any;
    any = true;
  }
}

}  // namespace weft::passes
