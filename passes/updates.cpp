#include "weft/passes/updates.h"

#include <algorithm>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/passes/analysis/aliasing.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// Does an op that reads `old` need the result of `writer`? Then it cannot come before it.
bool is_read_after(Value old, const Op& writer) {
  const std::vector<Op*> readers = memory_readers(old);
  std::unordered_set<const Op*> seen;
  std::vector<const Op*> stack{&writer};
  while (!stack.empty()) {
    const Op* op = stack.back();
    stack.pop_back();
    for (Value v : op->results())
      for (const Op* user : v.users())
        if (seen.insert(user).second) stack.push_back(user);
  }
  return std::any_of(readers.begin(), readers.end(), [&](const Op* r) { return seen.contains(r); });
}

Value copy_of(const ir::Output& output) { return Builder(*output.value.graph(), nullptr, output.locations)("copy", {output.value}); }

/// Updates that each read what another one replaces have no order, until everyone reads a copy of one old value.
void break_circles(ir::Graph& graph) {
  for (std::vector<int> stuck = circular_updates(graph); !stuck.empty(); stuck = circular_updates(graph)) {
    const ir::Output& output = graph.outputs()[static_cast<size_t>(stuck[0])];
    const Value old = graph.input(*output.alias);
    const std::vector<ir::Use> readers(old.users().begin(), old.users().end());
    const Value copy = Builder(graph, graph.ops().front(), output.locations)("copy", {old});
    for (const ir::Use& reader : readers) reader.op->set_operand(reader.operand, copy);
  }
}

}  // namespace

bool updates(ir::Module& module) {
  ir::Graph& graph = module.graph();
  const std::vector<Op*> before = graph.op_list();
  std::unordered_set<Value, ir::ValueHash> taken;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    if (!output.alias) continue;
    const Value old = graph.input(*output.alias);
    const bool own = !output.value.is_input() && may_replace(output.value, old) && !is_read_after(old, *output.value.op());
    if (!own || !taken.insert(output.value).second) graph.set_output(i, copy_of(output));
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    const Value owner = owner_of(output.value);
    if (!output.alias && (owner.is_input() || taken.contains(owner))) graph.set_output(i, copy_of(output));
  }
  break_circles(graph);
  sort_by_dependencies(graph);
  return graph.op_list() != before;
}

}  // namespace weft::passes
