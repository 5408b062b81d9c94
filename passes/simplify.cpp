#include "weft/passes/simplify.h"

#include <bit>

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

namespace {

/// The ops that were seen, by what they compute on what.
class Seen {
 public:
  explicit Seen(size_t most) : first_(std::bit_ceil(most + 2), -1) { entries_.reserve(most); }

  /// The earlier op that computes the same, or null: then this one was added.
  Op* find_or_add(Op& op) {
    size_t hash = ir::computation_hash(op);
    for (Value v : op.operands()) hash = hash * 1000003 ^ ir::ValueHash{}(v);
    int& first = first_[(hash * 0x9e3779b97f4a7c15) >> (64 - std::countr_zero(first_.size()))];
    for (int i = first; i >= 0; i = entries_[static_cast<size_t>(i)].next) {
      const Entry& e = entries_[static_cast<size_t>(i)];
      if (e.hash == hash && e.op->operands() == op.operands() && ir::same_computation(*e.op, op)) return e.op;
    }
    entries_.push_back({hash, &op, first});
    first = static_cast<int>(entries_.size()) - 1;
    return nullptr;
  }

 private:
  struct Entry {
    size_t hash;
    Op* op;
    int next;  // in the same place of the table, or -1
  };

  std::vector<int> first_;  // a power of two
  std::vector<Entry> entries_;
};

}  // namespace

bool cse(ir::Graph& graph, bool (*which)(const ir::Op&)) {
  bool changed = false;
  Seen seen(graph.ops().size());
  for (Op* op : graph.editable_ops()) {
    if (op->is("copy") || (which && !which(*op))) continue;  // each copy is a buffer of its own
    Op* const twin = seen.find_or_add(*op);
    if (!twin) continue;
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
