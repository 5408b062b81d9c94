// sgd, asgd, rprop, lars: updates along the gradient or its sign.

#include <numeric>

#include "weft/ir/ops/update.h"

namespace weft::ir {
namespace {

using Switches = std::function<bool(std::string_view)>;

std::vector<Value> sgd(const Update& u) {
  Expr direction = u.decayed_gradient();
  std::vector<Value> states;
  if (u.flag("momentum")) {
    const Expr momentum = u.broadcast("momentum");
    const Expr running = momentum * u.state(0) + u.broadcast(1.0 - u.hyper("dampening")) * direction;
    // The first step stores the gradient itself, undamped.
    const Expr buffer = fading(u.at_first(direction, running));
    states.push_back(buffer);
    direction = u.flag("nesterov") ? direction + momentum * buffer : buffer;
  }
  std::vector<Value> results{u.parameter() - u.broadcast("lr") * direction};
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

/// eta is the rate of this step, made at the end of the last one.
std::vector<Value> asgd(const Update& u) {
  const Expr lr = u.hyper("lr"), eta = u.at_first(lr, u.state(0)), t = u.step();
  const Expr mu = 1.0 / maximum(u.number(1), t - 1.0 - u.hyper("t0"));
  const Expr p = u.parameter() * u.broadcast(1.0 - u.hyper("lambd") * eta) - u.broadcast(eta) * u.decayed_gradient();
  const Expr average = lerp(u.state(1), p, u.broadcast(mu));
  const Expr next_eta = lr / pow(1.0 + u.hyper("lambd") * lr * t, u.hyper("alpha"));
  return {p, next_eta, select({u.builder(), u.builder().broadcast(mu == 1.0, p.value().shape())}, p, average)};
}

std::vector<Value> rprop(const Update& u) {
  const Expr g = u.ascended_gradient(), agreement = g * u.state(0);
  const Expr zero = g.like(0), one = g.like(1);
  const Expr turned = agreement < 0.0;
  const Expr factor = select(turned, u.broadcast("etaminus"), select(zero < agreement, u.broadcast("etaplus"), one));
  const Expr size = u.at_first(u.broadcast("lr"), u.state(1)) * factor;
  const Expr clamped = minimum(maximum(size, u.broadcast("step_size_min")), u.broadcast("step_size_max"));
  // Where the sign has turned the step is left out, and the next one does not compare with it.
  const Expr used = select(turned, zero, g);
  return {u.parameter() - used.apply("sign") * clamped, used, clamped};
}

/// The length of x as a vector, in double.
Expr length(const Update& u, Expr x) {
  Builder& b = u.builder();
  Dims axes(x.value().shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return sqrt(Expr(b, b.cast(b.sum(x * x, axes), f64)));
}

std::vector<Value> lars(const Update& u) {
  const Expr p = length(u, u.parameter()), g = length(u, u.gradient());
  Expr of_both = g + u.hyper("eps");
  if (u.flag("weight_decay")) of_both = of_both + u.hyper("weight_decay") * p;
  const Expr trust = select(p == 0.0, u.number(1), select(g == 0.0, u.number(1), u.hyper("trust_coefficient") * p / of_both));
  const Expr step = u.broadcast(u.hyper("lr") * trust) * u.decayed_gradient();
  if (!u.flag("momentum")) return {u.parameter() - step};
  const Expr velocity = fading(u.broadcast("momentum") * u.state(0) + step);
  return {u.parameter() - (u.flag("nesterov") ? u.broadcast("momentum") * velocity + step : velocity), velocity};
}

}  // namespace

const std::vector<UpdateRule>& descent_rules() {
  static const std::vector<UpdateRule> rules = {
      {{"sgd",
        {{"lr", "learning rate"},
         {"momentum", "momentum factor"},
         {"dampening", "dampening of the momentum"},
         {"weight_decay", "L2 penalty"}},
        [](const Type&, const Switches& on) {
          return on("momentum") ? std::vector<StateSpec>{{"momentum_buffer", like_parameter}} : std::vector<StateSpec>{};
        }},
       "One step of torch.optim.SGD. The first step stores the gradient as momentum, undamped",
       {"momentum", "nesterov", "weight_decay", "maximize"},
       sgd},
      {{"asgd",
        {{"lr", "learning rate"},
         {"lambd", "decay of the parameter and of the rate"},
         {"alpha", "power of the rate's decay"},
         {"t0", "the step at which averaging starts"},
         {"weight_decay", "L2 penalty"}},
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"eta", single_number}, {"ax", like_parameter}}; }},
       "One step of torch.optim.ASGD (Polyak and Juditsky 1992); ax is the averaged parameter",
       {"weight_decay", "maximize"},
       asgd},
      {{"rprop",
        {{"lr", "the first step's size"},
         {"etaminus", "factor where the sign turns"},
         {"etaplus", "factor where it does not"},
         {"step_size_min", "smallest step"},
         {"step_size_max", "largest step"}},
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"prev", like_parameter}, {"step_size", like_parameter}}; }},
       "One step of torch.optim.Rprop (Riedmiller and Braun 1993)",
       {"maximize"},
       rprop},
      {{"lars",
        {{"lr", "learning rate"},
         {"momentum", "momentum factor"},
         {"weight_decay", "L2 penalty"},
         {"trust_coefficient", "the step's length as a share of the parameter's"},
         {"eps", "added to the length that is divided by"}},
        [](const Type&, const Switches& on) {
          return on("momentum") ? std::vector<StateSpec>{{"momentum_buffer", like_parameter}} : std::vector<StateSpec>{};
        }},
       "One step of layer-wise adaptive rate scaling (You, Gitman and Ginsburg 2017)",
       {"momentum", "nesterov", "weight_decay", "maximize"},
       lars},
  };
  return rules;
}

}  // namespace weft::ir
