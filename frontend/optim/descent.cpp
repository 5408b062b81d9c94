#include "weft/frontend/optim/descent.h"

namespace weft::optim {

SGD::SGD(SgdOptions options, std::source_location at)
    : Optimizer("sgd", at), lr(hyper("lr", options.lr, {.low = 0})), momentum(hyper("momentum", options.momentum, {.low = 0})),
      dampening(hyper("dampening", options.dampening, {})), weight_decay(hyper("weight_decay", options.weight_decay, {.low = 0})) {
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) fail("sgd: nesterov needs a momentum and zero dampening");
  flag("nesterov", options.nesterov);
  flag("maximize", options.maximize);
}

ASGD::ASGD(AsgdOptions o, std::source_location at)
    : Optimizer("asgd", at), lr(hyper("lr", o.lr, {.low = 0})), lambd(hyper("lambd", o.lambd, {.low = 0})),
      alpha(hyper("alpha", o.alpha, {.low = 0})), t0(hyper("t0", o.t0, {})),
      weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})) {
  flag("maximize", o.maximize);
}

Rprop::Rprop(RpropOptions o, std::source_location at)
    : Optimizer("rprop", at), lr(hyper("lr", o.lr, {.low = 0})),
      etaminus(hyper("etaminus", o.etas.first, {.low = 0, .high = 1, .below_high = true})),
      etaplus(hyper("etaplus", o.etas.second, {.low = 1})), step_size_min(hyper("step_size_min", o.step_sizes.first, {.low = 0})),
      step_size_max(hyper("step_size_max", o.step_sizes.second, {.low = 0})) {
  if (o.etas.first <= 0 || o.etas.second <= 1) fail("rprop: etas must be 0 < etas.first < 1 < etas.second");
  if (o.step_sizes.first > o.step_sizes.second)
    fail(fmt::format("rprop: the smallest step size {} is above the largest {}", o.step_sizes.first, o.step_sizes.second));
  flag("maximize", o.maximize);
}

LARS::LARS(LarsOptions o, std::source_location at)
    : Optimizer("lars", at), lr(hyper("lr", o.lr, {.low = 0})), momentum(hyper("momentum", o.momentum, {.low = 0})),
      weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})),
      trust_coefficient(hyper("trust_coefficient", o.trust_coefficient, {.low = 0})), eps(hyper("eps", o.eps, {.low = 0})) {
  if (o.nesterov && o.momentum == 0) fail("lars: nesterov needs a momentum");
  flag("nesterov", o.nesterov);
  flag("maximize", o.maximize);
}

}  // namespace weft::optim
