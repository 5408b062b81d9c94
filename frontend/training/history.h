#pragma once
// What a training gave.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/frontend/report/profile.h"

namespace weft {

/// Numbers by name, in the order in which they came.
class NamedNumbers {
 public:
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  NamedNumbers() = default;
  NamedNumbers(std::vector<std::pair<std::string, double>> all) : all_(std::move(all)) {}
  /// Throws weft::Error with the nearest names, or all, when there is none of that name.
  double operator[](std::string_view name) const;
  /// That number, or nan.
  double find(std::string_view name) const;
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  bool operator==(const NamedNumbers&) const = default;

 private:
  std::vector<std::pair<std::string, double>> all_;
};

/// A loss is that of all batches at once, the training loss before each update unless MeasureOptions::training_set: what a loss
/// divides by (targets that are not ignored, class weights, a mask's sum) is added up over the batches as what it divides is. A loss
/// that divides by no such sum counts as often as its batch has samples. Metrics are those of the Trainer (Trainer::metric, Measured)
/// and, unless one is called so, an "accuracy": the fraction of the targets that count, of the classes that the loss is given and does
/// not ignore, or, where a loss of yours calls none of the library's for classes, of the targets that are classes along the
/// prediction's axis 1 or last axis. There is none where targets are no classes. Test numbers are nan without a test set.
struct EpochResult {
  int64_t epoch = 0;  // from 1
  double train_loss = NamedNumbers::unknown, test_loss = NamedNumbers::unknown;
  NamedNumbers train_metrics = {}, test_metrics = {};
  double step_us = 0;                            // median time of one training step
  double learning_rate = NamedNumbers::unknown;  // of the optimizer, at the last step

  /// The metric "accuracy", or nan.
  double train_accuracy() const { return train_metrics.find("accuracy"); }
  double test_accuracy() const { return test_metrics.find("accuracy"); }
};

/// What a data set gave without training, as EpochResult's test numbers.
struct Evaluation {
  int64_t step = 0;  // after so many training steps
  double loss = 0;
  NamedNumbers metrics = {};

  /// The metric "accuracy", or nan.
  double accuracy() const { return metrics.find("accuracy"); }
};

struct History {
  std::vector<EpochResult> epochs;
  std::vector<Evaluation> evaluations = {};  // if asked for: between epochs' ends
  int64_t steps = 0;
  size_t planned_bytes = 0;  // of the largest program's arena
  double compile_ms = 0;     // of all programs
  int64_t best_epoch = 0;    // the one with the smallest test loss, if early stopping was asked for
  Profile profile = {};      // if asked for: see Step::profile
  /// If asked for: the Euclidean norm of the loss's gradient by layer ("fc1"), before every step's update.
  std::vector<std::pair<std::string, std::vector<double>>> gradient_norms = {};

  /// Throws weft::Error when there is no epoch: nothing was left to do after the steps that a checkpoint had made.
  const EpochResult& last() const;
  /// Whose weights the model has.
  const EpochResult& kept() const { return best_epoch > 0 ? epochs[static_cast<size_t>(best_epoch) - 1] : last(); }
};

/// What was trained, by name. The name may be empty where there is one.
using Runs = std::vector<std::pair<std::string, History>>;

}  // namespace weft
