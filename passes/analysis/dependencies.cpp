#include "weft/passes/analysis/dependencies.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

#include "weft/passes/analysis/liveness.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

Dependencies::Dependencies(const ir::Graph& graph) : ops_(graph.op_list()), number_(static_cast<size_t>(graph.number_limit()), -1) {
  for (int i = 0; i < count(); ++i) number_[static_cast<size_t>(op(i)->number())] = i;
  find_before(graph);
  // The same edges by where they start.
  after_.begin.resize(ops_.size() + 1);
  for (int first : before_.all) ++after_.begin[static_cast<size_t>(first) + 1];
  std::partial_sum(after_.begin.begin(), after_.begin.end(), after_.begin.begin());
  after_.all.resize(before_.all.size());
  std::vector<size_t> end(after_.begin.begin(), after_.begin.end() - 1);
  for (int i = 0; i < count(); ++i)
    for (int first : before(i)) after_.all[end[static_cast<size_t>(first)]++] = i;
}

void Dependencies::find_before(const ir::Graph& graph) {
  // (an op that writes over an input's memory, one that reads it)
  std::vector<std::pair<int, int>> readers;
  for (const ir::Output& output : graph.outputs()) {
    if (!output.alias || output.value.is_input()) continue;
    for (const Op* reader : memory_readers(graph.input(*output.alias)))
      if (reader != output.value.op()) readers.emplace_back(number(output.value.op()), number(reader));
  }
  std::stable_sort(readers.begin(), readers.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<int> before_which(ops_.size(), -1);
  auto reader = readers.begin();
  for (int i = 0; i < count(); ++i) {
    const auto add = [&](int first) {
      count_work(1);
      if (std::exchange(before_which[static_cast<size_t>(first)], i) != i) before_.all.push_back(first);
    };
    for (Value v : op(i)->operands())
      if (!v.is_input()) add(number(v.op()));
    for (; reader != readers.end() && reader->first == i; ++reader) add(reader->second);
    before_.begin.push_back(before_.all.size());
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
