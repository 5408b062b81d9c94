#include "weft/passes/dependencies.h"

#include <functional>
#include <memory_resource>
#include <queue>
#include <unordered_set>

#include "weft/passes/liveness.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

Dependencies::Dependencies(const ir::Graph& graph) : ops_(graph.op_list()), before_(ops_.size()), after_(ops_.size()) {
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_set<uint64_t> known(&memory);
  known.reserve(2 * ops_.size());
  number_.reserve(ops_.size());
  const auto edge = [&](const Op* first, const Op* second) {
    const int a = number(first), b = number(second);
    count_work(1);
    if (!known.insert(static_cast<uint64_t>(a) << 32 | static_cast<uint32_t>(b)).second) return;
    before_[static_cast<size_t>(b)].push_back(a);
    after_[static_cast<size_t>(a)].push_back(b);
  };
  for (int i = 0; i < count(); ++i) number_[op(i)] = i;
  for (const Op* op : ops_)
    for (Value v : op->operands())
      if (!v.is_input()) edge(v.op(), op);
  for (const ir::Output& output : graph.outputs()) {
    if (!output.alias || output.value.is_input()) continue;
    for (const Op* reader : memory_readers(graph.input(*output.alias)))
      if (reader != output.value.op()) edge(reader, output.value.op());
  }
}

std::vector<int> Dependencies::order() const {
  std::vector<size_t> waiting;
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < count(); ++i) {
    waiting.push_back(before(i).size());
    if (before(i).empty()) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int first = ready.top();
    ready.pop();
    order.push_back(first);
    for (int next : after(first))
      if (--waiting[static_cast<size_t>(next)] == 0) ready.push(next);
  }
  count_work(count());
  return order;
}

void sort_by_dependencies(ir::Graph& graph) {
  const Dependencies dependencies(graph);
  std::vector<Op*> order;
  for (int i : dependencies.order()) order.push_back(dependencies.op(i));
  if (order.size() != graph.ops().size())
    throw Error("updates read what each other replaces, so that there is no order: the pass 'updates' makes one read a copy");
  graph.reorder(order);
}

std::vector<int> circular_updates(const ir::Graph& graph) {
  const Dependencies dependencies(graph);
  std::vector<bool> placed(static_cast<size_t>(dependencies.count()));
  for (int i : dependencies.order()) placed[static_cast<size_t>(i)] = true;
  std::vector<int> stuck;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    if (output.alias && !output.value.is_input() && !placed[static_cast<size_t>(dependencies.number(output.value.op()))])
      stuck.push_back(static_cast<int>(i));
  }
  return stuck;
}

}  // namespace weft::passes
