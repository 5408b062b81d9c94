#pragma once
// What is said in training.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "weft/frontend/training/specialization.h"
#include "weft/frontend/training/trainer.h"
#include "weft/runtime/progress.h"

namespace weft::detail {

/// How an epoch goes, after one of its batches. Numbers of several models are means over them.
struct BatchNumbers {
  int64_t index = 0, samples_done = 0;  // of the epoch, the first batch is 0
  double batch_loss = 0;                // of this batch
  double loss = 0, accuracy = 0;        // of the epoch so far, as the epoch's will be; an accuracy that is nan is not shown
  double learning_rate = 0;             // nan where there are several: not shown
};

/// "compiled 4 programs in 2.1 s"; nothing where it was a second or less.
std::string compile_report(int64_t programs, double seconds);

/// Where a Trainer compiles but does not train: what compiles is shown on a terminal, if `style` is "bar", for as long as this lives.
Announce compile_notice(const std::string& style);

class TrainingLog {
 public:
  /// `style` is "bar", "plain", "classic" or "none"; anything else throws weft::Error. `names` are those of the models that are
  /// trained, one that is empty where there is one alone; `batches` and `samples` are those of an epoch. `tests`: is there a
  /// test set?
  TrainingLog(const std::string& style, const std::vector<std::string>& names, int64_t epochs, int64_t batches, int64_t samples,
              bool tests);

  enum class Style { bar, plain, classic, none };
  /// Throws weft::Error for what is no style.
  static Style style_named(const std::string& name);

  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  /// For a model's programs. On a terminal with a bar each is shown in the bar's place while it compiles; elsewhere one line says
  /// that compiling begins. The log must outlive what it returns.
  Announce announce(const std::string& name);
  /// After all programs: compile_report(), if there is something to say.
  void compiled();

  void begin_epoch(int64_t epoch);
  /// After a batch. The "classic" log shows the batch's own loss, a bar the means of the epoch so far.
  void batch(const BatchNumbers& numbers);
  /// Between epochs' ends, of one model.
  void evaluation(const std::string& name, const Evaluation& result);
  /// With the learning rate, where it is `scheduled`.
  void end_epoch(const std::string& name, const EpochResult& result, bool scheduled = false);
  /// Something to know beside the numbers.
  void note(const std::string& text);
  /// After all epochs.
  void done();

 private:
  /// What a line about the model begins with.
  std::string prefix(const std::string& name) const;
  void compiling(const std::string& name, const std::string& what);
  std::string summary(const std::string& name, const EpochResult& result, bool scheduled) const;
  void end_classic(const std::string& name, const EpochResult& result) const;

  Style style_;
  std::vector<std::string> names_, shown_;  // as they are given, and as they are written
  int width_ = 0;                           // of the longest that is written; 0: there is one model
  int64_t epochs_, batches_, samples_;
  bool tests_;
  std::unique_ptr<Progress> progress_;
  int64_t programs_ = 0;                         // compiled, or about to be
  std::chrono::steady_clock::time_point start_;  // of compiling
};

}  // namespace weft::detail
