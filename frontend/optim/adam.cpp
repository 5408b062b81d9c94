#include "weft/frontend/optim/adam.h"

namespace weft::optim {

MomentOptimizer::MomentOptimizer(std::string op, const Numbers& n, std::source_location at)
    : Optimizer(std::move(op), at), lr(hyper("lr", n.lr, {.low = 0})),
      beta1(hyper("beta1", n.betas.first, {.low = 0, .high = 1, .below_high = true})),
      beta2(hyper("beta2", n.betas.second, {.low = 0, .high = 1, .below_high = true})), eps(hyper("eps", n.eps, {.low = 0})),
      weight_decay(hyper("weight_decay", n.weight_decay, {.low = 0})) {
  flag("maximize", n.maximize);
}

Adam::Adam(AdamOptions o, std::source_location at) : MomentOptimizer("adam", {o.lr, o.betas, o.eps, o.weight_decay, o.maximize}, at) {
  flag("amsgrad", o.amsgrad);
}

AdamW::AdamW(AdamWOptions o, std::source_location at) : MomentOptimizer("adamw", {o.lr, o.betas, o.eps, o.weight_decay, o.maximize}, at) {
  flag("amsgrad", o.amsgrad);
}

Adamax::Adamax(AdamaxOptions o, std::source_location at)
    : MomentOptimizer("adamax", {o.lr, o.betas, o.eps, o.weight_decay, o.maximize}, at) {}

NAdam::NAdam(NAdamOptions o, std::source_location at)
    : MomentOptimizer("nadam", {o.lr, o.betas, o.eps, o.weight_decay, o.maximize}, at),
      momentum_decay(hyper("momentum_decay", o.momentum_decay, {.low = 0})) {
  flag("decoupled_weight_decay", o.decoupled_weight_decay);
}

RAdam::RAdam(RAdamOptions o, std::source_location at) : MomentOptimizer("radam", {o.lr, o.betas, o.eps, o.weight_decay, o.maximize}, at) {
  flag("decoupled_weight_decay", o.decoupled_weight_decay);
}

Lion::Lion(LionOptions o, std::source_location at)
    : Optimizer("lion", at), lr(hyper("lr", o.lr, {.low = 0})),
      beta1(hyper("beta1", o.betas.first, {.low = 0, .high = 1, .below_high = true})),
      beta2(hyper("beta2", o.betas.second, {.low = 0, .high = 1, .below_high = true})),
      weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})) {
  flag("maximize", o.maximize);
}

}  // namespace weft::optim
