#pragma once
// What is said in training.

#include <memory>
#include <string>
#include <vector>

#include "weft/frontend/trainer.h"
#include "weft/runtime/progress.h"

namespace weft::detail {

class TrainingLog {
 public:
  /// `style` is "bar", "plain", "classic" or "none"; anything else throws weft::Error. `names` are those of the models that are
  /// trained, one that is empty where there is one alone; `batches` and `samples` are those of an epoch. `tests`: is there a
  /// test set?
  TrainingLog(const std::string& style, const std::vector<std::string>& names, int64_t epochs, int64_t batches, int64_t samples,
              bool tests);

  void begin_epoch(int64_t epoch);
  /// After a batch: its number in the epoch from 0, the samples done, its loss and the fraction of it classified right (means
  /// over the models).
  void batch(int64_t index, int64_t samples_done, double loss, double accuracy);
  /// Between epochs' ends, of one model.
  void evaluation(const std::string& name, const Evaluation& result);
  void end_epoch(const std::string& name, const EpochResult& result);
  /// Something to know beside the numbers.
  void note(const std::string& text);
  /// After all epochs.
  void done();

 private:
  enum class Style { bar, plain, classic, none };
  static Style style_named(const std::string& name);
  /// What a line about the model begins with.
  std::string prefix(const std::string& name) const;
  void end_classic(const std::string& name, const EpochResult& result) const;

  Style style_;
  size_t width_ = 0;  // of the longest name; 0: there is one model
  int64_t epochs_, batches_, samples_;
  bool tests_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace weft::detail
