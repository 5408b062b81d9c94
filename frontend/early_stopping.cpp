#include "weft/frontend/early_stopping.h"

namespace weft {

EarlyStopping::EarlyStopping(std::vector<Parameter> parameters, int64_t patience)
    : best_weights_(std::move(parameters)), patience_(patience) {
  if (patience < 1) throw Error("early stopping needs a patience of at least 1, but it is {}", patience);
}

bool EarlyStopping::step(double loss) {
  ++steps_;
  if (loss < best_) {
    best_ = loss;
    best_step_ = steps_;
    best_weights_.take();
  }
  return is_over();
}

}  // namespace weft
