#include "weft/passes/autodiff.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/order.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

class Reverse {
 public:
  Reverse(ir::Graph& graph, std::span<const Value> xs) : graph_(graph), active_(xs.begin(), xs.end()) {}

  void seed(Value y, Value gradient) {
    const std::vector<Op*> ops = graph_.op_list();
    for (Op* op : ops) mark_active(*op);
    gradients_[y] = gradient;
    backward(ops);
    if (!missing_.empty()) throw Error("no gradient is known for:{}", missing_);
  }

  Value gradient(Value x) const {
    const auto found = gradients_.find(x);
    return found == gradients_.end() ? Value() : found->second;
  }

 private:
  /// A value is active when it depends on an x along a path that can carry a gradient.
  void mark_active(const Op& op) {
    bool active = false;
    for (Value v : op.operands()) active = active || active_.contains(v);
    if (!active || !carries_gradient(op)) return;
    for (Value v : op.results())
      if (is_floating(v.dtype())) active_.insert(v);
  }

  static bool carries_gradient(const Op& op) {
    if (op.def().is_region()) return true;
    return op.def().no_gradient.empty() && (op.def().gradient || op.def().decompose);
  }

  void backward(const std::vector<Op*>& ops) {
    for (auto at = ops.rbegin(); at != ops.rend(); ++at) {
      std::vector<Value> incoming;
      bool any = false;
      for (Value v : (*at)->results()) {
        incoming.push_back(active_.contains(v) ? gradient(v) : Value());
        any = any || incoming.back();
      }
      if (any) backward(**at, std::move(incoming));
    }
  }

  void backward(const Op& op, std::vector<Value> incoming) {
    ir::Builder builder(graph_, nullptr, op.locations());
    if (op.def().gradient) {
      for (size_t i = 0; i < incoming.size(); ++i)
        if (!incoming[i]) incoming[i] = builder.zeros_like(op.result(static_cast<int>(i)));
      ir::GradientContext context{builder, op, incoming};
      const std::vector<Value> outgoing = ir::differentiate(context);
      for (size_t i = 0; i < outgoing.size(); ++i)
        if (outgoing[i] && active_.contains(op.operands()[i])) accumulate(builder, op.operands()[i], outgoing[i]);
    } else if (op.def().decompose) {
      differentiate_decomposition(builder, op, incoming);
    } else {
      missing_ += fmt::format("\n  {} at {}: {}", op.name(), to_string(op.locations()), op.def().no_gradient);
    }
  }

  /// The op's decomposition is written out once more and differentiated; the op itself stays, since others hold its
  /// results. Once the op is decomposed too, common subexpression elimination leaves one copy.
  void differentiate_decomposition(ir::Builder& builder, const Op& op, const std::vector<Value>& incoming) {
    const Op* before = graph_.previous(nullptr);
    const std::vector<Value> results = ir::decompose(builder, op);
    std::vector<Op*> added;
    for (Op* last = graph_.previous(nullptr); last != before; last = graph_.previous(last)) added.push_back(last);
    std::reverse(added.begin(), added.end());
    for (Op* inner : added) mark_active(*inner);
    for (size_t i = 0; i < results.size(); ++i)
      if (incoming[i] && active_.contains(results[i])) accumulate(builder, results[i], incoming[i]);
    backward(added);
  }

  void accumulate(ir::Builder& builder, Value v, Value gradient) {
    Value& slot = gradients_[v];
    slot = slot ? builder("add", {slot, gradient}) : gradient;
  }

  ir::Graph& graph_;
  std::unordered_set<Value, ir::ValueHash> active_;
  std::unordered_map<Value, Value, ir::ValueHash> gradients_;
  std::string missing_;
};

ir::Locations lines_of(Value v) {
  return v.is_input() ? v.graph()->inputs()[static_cast<size_t>(v.index())].locations : v.op()->locations();
}

/// The gradients, null where none flows.
std::vector<Value> flowing_gradients(ir::Graph& graph, Value y, std::span<const Value> xs, Value seed) {
  if (!is_floating(y.dtype()) || y.shape().rank() != 0)
    throw Error("only a floating scalar can be differentiated, not {}; reduce it first (sum or mean)", to_string(y.type()))
        .at(to_string(lines_of(y)));
  ir::Builder builder(graph, nullptr, lines_of(y));
  Reverse reverse(graph, xs);
  reverse.seed(y, seed ? seed : builder.splat(y.type(), 1));
  std::vector<Value> result;
  for (Value x : xs) result.push_back(reverse.gradient(x));
  return result;
}

}  // namespace

std::vector<Value> gradients(ir::Graph& graph, Value y, std::span<const Value> xs, Value seed) {
  std::vector<Value> result = flowing_gradients(graph, y, xs, seed);
  for (size_t i = 0; i < xs.size(); ++i)
    if (!result[i]) result[i] = ir::Builder(graph, nullptr, lines_of(xs[i])).zeros_like(xs[i]);
  return result;
}

bool autodiff(ir::Module& module) {
  if (!module.train) return false;
  ir::Graph& graph = module.graph();
  const ir::Output* loss = graph.find_output(module.train->loss);
  if (!loss) {
    std::vector<std::string> names;
    for (const ir::Output& o : graph.outputs()) names.push_back(o.name);
    throw Error("the train block's loss '{}' is no output of the graph", module.train->loss).hint(did_you_mean(module.train->loss, names));
  }
  std::vector<Value> xs;
  std::unordered_set<std::string> named;
  for (const std::string& name : module.train->all_inputs()) {
    const ir::Input* input = graph.find_input(name);
    if (!input) throw Error("the train block names '{}', which is no input of the graph", name);
    if (!named.insert(name).second) throw Error("the train block names '{}' twice", name);
    xs.push_back(input->value());
  }
  const std::vector<Value> dx = flowing_gradients(graph, loss->value, xs, {});
  std::string unreached;
  for (size_t i = 0; i < xs.size(); ++i)
    if (!dx[i]) unreached += fmt::format("\n  '{}', at {}", xs[i].name(), to_string(lines_of(xs[i])));
  if (!unreached.empty())
    throw Error(
        "the loss '{}' does not depend differentiably on these parameters, so they cannot be trained; leave "
        "them out of the trained parameters, or check the path to the loss:{}",
        module.train->loss, unreached);
  for (size_t i = 0; i < xs.size(); ++i) {
    const std::string name = xs[i].name() + ".grad";
    if (const ir::Output* taken = graph.find_output(name))
      throw Error("the output '{}' at {} has the name that the gradient of '{}' takes", name, to_string(taken->locations), xs[i].name())
          .hint("rename it");
    graph.add_output({name, dx[i], std::nullopt, lines_of(xs[i])});
  }
  return true;
}

}  // namespace weft::passes
