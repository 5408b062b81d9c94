#pragma once
// What a Trainer says while it trains.

#include <memory>
#include <string>

#include "weft/frontend/trainer.h"
#include "weft/runtime/progress.h"

namespace weft::detail {

class TrainingLog {
 public:
  /// `style` is "bar", "plain", "classic" or "none"; anything else throws weft::Error. `tests`: is there a test set?
  TrainingLog(const std::string& style, int64_t epochs, int64_t batch, int64_t samples, bool tests);

  void begin_epoch(int64_t epoch);
  /// After a batch: its number in the epoch from 0, the samples done, its loss and the fraction of it classified right.
  void batch(int64_t index, int64_t samples_done, double loss, double accuracy);
  /// Between epochs' ends.
  void evaluation(const Evaluation& result);
  void end_epoch(const EpochResult& result);
  /// After all epochs.
  void done();

 private:
  enum class Style { bar, plain, classic, none };
  static Style style_named(const std::string& name);

  Style style_;
  int64_t epochs_, batch_, samples_;
  bool tests_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace weft::detail
