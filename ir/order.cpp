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

const Op* Added::find(const std::function<bool(const Op&)>& wanted) const {
  for (const Op* op = graph_.previous(first_after_); op != last_before_; op = graph_.previous(op))
    if (wanted(*op)) return op;
  return nullptr;
}

namespace {

/// Does the op compute with numbers that are narrower than f32? What a body computes with stands in its own ops.
bool is_narrow(const Op& op) {
  const Kind kind = op.def().kind;
  const bool computes =
      kind == Kind::elementwise || kind == Kind::reduction || ((kind == Kind::composite || kind == Kind::heavy) && op.bodies().empty());
  return computes && std::any_of(op.operands().begin(), op.operands().end(), [](Value v) { return is_narrow(v.dtype()); });
}

Value widened(Builder& b, Value v) { return v && is_narrow(v.dtype()) ? b.cast(v, f32) : v; }

/// The same op of f32 operands.
const Op& wide_twin(Builder& b, const Op& op) {
  std::vector<Value> operands;
  for (Value v : op.operands()) operands.push_back(widened(b, v));
  return b.copy(op, operands);
}

/// What the decomposition gives: the op's results.
std::vector<Value> decomposed(Builder& builder, const Op& op) {
  constexpr std::string_view rule = "decomposition";
  const Added added(builder);
  std::vector<Value> results;
  try {
    results = op.def().decompose(builder, op);
  } catch (const Error& e) {
    throw error_in(op, rule, without_place(e, op.locations()));
  }
  if (static_cast<int>(results.size()) != op.result_count())
    throw error_in(op, rule, fmt::format("gives {} results, not {}", results.size(), op.result_count()));
  for (size_t i = 0; i < results.size(); ++i)
    if (!results[i] || results[i].type() != op.results()[i].type())
      throw error_in(op, rule,
                     fmt::format("result {} is {}, but {} by the shape rule", i, results[i] ? to_string(results[i].type()) : "none",
                                 to_string(op.results()[i].type())));
  // So that no two ops are made of each other.
  if (op.def().registered > 0)
    if (const Op* later = added.find([&](const Op& part) { return part.def().registered >= op.def().registered; }))
      throw error_in(op, rule, fmt::format("uses {}, but may use only ops that were registered before", later->name()));
  return results;
}

/// What the rule gives: a gradient, or none, for each operand.
std::vector<Value> gradients_by_rule(GradientContext& context) {
  constexpr std::string_view rule = "gradient";
  const Op& op = context.op;
  std::vector<Value> gradients;
  try {
    gradients = op.def().gradient(context);
  } catch (const Error& e) {
    throw error_in(op, rule, without_place(e, op.locations()));
  }
  const size_t count = op.operands().size();
  if (gradients.size() != count) throw error_in(op, rule, fmt::format("gives {} gradients for {} operands", gradients.size(), count));
  for (size_t i = 0; i < count; ++i)
    if (const Value g = gradients[i]; g && g.type() != op.operands()[i].type())
      throw error_in(op, rule,
                     fmt::format("is {} for operand {}, which is {}", to_string(g.type()), i, to_string(op.operands()[i].type())));
  return gradients;
}

}  // namespace

std::vector<Value> decompose(Builder& builder, const Op& op) {
  const Added added(builder);
  std::vector<Value> results;
  if (is_narrow(op)) {
    const Op& twin = wide_twin(builder, op);
    results = decomposed(builder, twin);
    for (size_t i = 0; i < results.size(); ++i) results[i] = builder.cast(results[i], op.results()[i].dtype());
    if (added.find([&](const Op& part) { return &part != &twin && part.def().kind == Kind::heavy; })) {
      added.sort({});
      results.clear();
    }
  }
  if (results.empty()) results = decomposed(builder, op);
  added.sort(results);
  return results;
}

std::vector<Value> differentiate(GradientContext& context) {
  Builder& b = context.builder;
  const Op& op = context.op;
  const Added added(b);
  if (!is_narrow(op) || op.def().kind == Kind::heavy) {
    std::vector<Value> gradients = gradients_by_rule(context);
    added.sort(gradients);
    return gradients;
  }
  const Op& twin = wide_twin(b, op);
  std::vector<Value> incoming;
  for (Value v : context.result_gradients) incoming.push_back(widened(b, v));
  GradientContext wide{b, twin, incoming};
  std::vector<Value> gradients = gradients_by_rule(wide);
  // A rule that uses the result gets it as it was rounded: nobody has kept another.
  for (size_t i = 0; i < twin.results().size(); ++i) {
    const Value result = twin.results()[i], kept = widened(b, op.results()[i]);
    result.replace_all_uses_with(kept);
    std::replace(gradients.begin(), gradients.end(), result, kept);
  }
  for (size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i]) gradients[i] = b.cast(gradients[i], op.operands()[i].dtype());
  added.sort(gradients);
  return gradients;
}

}  // namespace weft::ir
