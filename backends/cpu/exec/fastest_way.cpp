#include "weft/backends/cpu/exec/fastest_way.h"

#include <algorithm>

namespace weft::cpu {
namespace {

constexpr int64_t rounds = 3, runs = 8, unmeasured = 3;  // threads that slept wake up in a way's first runs
constexpr int64_t first_pause = 1000, last_pause = 100'000;

double median(std::vector<double>& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

}  // namespace

size_t FastestWay::next_of_trial() {
  const int64_t ways = static_cast<int64_t>(seconds_.size());
  if (run_ == rounds * runs * ways) {
    best_ = 0;
    double least = 0.95 * median(seconds_[0]);
    for (size_t way = 1; way < seconds_.size(); ++way)
      if (const double its = median(seconds_[way]); its < least) best_ = way, least = its;
    for (std::vector<double>& all : seconds_) all.clear();
    run_ = 0, measured_ = -1;
    until_trial_ = pause_ = std::clamp(8 * pause_, first_pause, last_pause);
    return best_;
  }
  const auto way = static_cast<int>(run_ / runs % ways);
  measured_ = run_ % runs >= unmeasured ? way : -1;
  ++run_;
  return static_cast<size_t>(way);
}

void FastestWay::took(double seconds) { seconds_[static_cast<size_t>(measured_)].push_back(seconds); }

}  // namespace weft::cpu
