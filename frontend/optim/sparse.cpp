#include "weft/frontend/optim/sparse.h"

namespace weft::optim {

SparseAdam::SparseAdam(SparseAdamOptions o, std::source_location at)
    : Optimizer("sparse_adam", at), lr(hyper("lr", o.lr, {.low = 0})),
      beta1(hyper("beta1", o.betas.first, {.low = 0, .high = 1, .below_high = true})),
      beta2(hyper("beta2", o.betas.second, {.low = 0, .high = 1, .below_high = true})),
      eps(hyper("eps", o.eps, {.low = 0, .above_low = true})) {
  if (o.lr == 0) fail("sparse_adam.lr must not be 0");  // it may become 0 later: schedules end so
  flag("maximize", o.maximize);
}

}  // namespace weft::optim
