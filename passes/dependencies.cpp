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

void sort_by_dependencies(ir::Graph& graph) {
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
  if (order.size() != ops.size()) {
    std::string lines;
    for (const ir::Output& output : graph.outputs())
      if (output.alias && !output.value.is_input() && waiting[output.value.op()] > 0)
        lines += fmt::format("\n  '{}' at {}", graph.input(*output.alias).name(), to_string(output.locations));
    throw Error("these updates replace values that the others still read, so none can come first; hold one of the old "
                "values in a state of its own:{}", lines);
  }
  graph.reorder(order);
}

}  // namespace weft::passes
