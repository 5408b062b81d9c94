#pragma once
// A Trainer's checkpoints: when they are written, which are kept, and how training goes on from one.

#include <optional>
#include <string>

#include "weft/frontend/training/checkpoint.h"
#include "weft/frontend/training/checkpoint_files.h"
#include "weft/frontend/training/early_stopping.h"
#include "weft/frontend/training/specialization.h"

namespace weft::detail {

/// Adds up what the batches of an epoch gave.
struct Tally {
  std::vector<Quotient> terms;  // of the loss
  int64_t batches = 0, samples = 0;
  std::vector<Gathered> metrics;

  void add(const Outcome& outcome, int64_t size);
  /// That of all batches at once; nan when a term has nothing that counts.
  double loss() const;
};

/// How far training has come: complete epochs, and the batches of the next one so far.
struct Position {
  int64_t epoch = 0;
  Tally tally;
};

class Checkpoints {
 public:
  /// `how` says what must be equal for a continuation to see the same batches and masks; `examples` and `batches` are those of an
  /// epoch; `stopping` is null without early stopping.
  Checkpoints(const Recipe& recipe, const Specialization& program, const CheckpointOptions& options, std::string how, int64_t examples,
              int64_t batches, CheckpointFiles& files, EarlyStopping* stopping);

  Position& position() { return position_; }
  const Position& position() const { return position_; }
  bool is_epoch_complete() const { return position_.tally.batches == batches_; }
  /// Reads CheckpointOptions::resume, if there is one: everything is as it was, the history too.
  void resume(History& history);
  void after_step(int64_t steps);
  /// Goes on to the next epoch if this one is complete.
  void after_epoch(const History& history);

 private:
  void write(int64_t steps, double test_loss);
  void read_note(const std::string& text, History& history);
  void check_note(const History& history) const;

  const CheckpointOptions& options_;
  std::string how_;
  const GatheredMetrics& metrics_;
  CheckpointFiles& files_;
  int64_t examples_, batches_;
  Checkpoint checkpoint_;
  Position position_;
  std::vector<EpochResult> epochs_;  // complete ones
  double best_loss_;
  EarlyStopping* stopping_;
  std::string written_how_;  // how_ of the run that wrote what is resumed
};

}  // namespace weft::detail
