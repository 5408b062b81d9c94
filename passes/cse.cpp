#include "weft/passes/cse.h"

#include <bit>
#include <vector>

#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

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
    if (op->def().copies || (which && !which(*op))) continue;  // each copy is a buffer of its own
    Op* const twin = seen.find_or_add(*op);
    if (!twin) continue;
    twin->add_locations(op->locations().in(twin->locations().phases()));  // computed where it was
    for (int i = 0; i < op->result_count(); ++i) op->result(i).replace_all_uses_with(twin->result(i));
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

bool cse(ir::Module& module) { return cse(module.graph()); }

}  // namespace weft::passes
