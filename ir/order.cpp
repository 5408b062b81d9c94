#include "weft/ir/order.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace weft::ir {
namespace {

/// Collects ops in the order of need; looks only at those that it was given.
class Need {
 public:
  explicit Need(std::vector<Op*> ops) : left_(ops.begin(), ops.end()) {}

  /// Appends what `v` needs and is not there yet.
  void add(Value v) {
    if (!v || v.is_input() || !left_.erase(v.op())) return;
    struct Visit {
      Op* op;
      size_t operand;
    };
    std::vector<Visit> path{{v.op(), 0}};  // not by recursion: graphs are deep
    while (!path.empty()) {
      auto& [op, operand] = path.back();
      if (operand == op->operands().size()) {
        order_.push_back(op);
        path.pop_back();
        continue;
      }
      const Value next = op->operands()[operand++];
      if (!next.is_input() && left_.erase(next.op())) path.push_back({next.op(), 0});
    }
  }

  const std::vector<Op*>& order() const { return order_; }
  bool is_left(Op* op) const { return left_.contains(op); }

 private:
  std::unordered_set<Op*> left_;
  std::vector<Op*> order_;
};

void sort_inputs(Graph& graph) {
  std::unordered_map<Value, size_t, ValueHash> first_use;
  for (const auto& op : graph.ops())
    for (Value v : op->operands()) first_use.try_emplace(v, first_use.size());
  const auto use = [&](int i) {
    const auto found = first_use.find(graph.input(i));
    return found == first_use.end() ? first_use.size() : found->second;
  };
  std::vector<int> places;
  for (int i = 0; i < static_cast<int>(graph.inputs().size()); ++i)
    if (graph.inputs()[static_cast<size_t>(i)].role != Role::batch) places.push_back(i);
  std::vector<int> sorted = places;
  std::stable_sort(sorted.begin(), sorted.end(), [&](int a, int b) { return use(a) < use(b); });
  std::vector<int> from(graph.inputs().size());
  std::iota(from.begin(), from.end(), 0);
  for (size_t i = 0; i < places.size(); ++i) from[static_cast<size_t>(places[i])] = sorted[i];
  graph.reorder_inputs(from);
}

}  // namespace

void sort_by_need(Graph& graph) {
  const std::vector<Op*> before = graph.op_list();
  Need need(before);
  for (const Output& output : graph.outputs()) need.add(output.value);
  for (Op* op : before)
    if (op->is_unused()) need.add(op->result());
  graph.reorder(need.order());
  sort_inputs(graph);
}

Added::Added(const Builder& builder)
    : graph_(builder.graph()), last_before_(graph_.previous(builder.insertion_point())), first_after_(builder.insertion_point()) {}

void Added::sort(std::span<const Value> results) const {
  std::vector<Op*> added;
  for (Op* op = graph_.previous(first_after_); op != last_before_; op = graph_.previous(op)) added.push_back(op);
  Need need(added);
  for (Value v : results) need.add(v);
  for (Op* op : need.order()) graph_.move_before(*op, first_after_);
  for (Op* op : added)  // the last one first, so that nothing is erased before its users
    if (need.is_left(op)) graph_.erase(*op);
}

std::vector<Value> decompose(Builder& builder, const Op& op) {
  const Added added(builder);
  std::vector<Value> results = op.def().decompose(builder, op);
  added.sort(results);
  return results;
}

std::vector<Value> differentiate(GradientContext& context) {
  const Added added(context.builder);
  std::vector<Value> gradients = context.op.def().gradient(context);
  added.sort(gradients);
  return gradients;
}

}  // namespace weft::ir
