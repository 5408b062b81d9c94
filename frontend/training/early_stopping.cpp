#include "weft/frontend/training/early_stopping.h"

#include "weft/runtime/restored_count.h"

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

void EarlyStopping::restore(const std::vector<double>& progress) {
  const int64_t best_step = detail::restored_count(progress.at(1)), steps = detail::restored_count(progress.at(2));
  if (best_step > steps) throw Error("early stopping: the best of {} losses cannot be number {}", steps, best_step);
  best_ = progress.at(0), best_step_ = best_step, steps_ = steps;
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
