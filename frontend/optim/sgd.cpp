#include "weft/frontend/optim/sgd.h"

namespace weft::optim {

SGD::SGD(SgdOptions options, std::source_location at)
    : Optimizer("sgd", at),
      lr(hyper("lr", options.lr, {.low = 0})),
      momentum(hyper("momentum", options.momentum, {.low = 0})),
      dampening(hyper("dampening", options.dampening, {})),
      weight_decay(hyper("weight_decay", options.weight_decay, {.low = 0})) {
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0))
    fail("sgd: nesterov needs a momentum and zero dampening");
  flag("nesterov", options.nesterov);
  flag("maximize", options.maximize);
}

}  // namespace weft::optim
