#pragma once
// What a Trainer records, and what becomes of its schedules and averages.

#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/tensors.h"
#include "weft/frontend/nn/any_module.h"
#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/optim/schedule.h"
#include "weft/frontend/training/averaged_weights.h"
#include "weft/frontend/training/callback.h"
#include "weft/frontend/training/checkpoint.h"
#include "weft/frontend/training/metric.h"

namespace weft {

namespace detail {

/// A schedule in a Trainer's hands.
struct DrivenSchedule {
  std::function<void(double test_loss)> step;
  std::function<void(Checkpoint&)> add_to;
  const Hyper* learning_rate;  // that it moves
  Every every;
  bool watches_test_loss;
};

/// A loss, and metrics, of prediction and target.
using PairLoss = std::function<Tensor(const Tensor&, const Tensor&)>;
using PairMetrics = std::vector<std::pair<std::string, std::function<Metric(const Tensor&, const Tensor&)>>>;
/// Of a batch.
using BatchLoss = std::function<Measured(const Tensors&)>;

struct Recipe {
  nn::AnyModule model;
  BatchLoss measure;
  optim::Optimizer optimizer;
  std::source_location at;
  std::vector<DrivenSchedule> schedules;
  AveragedWeights* average = nullptr;  // kept after every step, if there is one
  Callbacks callbacks = {};
};

/// The loss of the model's prediction for "x" and the target "y", with the metrics and an accuracy.
BatchLoss loss_of_pairs(nn::AnyModule model, PairLoss loss, PairMetrics metrics, std::source_location at);
/// `loss` with an accuracy.
BatchLoss loss_of_batches(nn::AnyModule model, BatchLoss loss, std::source_location at);

}  // namespace detail
}  // namespace weft
