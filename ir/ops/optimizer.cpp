// Updates: one step of an optimizer for one parameter, formula for formula as the torch.optim class of that name
// (its single-tensor form).
//
// Operands: the parameter, its gradient, the number of this step (i64[], from 1), the hyper-parameters (f64[], in
// the order of `hypers`), then the states. Results: the new parameter, then the new states. Structural switches are
// attributes; a hyper-parameter that a switch turns off is not read.

#include <limits>

#include "weft/ir/ops/families.h"
#include "weft/ir/ops/optimizer.h"

namespace weft::ir {
namespace {

/// The operands of an update op under their names.
class Update {
 public:
  Update(Builder& b, const Op& op, const OptimizerSpec& spec) : b_(b), op_(op), spec_(spec) {}

  Expr parameter() const { return {b_, op_.operand(0)}; }
  Expr gradient() const { return {b_, op_.operand(1)}; }
  Expr step() const { return {b_, op_.operand(2)}; }
  bool flag(std::string_view name) const { return op_.flag(name); }
  /// A hyper-parameter, in double.
  Expr hyper(std::string_view name) const {
    for (size_t i = 0; i < spec_.hypers.size(); ++i)
      if (spec_.hypers[i].name == name) return {b_, op_.operand(3 + static_cast<int>(i))};
    throw InternalError(fmt::format("no hyper-parameter '{}'", name));
  }
  Expr state(int i) const { return {b_, op_.operand(3 + static_cast<int>(spec_.hypers.size()) + i)}; }
  /// A scalar computed in double, cast to the parameter's type and stretched to its shape.
  Expr spread(Expr scalar) const {
    const Type& t = op_.operand(0).type();
    return {b_, b_.broadcast(b_.cast(scalar, t.dtype), t.shape)};
  }
  /// g, with maximize and coupled weight decay applied.
  Expr decayed_gradient() const {
    const Expr g = flag("maximize") ? -gradient() : gradient();
    return flag("weight_decay") ? g + spread(hyper("weight_decay")) * parameter() : g;
  }

 private:
  Builder& b_;
  const Op& op_;
  const OptimizerSpec& spec_;
};

std::vector<Value> sgd(const Update& u) {
  Expr direction = u.decayed_gradient();
  std::vector<Value> states;
  if (u.flag("momentum")) {
    const Expr momentum = u.spread(u.hyper("momentum"));
    const Expr running = momentum * u.state(0) + u.spread(1.0 - u.hyper("dampening")) * direction;
    // The first step stores the gradient itself, undamped.
    Builder& b = direction.builder();
    const Expr first{b, b.broadcast(u.step() == 1.0, direction.value().shape())};
    const Expr buffer = select(first, direction, running);
    states.push_back(buffer);
    direction = u.flag("nesterov") ? direction + momentum * buffer : buffer;
  }
  std::vector<Value> results{u.parameter() - u.spread(u.hyper("lr")) * direction};
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

std::vector<Value> adam(const Update& u) {
  const Expr g = u.decayed_gradient(), beta1 = u.hyper("beta1"), beta2 = u.hyper("beta2");
  const Expr step{g.builder(), g.builder().cast(u.step(), f64)};
  const Expr correction1 = 1.0 - beta1.apply("pow", step), correction2 = 1.0 - beta2.apply("pow", step);
  const Expr average = u.state(0) + u.spread(1.0 - beta1) * (g - u.state(0));
  const Expr square = u.spread(beta2) * u.state(1) + u.spread(1.0 - beta2) * g * g;
  std::vector<Value> results{Value(), average, square};
  Expr second = square;
  if (u.flag("amsgrad")) {
    second = u.state(2).apply("maximum", square);
    results.push_back(second);
  }
  const Expr denominator = second.apply("sqrt") / u.spread(correction2.apply("sqrt")) + u.spread(u.hyper("eps"));
  results[0] = u.parameter() - u.spread(u.hyper("lr") / correction1) * (average / denominator);
  return results;
}

OpDef update_op(std::string name, std::string doc, const OptimizerSpec& spec, std::vector<std::string> switches,
                std::vector<Value> (*rule)(const Update&)) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"parameter", Accepts::floating, false, "before the step"},
                  {"gradient", Accepts::floating, false, "of the loss in the parameter"},
                  {"step", Accepts::integer, false, "the number of this step, from 1"}};
  for (const HyperSpec& h : spec.hypers) def.operands.push_back({h.name, Accepts::floating, false, h.doc});
  def.operands.push_back({"states", Accepts::floating, true, "as the optimizer's class keeps them"});
  for (std::string& s : switches)
    def.attributes.push_back({std::move(s), AttributeKind::boolean, Attribute(false), "as in the torch.optim class"});
  def.infer = [&spec](const InferContext& c) {
    const Type& p = c.operand(0);
    const int fixed = 3 + static_cast<int>(spec.hypers.size());
    c.require(c.operand(1) == p, "the gradient must have the parameter's type");
    c.require(c.operand(2) == Type{i64, {}}, "the step must be i64[]");
    for (int i = 3; i < fixed; ++i) c.require(c.operand(i) == Type{f64, {}}, "hyper-parameters must be f64[]");
    const size_t states = spec.states([&](std::string_view s) { return c.get<bool>(s); }).size();
    c.require(c.count() == fixed + static_cast<int>(states), fmt::format("needs {} state operands", states));
    for (int i = fixed; i < c.count(); ++i) c.require(c.operand(i) == p, "states must have the parameter's type");
    return std::vector<Type>(1 + states, p);
  };
  def.decompose = [&spec, rule](Builder& b, const Op& op) { return rule(Update(b, op, spec)); };
  def.error_ulps = 64;
  return def;
}

const OptimizerSpec sgd_spec{
    {{"lr", "learning rate"},
     {"momentum", "momentum factor"},
     {"dampening", "dampening of the momentum"},
     {"weight_decay", "L2 penalty"}},
    [](const std::function<bool(std::string_view)>& on) {
      return on("momentum") ? std::vector<std::string>{"momentum_buffer"} : std::vector<std::string>{};
    }};

const OptimizerSpec adam_spec{
    {{"lr", "learning rate"},
     {"beta1", "decay of the running mean"},
     {"beta2", "decay of the running square"},
     {"eps", "added to the denominator"},
     {"weight_decay", "L2 penalty"}},
    [](const std::function<bool(std::string_view)>& on) {
      std::vector<std::string> states{"exp_avg", "exp_avg_sq"};
      if (on("amsgrad")) states.push_back("max_exp_avg_sq");
      return states;
    }};

}  // namespace

const OptimizerSpec* find_optimizer(std::string_view op) {
  if (op == "sgd") return &sgd_spec;
  if (op == "adam") return &adam_spec;
  return nullptr;
}

void define_optimizer_ops(Registry& r) {
  r.add(update_op("sgd", "One step of torch.optim.SGD. The first step stores the gradient as momentum, undamped",
                  sgd_spec, {"momentum", "nesterov", "weight_decay", "maximize"}, sgd));
  r.add(update_op("adam", "One step of torch.optim.Adam (Kingma and Ba 2015; amsgrad: Reddi et al. 2018)", adam_spec,
                  {"weight_decay", "amsgrad", "maximize"}, adam));
}

}  // namespace weft::ir
