// adagrad, adadelta, rmsprop, adafactor: updates divided by the size of past gradients.

#include <numeric>

#include "weft/ir/ops/update.h"

namespace weft::ir {
namespace {

using Switches = std::function<bool(std::string_view)>;

std::vector<Value> adagrad(const Update& u) {
  const Expr g = u.decayed_gradient();
  const Expr rate = u.hyper("lr") / (1.0 + (u.step() - 1.0) * u.hyper("lr_decay"));
  const Expr sum = u.at_first(u.broadcast("initial_accumulator_value"), u.state(0)) + g * g;
  return {u.parameter() - u.broadcast(rate) * (g / (sqrt(sum) + u.broadcast("eps"))), sum};
}

std::vector<Value> adadelta(const Update& u) {
  const Expr g = u.decayed_gradient(), rho = u.broadcast("rho"), rest = u.broadcast(1.0 - u.hyper("rho")), eps = u.broadcast("eps");
  const Expr average = fading(rho * u.state(0) + rest * g * g);
  const Expr delta = sqrt(u.state(1) + eps) / sqrt(average + eps) * g;
  return {u.parameter() - u.broadcast("lr") * delta, average, fading(rho * u.state(1) + rest * delta * delta)};
}

std::vector<Value> rmsprop(const Update& u) {
  const Expr g = u.decayed_gradient(), rest = u.broadcast(1.0 - u.hyper("alpha"));
  const Expr average = fading(u.broadcast("alpha") * u.state(0) + rest * g * g);
  std::vector<Value> states{average};
  Expr variance = average;
  if (u.flag("centered")) {
    const Expr mean = fading(lerp(u.state(1), g, rest));
    states.push_back(mean);
    variance = average - mean * mean;
  }
  Expr direction = g / (sqrt(variance) + u.broadcast("eps"));
  if (u.flag("momentum")) {
    direction = fading(u.broadcast("momentum") * u.state(static_cast<int>(states.size())) + direction);
    states.push_back(direction);
  }
  std::vector<Value> results{u.parameter() - u.broadcast("lr") * direction};
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

// Adafactor keeps, of a matrix of squares, the means of its rows and of its columns.

Type row_means(const Type& parameter) {
  Dims shape = parameter.shape.dims();
  shape.back() = 1;
  return {parameter.dtype, Shape(shape)};
}

Type column_means(const Type& parameter) {
  Dims shape = parameter.shape.dims();
  shape[shape.size() - 2] = 1;
  return {parameter.dtype, Shape(shape)};
}

std::vector<StateSpec> adafactor_states(const Type& parameter, const Switches&) {
  if (parameter.shape.rank() < 2) return {{"variance", like_parameter}};
  return {{"row_var", row_means}, {"col_var", column_means}};
}

/// A scalar in double, in the type and shape of `like`.
Expr stretched(const Update& u, Expr scalar, Expr like) {
  Builder& b = u.builder();
  return {b, b.broadcast(b.cast(scalar, like.value().dtype()), like.value().shape())};
}

/// The root of the mean of the squares of all elements, in double.
Expr root_mean_square(const Update& u, Expr x) {
  Builder& b = u.builder();
  Dims axes(x.value().shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  const Expr sum{b, b.cast(b.sum(x * x, axes), f64)};
  return sqrt(sum / static_cast<double>(std::max<int64_t>(1, x.value().shape().numel())));
}

/// The estimate of the squares, and the new states.
std::pair<Expr, std::vector<Value>> factored_squares(const Update& u, Expr g, Expr weight) {
  Builder& b = u.builder();
  const int rank = g.value().shape().rank();
  if (rank < 2) {
    const Expr variance = fading(lerp(u.state(0), g * g, stretched(u, weight, g)));
    return {variance, {variance}};
  }
  const auto mean = [&](Expr x, int64_t axis) { return Expr(b, b("mean", {x}, {{"axes", Dims{axis}}, {"keep_dims", true}})); };
  const Expr rows = fading(lerp(u.state(0), mean(g * g, rank - 1), stretched(u, weight, u.state(0))));
  const Expr columns = fading(lerp(u.state(1), mean(g * g, rank - 2), stretched(u, weight, u.state(1))));
  const Expr scale = mean(rows, rank - 2);
  const Expr floor = scale.like(epsilon_of(g.value().dtype()));
  const auto wide = [&](Expr x) { return Expr(b, b.broadcast(x, g.value().shape())); };
  return {wide(rows) * wide(columns) / wide(maximum(scale, floor)), {rows, columns}};
}

/// Python's max(floor, x), which torch takes of its scalars: nan is not above the floor. So one element that is not a number
/// leaves the others' updates as they are.
Expr at_least(Expr floor, Expr x) { return select(floor < x, x, floor); }

std::vector<Value> adafactor(const Update& u) {
  const Expr g = u.ascended_gradient(), t = u.step();
  const auto [squares, states] = factored_squares(u, g, pow(t, u.hyper("beta2_decay")));
  const double eps = epsilon_of(g.value().dtype());
  const Expr update = maximum(squares, g.like(eps * eps)).apply("rsqrt") * g;
  const Expr rate = minimum(u.hyper("lr"), 1.0 / sqrt(t)) * at_least(u.hyper("eps2"), root_mean_square(u, u.parameter()));
  const Expr clip = at_least(u.number(1), root_mean_square(u, update) / u.hyper("d"));
  std::vector<Value> results{u.shrunk_parameter() - u.broadcast(rate / clip) * update};
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

}  // namespace

const std::vector<UpdateRule>& adaptive_rules() {
  static const std::vector<UpdateRule> rules = {
      {{"adagrad",
        {{"lr", "learning rate"},
         {"lr_decay", "decay of the learning rate"},
         {"weight_decay", "L2 penalty"},
         {"initial_accumulator_value", "what the sum of squares starts with"},
         {"eps", "added to the denominator"}},
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"sum", like_parameter}}; }},
       "One step of torch.optim.Adagrad (Duchi et al. 2011)",
       {"weight_decay", "maximize"},
       adagrad},
      {{"adadelta",
        {{"lr", "scale of the update"},
         {"rho", "decay of the running squares"},
         {"eps", "added to both squares"},
         {"weight_decay", "L2 penalty"}},
        [](const Type&, const Switches&) { return std::vector<StateSpec>{{"square_avg", like_parameter}, {"acc_delta", like_parameter}}; }},
       "One step of torch.optim.Adadelta (Zeiler 2012)",
       {"weight_decay", "maximize"},
       adadelta},
      {{"rmsprop",
        {{"lr", "learning rate"},
         {"alpha", "decay of the running square"},
         {"eps", "added to the denominator"},
         {"weight_decay", "L2 penalty"},
         {"momentum", "momentum factor"}},
        [](const Type&, const Switches& on) {
          std::vector<StateSpec> states{{"square_avg", like_parameter}};
          if (on("centered")) states.push_back({"grad_avg", like_parameter});
          if (on("momentum")) states.push_back({"momentum_buffer", like_parameter});
          return states;
        }},
       "One step of torch.optim.RMSprop (Hinton 2012; centered: Graves 2013)",
       {"weight_decay", "momentum", "centered", "maximize"},
       rmsprop},
      {{"adafactor",
        {{"lr", "largest relative step"},
         {"beta2_decay", "power of the step that the running squares decay by"},
         {"eps2", "smallest scale of a parameter"},
         {"d", "where the update is clipped"},
         {"weight_decay", "weight decay, decoupled"}},
        adafactor_states},
       "One step of torch.optim.Adafactor (Shazeer and Stern 2018), eps1 being the element type's epsilon",
       {"weight_decay", "maximize"},
       adafactor},
  };
  return rules;
}

}  // namespace weft::ir
