// Updates: one step of an optimizer for one parameter, formula for formula as the torch.optim class of that name
// (its single-tensor form), but for what fades away: see fading() in update.h.
//
// Operands: the parameter, its gradient, the number of this step (i64[], from 1), the hyper-parameters (f64[], in the order of
// `hypers`), of a rule for rows the index of the gradient's, then the states. Results: the new parameter, then the new states.
// Structural switches are attributes; a hyper-parameter that a switch turns off is not read.

#include "weft/ir/ops/optimizer.h"

#include <algorithm>
#include <deque>
#include <mutex>

#include "weft/ir/ops/indexed.h"
#include "weft/ir/ops/update.h"

namespace weft::ir {

Expr Update::hyper(std::string_view name) const {
  for (size_t i = 0; i < spec_.hypers.size(); ++i)
    if (spec_.hypers[i].name == name) return {b_, op_.operand(3 + static_cast<int>(i))};
  throw InternalError(fmt::format("no hyper-parameter '{}'", name));
}

Expr Update::broadcast(Expr scalar) const { return {b_, b_.broadcast_as(scalar, op_.operand(1).type())}; }

Expr Update::at_first(Expr first, Expr later) const {
  const Expr is_first = step() == 1.0;
  return select({b_, b_.broadcast(is_first, later.value().shape())}, first, later);
}

Expr Update::decayed_gradient() const {
  const Expr g = ascended_gradient();
  return flag("weight_decay") ? g + broadcast("weight_decay") * parameter() : g;
}

Expr Update::shrunk_parameter() const {
  if (!flag("weight_decay")) return parameter();
  return parameter() * broadcast(1.0 - hyper("lr") * hyper("weight_decay"));
}

namespace {

const std::vector<const UpdateRule*>& all_rules() {
  static const std::vector<const UpdateRule*> all = [] {
    std::vector<const UpdateRule*> rules;
    for (const auto* family : {&descent_rules(), &moment_rules(), &adaptive_rules(), &matrix_rules(), &row_rules()})
      for (const UpdateRule& rule : *family) rules.push_back(&rule);
    return rules;
  }();
  return all;
}

std::vector<Type> infer_update(const OptimizerSpec& spec, const InferContext& c) {
  const Type& p = c.operand(0);
  const int fixed = spec.fixed_operands();
  c.require(!spec.rank || p.shape.rank() == *spec.rank,
            fmt::format("the parameter must have {} axes; train others by another rule, as a group", spec.rank.value_or(0)));
  if (spec.rows) {
    c.require(p.shape.rank() > 0, "the parameter must have rows");
    const Type rows{p.dtype, gathered_shape(p.shape, c.shape(fixed - 1), 0)};
    c.require(c.operand(1) == rows, "the gradient must be rows of the parameter, one for each index");
  } else {
    c.require(c.operand(1) == p, "the gradient must have the parameter's type");
  }
  const auto states = spec.states(p, [&](std::string_view s) { return c.get<bool>(s); });
  c.require(c.count() == fixed + static_cast<int>(states.size()), fmt::format("needs {} state operands", states.size()));
  std::vector<Type> results{p};
  for (size_t i = 0; i < states.size(); ++i) {
    results.push_back(states[i].type(p));
    c.require(c.operand(fixed + static_cast<int>(i)) == results.back(),
              fmt::format("the state {} must be {}", states[i].name, to_string(results.back())));
  }
  return results;
}

OpDef update_op(const UpdateRule& rule) {
  const OptimizerSpec& spec = rule.spec;
  OpDef def;
  def.autocast = Autocast::fixed;
  def.name = spec.op;
  def.doc = rule.doc;
  def.operands = {{"parameter", Accepts::floating, false, "before the step"},
                  {"gradient", Accepts::floating, false, "of the loss in the parameter"},
                  {.name = "step", .accepts = Accepts::integer, .doc = "the number of this step, from 1", .type = Type{i64, {}}}};
  for (const HyperSpec& h : spec.hypers)
    def.operands.push_back({.name = h.name, .accepts = Accepts::floating, .doc = h.doc, .type = Type{f64, {}}});
  if (spec.rows) def.operands.push_back({"index", Accepts::integer, false, "i64, the rows that the gradient is of", true});
  def.operands.push_back({"states", Accepts::floating, true, "as the optimizer's class keeps them"});
  for (const std::string& s : rule.switches)
    def.attributes.push_back({s, AttributeKind::boolean, Attribute(false), "as in the torch.optim class"});
  def.infer = [&spec](const InferContext& c) { return infer_update(spec, c); };
  def.decompose = [&rule](Builder& b, const Op& op) { return rule.apply(Update(b, op, rule.spec)); };
  if (spec.rows)
    def.index_bound = [&spec](const Op& op, int operand) -> std::optional<int64_t> {
      return operand == spec.fixed_operands() - 1 ? std::optional(op.operand(0).shape()[0]) : std::nullopt;
    };
  def.error_ulps = rule.error_ulps;
  def.no_gradient = rule.no_gradient;
  return def;
}

}  // namespace

std::vector<StateSpec> states_of(const OptimizerSpec& spec, const Type& parameter, const NamedAttributes& attributes) {
  return spec.states(parameter, [&](std::string_view flag) {
    for (const auto& [name, value] : attributes)
      if (const bool* on = std::get_if<bool>(&value); on && name == flag) return *on;
    return false;
  });
}

const std::vector<const OptimizerSpec*>& all_optimizers() {
  static const std::vector<const OptimizerSpec*> all = [] {
    std::vector<const OptimizerSpec*> specs;
    for (const UpdateRule* rule : all_rules()) specs.push_back(&rule->spec);
    return specs;
  }();
  return all;
}

namespace {

/// Those of the program. They never move, and none is taken away.
struct ProgramRules {
  std::mutex mutex;
  std::deque<UpdateRule> all;
};
ProgramRules& program_rules() {
  static ProgramRules rules;
  return rules;
}

}  // namespace

const OptimizerSpec* find_optimizer(std::string_view op) {
  for (const OptimizerSpec* spec : all_optimizers())
    if (spec->op == op) return spec;
  ProgramRules& rules = program_rules();
  const std::lock_guard lock(rules.mutex);
  // Of one name the last: one before it was refused.
  const auto found = std::find_if(rules.all.rbegin(), rules.all.rend(), [&](const UpdateRule& rule) { return rule.spec.op == op; });
  return found == rules.all.rend() ? nullptr : &found->spec;
}

void register_optimizer(ProgramRule rule, Location at) {
  if (registry().find(rule.op)) {
    OpDef taken{.name = rule.op};
    register_op(std::move(taken), std::move(at));  // says by what
  }
  const UpdateRule* added = nullptr;
  {
    ProgramRules& rules = program_rules();
    const std::lock_guard lock(rules.mutex);
    const auto states = [all = std::move(rule.states)](const Type&, const auto&) { return all; };
    const auto apply = [apply = std::move(rule.apply)](const Update& u) { return apply(u.builder(), u.operands()); };
    rules.all.push_back(
        {.spec = {.op = rule.op, .hypers = std::move(rule.hypers), .states = states}, .doc = std::move(rule.doc), .apply = apply});
    added = &rules.all.back();
  }
  register_op(update_op(*added), std::move(at));
}

void define_optimizer_ops(Registry& r) {
  for (const UpdateRule* rule : all_rules()) r.add(update_op(*rule));
}

}  // namespace weft::ir
