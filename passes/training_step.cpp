#include "weft/passes/training_step.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/ir/gradient_names.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/ir/value_names.h"
#include "weft/passes/sparse_rows.h"
#include "weft/passes/train_block.h"

namespace weft::passes {
namespace {

using ir::Expr;
using ir::Value;

/// How the parameters of one group are updated.
class Rule {
 public:
  /// `prefix` is what the names of its hyper-parameters start with, `lines` what is said of them.
  Rule(ir::Graph& graph, const std::string& optimizer, const std::string& prefix, const ir::NamedAttributes& attributes,
       const ir::Locations& lines)
      : graph_(graph), attributes_(attributes), spec_(ir::find_optimizer(optimizer)) {
    for (const ir::HyperSpec& h : spec_->hypers) hypers_.push_back(graph.add_input(prefix + h.name, {f64, {}}, ir::Role::hyper, lines));
  }

  void update(const std::string& name, Value gradient, Value step) {
    const ir::Input& input = *graph_.find_input(name);
    const ir::Locations lines = input.locations;
    const Value parameter = input.value();
    std::vector<Value> operands{parameter, gradient, step};
    operands.insert(operands.end(), hypers_.begin(), hypers_.end());
    if (spec_->rows) {
      const SparseRows sparse =
          rows_of(graph_, gradient, fmt::format("{} updates rows, and needs a row-sparse gradient of '{}'", spec_->op, name));
      operands[1] = sparse.rows;
      operands.push_back(sparse.index);
    }
    std::vector<Value> old{parameter};
    // A switch of another kind is refused when the op is made.
    for (const ir::StateSpec& state : ir::states_of(*spec_, parameter.type(), attributes_)) {
      old.push_back(graph_.add_input(name + "." + state.name, state.type(parameter.type()), ir::Role::state, lines));
      operands.push_back(old.back());
    }
    ir::Op& op = ir::Builder(graph_, nullptr, lines.in(ir::Phase::update)).create(spec_->op, operands, attributes_);
    for (size_t i = 0; i < old.size(); ++i) graph_.add_output({old[i].name(), op.result(static_cast<int>(i)), old[i].index(), lines});
  }

 private:
  ir::Graph& graph_;
  const ir::NamedAttributes& attributes_;
  const ir::OptimizerSpec* spec_;
  std::vector<Value> hypers_;
};

Value count_step(ir::Graph& graph, const std::string& name, const ir::Locations& lines) {
  const Value count = graph.add_input(name, {i64, {}}, ir::Role::state, lines);
  ir::Builder b(graph, nullptr, lines.in(ir::Phase::update));
  const Value step = b("add", {count, b.splat(count.type(), 1)});
  graph.add_output({name, step, count.index(), lines});
  return step;
}

/// The number of this step for each of the inputs.
std::vector<Value> count_steps(ir::Graph& graph, const ir::TrainSpec& train, size_t inputs, const ir::Locations& lines) {
  const Dims counters = train.counters.empty() ? Dims(inputs, 0) : train.counters;
  std::map<int64_t, Value> steps;
  std::vector<Value> all;
  for (int64_t counter : counters) {
    const auto [at, is_new] = steps.try_emplace(counter);
    if (is_new) at->second = count_step(graph, train.counter_name(counter), lines);
    all.push_back(at->second);
  }
  return all;
}

/// torch.nn.utils.clip_grad_value_.
void clip_by_value(ir::Builder& b, std::vector<Value>& gradients, Value limit) {
  for (Value& g : gradients) {
    const Expr high{b, b.broadcast_as(limit, g.type())};
    g = Expr(b, g).apply("maximum", -high).apply("minimum", high);
  }
}

/// torch.nn.utils.clip_grad_norm_: g *= min(1, limit / (norm + 1e-6)), the norm over all gradients.
void clip_by_norm(ir::Builder& b, std::vector<Value>& gradients, Value limit) {
  Value squares;
  for (Value g : gradients) {
    Dims axes(static_cast<size_t>(g.shape().rank()));
    std::iota(axes.begin(), axes.end(), 0);
    const Expr wide{b, b.cast(g, computed_in(g.dtype()))};
    const Value sum = b.cast(b.sum(wide * wide, axes), f64);
    squares = squares ? b("add", {squares, sum}) : sum;
  }
  const Expr norm = Expr(b, squares).apply("sqrt");
  const Expr ratio = Expr(b, limit) / (norm + 1e-6);
  const Expr factor = ratio.apply("minimum", ratio.like(1));
  for (Value& g : gradients) g = Expr(b, g) * Expr(b, b.broadcast_as(factor, g.type()));
}

void check_gradients(const ir::Graph& graph, const ir::TrainSpec& train) {
  for (const std::string& name : train.all_inputs()) {
    const ir::Input* input = graph.find_input(name);
    const ir::Output* gradient = graph.find_output(name + ".grad");
    if (gradient->value.type() != input->node->type)
      throw Error("the gradient '{}.grad' is {}, but '{}' is {}", name, to_string(gradient->value.type()), name,
                  to_string(input->node->type))
          .at(written_at(gradient->locations));
  }
}

}  // namespace

bool training_step(ir::Module& module) {
  name_gradients(module.graph());
  if (!module.train) return false;
  check_train_block(module);
  check_gradients(module.graph(), *module.train);
  const ir::TrainSpec train = std::move(*module.train);
  module.train.reset();
  if (train.optimizer.empty()) return true;  // the gradients are outputs
  ir::Graph& graph = module.graph();
  const std::vector<std::string> inputs = train.all_inputs();
  std::vector<Value> gradients;
  for (const std::string& name : inputs) gradients.push_back(graph.find_output(name + ".grad")->value);

  const std::string prefix = train.optimizer + ".";
  const ir::Locations lines = graph.find_output(train.loss)->locations;  // of what belongs to no parameter
  const std::vector<Value> steps = count_steps(graph, train, inputs.size(), lines);
  std::vector<Rule> rules{{graph, train.optimizer, prefix, train.attributes, lines}};
  for (const ir::TrainGroup& group : train.groups)
    rules.emplace_back(graph, group.optimizer, prefix + group.name + ".", group.attributes, lines);
  ir::Builder b(graph, nullptr, lines.in(ir::Phase::update));
  if (train.clip_value) clip_by_value(b, gradients, graph.add_input(prefix + "clip_value", {f64, {}}, ir::Role::hyper, lines));
  if (train.clip_norm) clip_by_norm(b, gradients, graph.add_input(prefix + "clip_norm", {f64, {}}, ir::Role::hyper, lines));
  size_t next = 0;
  const auto update = [&](Rule& rule, const std::string& name) {
    rule.update(name, gradients[next], steps[next]);
    ++next;
  };
  for (const std::string& name : train.inputs) update(rules[0], name);
  for (size_t g = 0; g < train.groups.size(); ++g)
    for (const std::string& name : train.groups[g].inputs) update(rules[g + 1], name);

  std::unordered_set<std::string> gone;
  for (const std::string& name : inputs) gone.insert(name + ".grad");
  for (const std::string& name : train.keep) gone.erase(name);
  std::vector<ir::Output> outputs = graph.outputs();
  std::erase_if(outputs, [&](const ir::Output& o) { return gone.contains(o.name); });
  graph.set_outputs(std::move(outputs));
  return true;
}

}  // namespace weft::passes
