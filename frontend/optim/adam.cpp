#include "weft/frontend/optim/adam.h"

namespace weft::optim {

Adam::Adam(AdamOptions options, std::source_location at)
    : Optimizer("adam", at),
      lr(hyper("lr", options.lr, {.low = 0})),
      beta1(hyper("beta1", options.betas.first, {.low = 0, .high = 1, .below_high = true})),
      beta2(hyper("beta2", options.betas.second, {.low = 0, .high = 1, .below_high = true})),
      eps(hyper("eps", options.eps, {.low = 0})),
      weight_decay(hyper("weight_decay", options.weight_decay, {.low = 0})) {
  flag("amsgrad", options.amsgrad);
  flag("maximize", options.maximize);
}

}  // namespace weft::optim
