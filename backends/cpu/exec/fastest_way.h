#pragma once
// Which of several ways to do the same is the fastest, found out while it is done again and again. What a second thread gains depends
// on the machine, on who else uses it and on what the caller does between two steps, so no estimate knows it.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::cpu {

/// Now and then all ways are tried in turn, a few runs each; else the one that was the fastest is taken.
class FastestWay {
 public:
  FastestWay() = default;
  /// Until the first trial `guess` is taken. Way 0 needs the fewest means: another one must be faster by a twentieth.
  FastestWay(size_t ways, size_t guess) : seconds_(ways), best_(guess) {}

  size_t best() const { return best_; }
  /// The way of the next run. Whoever asks runs it, and tells how long it took where is_measured().
  size_t next() { return --until_trial_ >= 0 || seconds_.size() < 2 ? best_ : next_of_trial(); }
  bool is_measured() const { return measured_ >= 0; }
  /// Does that run belong to a trial?
  bool is_trying() const { return run_ > 0; }
  void took(double seconds);

 private:
  size_t next_of_trial();

  std::vector<std::vector<double>> seconds_;  // of the trial's runs, per way
  size_t best_ = 0;
  int64_t pause_ = 0;         // runs between two trials: more and more
  int64_t until_trial_ = 16;  // the first runs touch memory that nobody has touched before
  int64_t run_ = 0;           // of the trial
  int measured_ = -1;         // the way that runs
};

}  // namespace weft::cpu
