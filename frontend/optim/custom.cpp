#include "weft/frontend/optim/custom.h"

#include <algorithm>
#include <set>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/frontend/optim/core.h"
#include "weft/ir/ops/optimizer.h"

namespace weft::optim {
namespace {

using weft::detail::Recording;

std::vector<std::string> names_of(const std::vector<std::pair<std::string, Tensor>>& all) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : all) names.push_back(name);
  return names;
}

auto find(auto& all, const std::string& name, const char* what) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& known) { return known.first == name; });
  if (found == all.end()) throw Error("the rule has no {} '{}'", what, name).hint(did_you_mean(name, names_of(all)));
  return found;
}

/// A graph of its own in which a rule is recorded.
class OpenRule {
 public:
  explicit OpenRule(const std::string& name) : recording_(std::make_shared<Recording>(name)) { Recording::open(recording_); }
  ~OpenRule() { recording_->close(); }
  OpenRule(const OpenRule&) = delete;

  Tensor input(const std::string& name, const ir::Type& type) { return {recording_, recording_->graph().add_input(name, type)}; }
  void output(const Tensor& tensor, const ir::Type& type, const std::string& what) {
    if (!tensor.recording) throw Error("{} is a Tensor that nothing was assigned to", what);
    const Arg arg(tensor);
    weft::detail::Recorder r("rule", {&arg});
    if (&r.recording() != recording_.get()) throw Error("{} is of another graph", what);
    // What is computed with numbers alone is one number, in double.
    const ir::Value v = r.builder.cast(r.value(arg), type.dtype);
    Shape both;
    if (!broadcast_shapes(v.shape(), type.shape, both) || both != type.shape)
      throw Error("{} is {}, but must be {}", what, to_string(v.type()), to_string(type));
    recording_->graph().add_output({"", r.builder.broadcast(v, type.shape), std::nullopt, {}});
  }
  /// The outputs where the builder builds. The rule must read nothing but its inputs, which these operands are.
  std::vector<ir::Value> inlined(const ir::Builder& builder, const std::vector<ir::Value>& operands) {
    const ir::Graph& body = recording_->graph();
    if (body.inputs().size() != operands.size())
      throw Error("it uses '{}', but a rule sees what it is given and nothing else", body.inputs().back().node->name)
          .hint("make a number or a state of it");
    ir::Graph& graph = builder.graph();
    ir::Op* const before = builder.insertion_point();
    const ir::Op* const last = graph.previous(before);
    std::vector<ir::Value> outputs = inline_body(body, operands, graph, before);
    for (ir::Op* op = graph.previous(before); op != last; op = graph.previous(op)) op->set_locations(builder.locations());
    return outputs;
  }

 private:
  std::shared_ptr<Recording> recording_;
};

}  // namespace

Tensor Update::operator[](const std::string& number) const { return find(numbers_, number, "number")->second; }
Tensor Update::state(const std::string& name) const { return find(states_, name, "state")->second; }
void Update::set(const std::string& name, Tensor value) { find(next_, name, "state")->second = std::move(value); }

ir::ProgramRule Rule::rule_of(const RuleOptions& options, std::function<Tensor(Update&)> update) const {
  if (!update) throw Error("the rule is a null function");
  std::set<std::string> known{"clip_value", "clip_norm"};
  const auto require_free = [&](const std::string& taken) {
    if (taken.empty() || taken.find('.') != std::string::npos || !known.insert(taken).second)
      throw Error("'{}' is no name for a number or a state: it must not be empty, contain '.' or be taken", taken);
  };
  ir::ProgramRule rule{.op = name_, .doc = options.doc, .hypers = {}, .states = {}, .apply = {}};
  for (const RuleNumber& number : numbers_) {
    require_free(number.name);
    rule.hypers.push_back({number.name, "a number of the rule"});
  }
  if (!known.contains("lr")) throw Error("the rule needs a number 'lr', which schedules move");
  std::vector<std::string> states = options.states;
  for (const std::string& state : options.states) rule.states.push_back({state, ir::like_parameter});
  for (const std::string& state : options.scalars) rule.states.push_back({state, ir::single_number}), states.push_back(state);
  for (const std::string& state : states) require_free(state);
  rule.apply = [what = name_, numbers = numbers_, states, update = std::move(update)](ir::Builder& builder,
                                                                                      const std::vector<ir::Value>& operands) {
    OpenRule open(what);
    size_t next = 0;
    const auto input = [&](const std::string& called) { return open.input(called, operands[next++].type()); };
    Update u;
    u.parameter = input("parameter"), u.gradient = input("gradient");
    u.step = cast(input("step"), f64);
    for (const RuleNumber& number : numbers) u.numbers_.emplace_back(number.name, input("number." + number.name));
    for (const std::string& state : states) u.states_.emplace_back(state, input("state." + state));
    u.next_ = u.states_;
    open.output(update(u), operands[0].type(), "the new parameter");
    for (size_t i = 0; i < states.size(); ++i)
      open.output(u.next_[i].second, u.states_[i].second.value().type(), fmt::format("the new state '{}'", states[i]));
    return open.inlined(builder, operands);
  };
  return rule;
}

Rule::Rule(std::string name, RuleOptions options, std::function<Tensor(Update&)> update, std::source_location at)
    : name_(std::move(name)), numbers_(options.numbers) {
  try {
    ir::register_optimizer(rule_of(options, std::move(update)), weft::detail::Scope::locate(at));
  } catch (Error& e) {
    if (e.where().empty()) e.at(weft::detail::line_text(at));
    throw e.of("optim::Rule");
  }
}

Custom::Custom(const Rule& rule, const std::vector<std::pair<std::string, double>>& numbers, std::source_location at)
    : Optimizer(rule.name(), at) {
  std::vector<std::string> names;
  for (const RuleNumber& number : rule.numbers()) names.push_back(number.name);
  for (const auto& [name, value] : numbers)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error("{}: the rule has no number '{}'", rule.name(), name).at(weft::detail::line_text(at)).hint(did_you_mean(name, names));
  for (const RuleNumber& number : rule.numbers()) {
    double value = number.value;
    for (const auto& [name, given] : numbers)
      if (name == number.name) value = given;
    hyper(number.name, value, number.range);
  }
}

Hyper Custom::operator[](const std::string& number) const {
  if (const Hyper* const found = core()->hyper(number)) return *found;
  std::vector<std::string> names;
  for (const Hyper& known : core()->hypers) names.push_back(known.name().substr(op().size() + 1));
  throw Error("{} has no number '{}'", op(), number).hint(did_you_mean(number, names));
}

}  // namespace weft::optim
