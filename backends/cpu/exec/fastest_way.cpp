#include "weft/backends/cpu/exec/fastest_way.h"

#include <algorithm>

namespace weft::cpu {

FastestWay::FastestWay(size_t ways, size_t guess, const Trial& trial) : trial_(trial), seconds_(ways), guess_(guess), best_(guess) {
  for (std::vector<double>& all : seconds_) all.reserve(static_cast<size_t>(trial.rounds * trial.runs));  // steps allocate nothing
}

size_t FastestWay::next_of_trial() {
  if (run_ == 0 && trial_.on_demand && best_ == guess_ && !asked_) {
    until_trial_ = 0;
    return best_;
  }
  const auto ways = static_cast<int64_t>(seconds_.size()), round = trial_.runs * ways;
  if (run_ == trial_.rounds * round || (run_ == round && is_plain())) {
    decide();
    return best_;
  }
  const auto way = static_cast<int>(run_ / trial_.runs % ways);
  measured_ = run_ % trial_.runs >= trial_.unmeasured ? way : -1;
  ++run_;
  return static_cast<size_t>(way);
}

double FastestWay::median_of(size_t way) {
  std::vector<double>& all = seconds_[way];
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

/// Is one way so much slower than another that one round tells?
bool FastestWay::is_plain() {
  constexpr double times = 4;
  double least = median_of(0), most = least;
  for (size_t way = 1; way < seconds_.size(); ++way) least = std::min(least, median_of(way)), most = std::max(most, median_of(way));
  return most > times * least;
}

void FastestWay::watch(double seconds) {
  constexpr int window = 8, many = 6;
  slow_ += seconds > first_took_;
  if (++watched_ < window) return;
  if (slow_ >= many) {
    until_trial_ = std::max<int64_t>(0, until_trial_ - not_before_);
    not_before_ = 0, pause_ = 0;
  }
  watched_ = slow_ = 0;
}

void FastestWay::decide() {
  best_ = 0;
  double least = median_of(0);
  first_took_ = least;
  constexpr double by_more_than_chance = 0.95;
  for (size_t way = 1; way < seconds_.size(); ++way)
    if (median_of(way) < (best_ == 0 ? by_more_than_chance : 1) * least) best_ = way, least = median_of(way);
  double lost = 0;
  for (const std::vector<double>& all : seconds_)
    for (const double seconds : all) lost += std::max(0.0, seconds - least);
  lost *= static_cast<double>(trial_.runs) / static_cast<double>(trial_.runs - trial_.unmeasured);
  constexpr double part = 50;
  pause_ = std::clamp(8 * pause_, trial_.first_pause, trial_.last_pause);
  const auto made_up_for = static_cast<int64_t>(std::min(part * lost / least, 1e15));
  until_trial_ = std::max(pause_, made_up_for), not_before_ = until_trial_ - made_up_for;
  is_watched_ = best_ > 0 && !trial_.on_demand, watched_ = slow_ = 0;
  for (std::vector<double>& all : seconds_) all.clear();
  run_ = 0, measured_ = -1, asked_ = false;
}

}  // namespace weft::cpu
