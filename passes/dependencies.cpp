#include "weft/passes/dependencies.h"

#include <algorithm>
#include <set>

#include "weft/passes/liveness.h"
#include "weft/support/error.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

Dependencies::Dependencies(const ir::Graph& graph) {
  for (const auto& op : graph.ops()) {
    before_[op.get()];
    after_[op.get()];
    for (Value v : op->operands())
      if (!v.is_input()) edge(v.op(), op.get());
  }
  for (const ir::Output& output : graph.outputs()) {
    if (!output.alias || output.value.is_input()) continue;
    for (const Op* reader : memory_readers(graph.input(*output.alias)))
      if (reader != output.value.op()) edge(reader, output.value.op());
  }
}

void Dependencies::edge(const Op* first, const Op* second) {
  auto& list = before_[second];
  if (std::find(list.begin(), list.end(), first) != list.end()) return;
  list.push_back(first);
  after_[first].push_back(second);
}

namespace {

/// The ops in an order that respects every dependency, as far as there is one.
std::vector<Op*> ordered(const ir::Graph& graph) {
  const Dependencies dependencies(graph);
  std::unordered_map<const Op*, size_t> position, waiting;
  const std::vector<Op*> ops = graph.op_list();
  std::set<size_t> ready;
  for (size_t i = 0; i < ops.size(); ++i) {
    position[ops[i]] = i;
    waiting[ops[i]] = dependencies.before(ops[i]).size();
    if (waiting[ops[i]] == 0) ready.insert(i);
  }
  std::vector<Op*> order;
  while (!ready.empty()) {
    Op* op = ops[*ready.begin()];
    ready.erase(ready.begin());
    order.push_back(op);
    for (const Op* next : dependencies.after(op))
      if (--waiting[next] == 0) ready.insert(position[next]);
  }
  return order;
}

}  // namespace

void sort_by_dependencies(ir::Graph& graph) {
  std::vector<Op*> order = ordered(graph);
  if (order.size() != graph.ops().size())
    throw Error("updates read what each other replaces, so that there is no order: the pass 'updates' makes one read a copy");
  graph.reorder(order);
}

std::vector<int> circular_updates(const ir::Graph& graph) {
  const std::vector<Op*> order = ordered(graph);
  const std::set<const Op*> placed(order.begin(), order.end());
  std::vector<int> stuck;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    if (output.alias && !output.value.is_input() && !placed.contains(output.value.op())) stuck.push_back(static_cast<int>(i));
  }
  return stuck;
}

}  // namespace weft::passes
