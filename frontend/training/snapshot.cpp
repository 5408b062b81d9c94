#include "weft/frontend/training/snapshot.h"

#include <cstring>

#include "weft/frontend/optim/core.h"

namespace weft {
namespace {

void copy(const Array& from, Array& to) { std::memcpy(to.data(), from.data(), to.bytes()); }

std::vector<Parameter> all_of(const nn::Module& model) {
  std::vector<Parameter> all;
  for (const auto& [name, parameter] : model.state_dict()) all.push_back(parameter);
  return all;
}

}  // namespace

Snapshot::Snapshot(const nn::Module& model) : Snapshot(all_of(model)) {}
Snapshot::Snapshot(const nn::Module& model, const optim::Optimizer& optimizer) : Snapshot(all_of(model), optimizer) {}

Snapshot::Snapshot(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) { take(); }

Snapshot::Snapshot(std::vector<Parameter> parameters, const optim::Optimizer& optimizer)
    : parameters_(std::move(parameters)), optimizer_(optimizer.core()) {
  take();
}

void Snapshot::take() {
  values_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) values_[i] = std::as_const(parameters_[i]).array();
  if (!optimizer_) return;
  steps_ = optimizer_->steps;
  for (const auto& known : optimizer_->states) {
    counts_[&known] = known.count;
    for (const auto& [name, array] : known.arrays) states_.insert_or_assign(&array, array);
  }
}

void Snapshot::restore() const {
  for (size_t i = 0; i < parameters_.size(); ++i) copy(values_[i], Parameter(parameters_[i]).array());
  if (!optimizer_) return;
  optimizer_->steps = steps_;
  for (auto& known : optimizer_->states) {
    const auto count = counts_.find(&known);
    known.count = count == counts_.end() ? 0 : count->second;
    for (auto& [name, array] : known.arrays) {
      if (const auto kept = states_.find(&array); kept != states_.end()) copy(kept->second, array);
      else std::memset(array.data(), 0, array.bytes());
    }
  }
}

}  // namespace weft
