#include "weft/frontend/early_stopping.h"

namespace weft {
namespace {

int64_t checked(int64_t patience) {
  if (patience < 1) throw Error("early stopping needs a patience of at least 1, but it is {}", patience);
  return patience;
}

}  // namespace

EarlyStopping::EarlyStopping(std::vector<Parameter> parameters, int64_t patience)
    : best_weights_(std::move(parameters)), patience_(checked(patience)) {}
EarlyStopping::EarlyStopping(const nn::Module& model, int64_t patience) : best_weights_(model), patience_(checked(patience)) {}

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
