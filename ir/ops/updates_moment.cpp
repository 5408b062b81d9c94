// adam, adamw, adamax, nadam, radam, lion: updates by running moments of the gradient.

#include "weft/ir/ops/update.h"

namespace weft::ir {
namespace {

using Switches = std::function<bool(std::string_view)>;

/// What these rules have in common.
struct Moments {
  Expr lr, beta1, beta2, t;
  Expr correction1, correction2;  // 1 - beta^t
  Expr average, square;           // the new states

  Moments(const Update& u, Expr g, bool with_square = true)
      : lr(u.hyper("lr")), beta1(u.hyper("beta1")), beta2(u.hyper("beta2")), t(u.step()), correction1(1.0 - pow(beta1, t)),
        correction2(1.0 - pow(beta2, t)), average(fading(u.state(0) + u.broadcast(1.0 - beta1) * (g - u.state(0)))),
        square(with_square ? fading(u.broadcast(beta2) * u.state(1) + u.broadcast(1.0 - beta2) * g * g) : average) {}
};

std::vector<Value> adam_step(const Update& u, Expr parameter, Expr g) {
  const Moments m(u, g);
  std::vector<Value> results{Value(), m.average, m.square};
  Expr second = m.square;
  if (u.flag("amsgrad")) {
    second = maximum(u.state(2), m.square);
    results.push_back(second);
  }
  // One division for each element: it and the root take longer than all else.
  const Expr denominator = sqrt(second) * u.broadcast(1.0 / sqrt(m.correction2)) + u.broadcast("eps");
  results[0] = parameter - u.broadcast(m.lr / m.correction1) * (m.average / denominator);
  return results;
}

std::vector<Value> adam(const Update& u) { return adam_step(u, u.parameter(), u.decayed_gradient()); }
std::vector<Value> adamw(const Update& u) { return adam_step(u, u.shrunk_parameter(), u.ascended_gradient()); }

std::vector<Value> adamax(const Update& u) {
  const Expr g = u.decayed_gradient();
  const Moments m(u, g, false);
  const Expr largest = maximum(u.state(1) * u.broadcast("beta2"), abs(g) + u.broadcast("eps"));
  return {u.parameter() - u.broadcast(m.lr / m.correction1) * (m.average / largest), m.average, largest};
}

/// Where a rule has the switch, its weight decay is decoupled when that is on.
Expr parameter_of(const Update& u) { return u.flag("decoupled_weight_decay") ? u.shrunk_parameter() : u.parameter(); }
Expr gradient_of(const Update& u) { return u.flag("decoupled_weight_decay") ? u.ascended_gradient() : u.decayed_gradient(); }

std::vector<Value> nadam(const Update& u) {
  const Expr g = gradient_of(u);
  const Moments m(u, g);
  const auto momentum_at = [&](Expr t) { return m.beta1 * (1.0 - 0.5 * pow(u.number(0.96), t * u.hyper("momentum_decay"))); };
  const Expr now = momentum_at(m.t), next = momentum_at(m.t + 1.0);
  const Expr product = u.at_first(u.number(1), u.state(2)) * now;
  const Expr denominator = sqrt(m.square * u.broadcast(1.0 / m.correction2)) + u.broadcast("eps");
  const Expr by_gradient = m.lr * (1.0 - now) / (1.0 - product), by_average = m.lr * next / (1.0 - product * next);
  const Expr p = parameter_of(u) - (u.broadcast(by_gradient) * g + u.broadcast(by_average) * m.average) / denominator;
  return {p, m.average, m.square, product};
}

/// Below five degrees of freedom the variance is not used.
std::vector<Value> radam(const Update& u) {
  const Moments m(u, gradient_of(u));
  const Expr most = 2.0 / (1.0 - m.beta2) - 1.0;
  const Expr freedom = most - 2.0 * m.t * pow(m.beta2, m.t) / m.correction2;
  const Expr rectification = sqrt((freedom - 4.0) * (freedom - 2.0) * most / ((most - 4.0) * (most - 2.0) * freedom));
  const Expr corrected = m.average * u.broadcast(1.0 / m.correction1);
  const Expr adapted = corrected * u.broadcast("lr") * (u.broadcast(sqrt(m.correction2)) / (sqrt(m.square) + u.broadcast("eps"))) *
                       u.broadcast(rectification);
  const Expr enough{u.builder(), u.builder().broadcast(5.0 < freedom, corrected.value().shape())};
  return {parameter_of(u) - select(enough, adapted, corrected * u.broadcast("lr")), m.average, m.square};
}

std::vector<Value> lion(const Update& u) {
  const Expr g = u.ascended_gradient(), m = u.state(0);
  const auto mixed = [&](const char* beta) { return u.broadcast(beta) * m + u.broadcast(1.0 - u.hyper(beta)) * g; };
  return {u.shrunk_parameter() - u.broadcast("lr") * mixed("beta1").apply("sign"), fading(mixed("beta2"))};
}

std::vector<StateSpec> two_moments(const Type&, const Switches&) { return {{"exp_avg", like_parameter}, {"exp_avg_sq", like_parameter}}; }

std::vector<StateSpec> adam_states(const Type& parameter, const Switches& on) {
  auto states = two_moments(parameter, on);
  if (on("amsgrad")) states.push_back({"max_exp_avg_sq", like_parameter});
  return states;
}

std::vector<HyperSpec> moment_hypers() {
  return {{"lr", "learning rate"},
          {"beta1", "decay of the running mean"},
          {"beta2", "decay of the running square"},
          {"eps", "added to the denominator"},
          {"weight_decay", "weight decay"}};
}

std::vector<HyperSpec> with(std::vector<HyperSpec> hypers, HyperSpec more) {
  hypers.push_back(std::move(more));
  return hypers;
}

}  // namespace

const std::vector<UpdateRule>& moment_rules() {
  static const std::vector<UpdateRule> rules = {
      {{"adam", moment_hypers(), adam_states},
       "One step of torch.optim.Adam (Kingma and Ba 2015; amsgrad: Reddi et al. 2018); the weight decay is an L2 penalty",
       {"weight_decay", "amsgrad", "maximize"},
       adam},
      {{"adamw", moment_hypers(), adam_states},
       "One step of torch.optim.AdamW (Loshchilov and Hutter 2019); the weight decay is decoupled from the gradient",
       {"weight_decay", "amsgrad", "maximize"},
       adamw},
      {{"adamax", moment_hypers(),
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"exp_avg", like_parameter}, {"exp_inf", like_parameter}}; }},
       "One step of torch.optim.Adamax (Kingma and Ba 2015, section 7)",
       {"weight_decay", "maximize"},
       adamax},
      {{"nadam", with(moment_hypers(), {"momentum_decay", "decay of the momentum"}),
        [](const Type&, const Switches&) {
          return std::vector<StateSpec>{{"exp_avg", like_parameter}, {"exp_avg_sq", like_parameter}, {"mu_product", single_number}};
        }},
       "One step of torch.optim.NAdam (Dozat 2016)",
       {"weight_decay", "decoupled_weight_decay", "maximize"},
       nadam},
      {{"radam", moment_hypers(), two_moments},
       "One step of torch.optim.RAdam (Liu et al. 2020)",
       {"weight_decay", "decoupled_weight_decay", "maximize"},
       radam},
      {{"lion",
        {{"lr", "learning rate"},
         {"beta1", "the running mean's share in the step"},
         {"beta2", "decay of the running mean"},
         {"weight_decay", "weight decay, decoupled"}},
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"exp_avg", like_parameter}}; }},
       "One step of Lion (Chen et al. 2023)",
       {"weight_decay", "maximize"},
       lion},
  };
  return rules;
}

}  // namespace weft::ir
