#include "weft/frontend/optim/adaptive.h"

namespace weft::optim {

Adagrad::Adagrad(AdagradOptions o, std::source_location at)
    : Optimizer("adagrad", at), lr(hyper("lr", o.lr, {.low = 0})), lr_decay(hyper("lr_decay", o.lr_decay, {.low = 0})),
      weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})),
      initial_accumulator_value(hyper("initial_accumulator_value", o.initial_accumulator_value, {.low = 0})),
      eps(hyper("eps", o.eps, {.low = 0})) {
  flag("maximize", o.maximize);
}

Adadelta::Adadelta(AdadeltaOptions o, std::source_location at)
    : Optimizer("adadelta", at), lr(hyper("lr", o.lr, {.low = 0})), rho(hyper("rho", o.rho, {.low = 0, .high = 1})),
      eps(hyper("eps", o.eps, {.low = 0})), weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})) {
  flag("maximize", o.maximize);
}

RMSprop::RMSprop(RmsPropOptions o, std::source_location at)
    : Optimizer("rmsprop", at), lr(hyper("lr", o.lr, {.low = 0})), alpha(hyper("alpha", o.alpha, {.low = 0})),
      eps(hyper("eps", o.eps, {.low = 0})), weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})),
      momentum(hyper("momentum", o.momentum, {.low = 0})) {
  flag("centered", o.centered);
  flag("maximize", o.maximize);
}

Adafactor::Adafactor(AdafactorOptions o, std::source_location at)
    : Optimizer("adafactor", at), lr(hyper("lr", o.lr, {.low = 0})), beta2_decay(hyper("beta2_decay", o.beta2_decay, {.high = 0})),
      eps2(hyper("eps2", o.eps2, {.low = 0})), d(hyper("d", o.d, {.low = 1})),
      weight_decay(hyper("weight_decay", o.weight_decay, {.low = 0})) {
  flag("maximize", o.maximize);
}

}  // namespace weft::optim
