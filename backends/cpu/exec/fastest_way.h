#pragma once
// Which of several ways to do the same is the fastest, found out while it is done again and again. What a second thread gains depends
// on the machine, on who else uses it and on what the caller does between two runs, so no estimate knows it.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::cpu {

/// Now and then all ways are tried in turn; else the one that was the fastest is taken, and tried again before its time where it takes
/// longer than way 0 did: others may want the cores by now. Trials cost less than a fiftieth of the time.
class FastestWay {
 public:
  /// Each way gets so many rounds of so many runs, or one round where that tells. The first runs are not measured: in them, threads that
  /// slept wake up.
  struct Trial {
    int64_t rounds, runs, unmeasured;
    int64_t first_pause, last_pause;  // runs between two trials, at least: more and more
    bool on_demand;                   // as long as the guess is the best, a trial must be asked for
  };
  static constexpr Trial of_short_runs{3, 8, 3, 1000, 100'000, false}, of_long_runs{5, 1, 0, 64, 512, true};

  FastestWay() = default;
  /// Until the first trial `guess` is taken. Way 0 needs the fewest means: another one must be faster by a twentieth.
  FastestWay(size_t ways, size_t guess, const Trial& trial);

  size_t best() const { return best_; }
  /// The way of the next run. Whoever asks runs it, and tells how long it took where is_measured().
  size_t next() {
    if (seconds_.size() < 2) return best_;
    if (--until_trial_ < 0) return next_of_trial();
    measured_ = is_watched_ && until_trial_ % watched_one_of == 0 ? static_cast<int>(best_) : -1;
    return best_;
  }
  bool is_measured() const { return measured_ >= 0; }
  /// Does that run belong to a trial?
  bool is_trying() const { return run_ > 0; }
  void took(double seconds) {
    if (is_trying()) seconds_[static_cast<size_t>(measured_)].push_back(seconds);
    else watch(seconds);
  }
  /// There seems to be something to gain. Heard where the last trial is long enough ago.
  void ask_for_trial() { asked_ = until_trial_ <= 0; }

 private:
  static constexpr int64_t watched_one_of = 16;  // runs

  size_t next_of_trial();
  /// A run between two trials took so long.
  void watch(double seconds);
  double median_of(size_t way);
  bool is_plain();
  void decide();

  Trial trial_{};
  std::vector<std::vector<double>> seconds_;  // of the trial's runs, per way
  size_t guess_ = 0, best_ = 0;
  int64_t until_trial_ = 16;  // the first runs touch memory that nobody has touched before
  bool asked_ = false;
  int64_t pause_ = 0;  // the last one
  int64_t run_ = 0;    // of the trial
  int measured_ = -1;  // the way that runs

  bool is_watched_ = false;  // the best way may turn out to be slower than way 0
  double first_took_ = 0;    // way 0, in the last trial
  int64_t not_before_ = 0;   // until_trial_ when the last trial's cost is made up for
  int watched_ = 0, slow_ = 0;
};

}  // namespace weft::cpu
