#include "weft/backends/cpu/exec/fastest_way.h"

#include <algorithm>

namespace weft::cpu {
namespace {

double median(std::vector<double> all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

}  // namespace

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

std::vector<double> FastestWay::medians() const {
  std::vector<double> of_ways;
  for (const std::vector<double>& all : seconds_) of_ways.push_back(median(all));
  return of_ways;
}

/// Is one way so much slower than another that one round tells?
bool FastestWay::is_plain() const {
  constexpr double times = 4;
  const std::vector<double> all = medians();
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  return *most > times * *least;
}

void FastestWay::decide() {
  const std::vector<double> medians = this->medians();
  best_ = 0;
  for (size_t way = 1; way < medians.size(); ++way)
    if (medians[way] < (best_ == 0 ? 0.95 : 1) * medians[best_]) best_ = way;
  double lost = 0;
  for (const std::vector<double>& all : seconds_)
    for (const double seconds : all) lost += std::max(0.0, seconds - medians[best_]);
  lost *= static_cast<double>(trial_.runs) / static_cast<double>(trial_.runs - trial_.unmeasured);
  constexpr double part = 50;
  pause_ = std::clamp(8 * pause_, trial_.first_pause, trial_.last_pause);
  until_trial_ = std::max(pause_, static_cast<int64_t>(std::min(part * lost / medians[best_], 1e15)));
  for (std::vector<double>& all : seconds_) all.clear();
  run_ = 0, measured_ = -1, asked_ = false;
}

}  // namespace weft::cpu
