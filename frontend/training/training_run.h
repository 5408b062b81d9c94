#pragma once
// One model's part in a fit: its programs, its numbers and its files. Whoever brings the batches says when an epoch ends.

#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/training/checkpoints.h"
#include "weft/frontend/training/early_stopping.h"
#include "weft/frontend/training/specialization.h"
#include "weft/frontend/training/training_log.h"
#include "weft/runtime/event_file.h"
#include "weft/runtime/metrics.h"

namespace weft::detail {

/// What all runs of a fit see.
struct FitData {
  /// Both sets must outlive it; `test` is null where there is none.
  FitData(const Dataset& train, const Dataset* test, const BatchOptions& batches, bool evaluates_train);

  const Dataset& train;
  const Dataset* test;
  BatchOptions shuffled, in_order;  // how it is trained on, and evaluated on
  Batcher training;
  std::optional<Batcher> testing;  // the test set
  std::optional<Batcher> trained;  // the training set, to evaluate on
};

/// One pass over what `batches` delivers.
Evaluation evaluate(Programs& programs, Batcher& batches);

/// The loss of every step as it comes, with what is measured of its batch, in a CSV file; nothing without a path.
class LossCurve {
 public:
  explicit LossCurve(const std::string& path);
  /// Before the first step.
  void begin(const std::vector<std::string>& metrics);
  void add(int64_t step, double loss, const NamedNumbers& measured);
  void end_epoch();

 private:
  void check() const;

  std::string path_;
  std::ofstream file_;
};

class TrainingRun {
 public:
  /// Compiles, telling the log, and goes on from a checkpoint if there is one; throws as Trainer::fit does. `data` must outlive
  /// it. `name` tells it from others in what is written; empty where there are none.
  TrainingRun(std::string name, const Recipe& recipe, FitData& data, const FitOptions& options, TrainingLog& log);
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  const std::string& name() const { return name_; }
  const History& history() const { return history_; }
  const Position& position() const { return checkpoints_->position(); }
  const std::vector<Parameter>& parameters() const { return training_.any().parameters(); }
  /// Of the epoch so far; nan where targets are no classes.
  double accuracy() const;
  double learning_rate() const { return learning_rate_; }

  /// Is nothing left to do: all epochs or steps made, or no patience left?
  bool is_over() const;
  /// Is this batch of its epoch its next one?
  bool takes(const Batch& batch) const { return !is_over() && position().tally.batches == batch.index; }
  /// Trains on it. Throws weft::Error when the loss is not finite.
  Outcome step(const Batch& batch);
  /// After a step, once all runs have made it: evaluates and saves if it is time to.
  void after_step(TrainingLog& log);
  /// `metrics` may be null.
  void end_epoch(TrainingLog& log, MetricsFile* metrics);
  /// The model gets the weights that it shall keep.
  History finish();

 private:
  Outcome run(const Batch& batch);
  /// What is measured of the last step's batch.
  NamedNumbers measured() const;
  void write_step();
  /// Those that move after each of these.
  void move_schedules(Every what, double test_loss);
  /// On the test set, with the averages if there are any.
  Evaluation evaluate_test();
  /// Those who wait for it. `evaluation` may be null.
  void call(const std::vector<Callback>& callbacks, TrainingLog& log, const Evaluation* evaluation = nullptr);
  void write_metrics(MetricsFile& file) const;
  void write_events();
  void write_watched(const std::vector<WatchedValue>& all);
  /// What was measured of the training step; nothing where there was none left to make.
  void write_reports();

  std::string name_;
  FitOptions options_;
  FitData& data_;
  Hyper learning_rate_;
  CheckpointFiles files_;  // before programs, so that what cannot be written is noticed before they compile
  LossCurve curve_;
  std::optional<EventFile> events_;
  std::optional<MetricsFile> watched_;
  Programs training_;
  std::optional<Programs> testing_, trained_;
  std::optional<EarlyStopping> stopping_;
  std::optional<Checkpoints> checkpoints_;
  std::vector<DrivenSchedule> schedules_;
  AveragedWeights* average_;
  Callbacks callbacks_;
  History history_;
  std::vector<double> times_;   // of the epoch's steps
  std::vector<double> losses_;  // of all steps, where there is a report
  double last_loss_ = NAN;
  std::vector<Gathered> last_metrics_;  // of the last step's batch
  double last_rate_ = NAN;              // with which it was made
  bool stepped_ = false;                // since the last after_step()
  bool stopped_ = false;                // by a callback
};

}  // namespace weft::detail
