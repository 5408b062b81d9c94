#include "weft/frontend/training/lr_search.h"

#include <algorithm>
#include <cmath>

#include "weft/frontend/training/snapshot.h"
#include "weft/frontend/training/specialization.h"
#include "weft/frontend/training/training_log.h"
#include "weft/runtime/data/split.h"
#include "weft/runtime/float_mode.h"
#include "weft/support/error.h"

namespace weft {
namespace {

void check(const LrSearchOptions& o) {
  if (!(o.min_lr > 0) || !(o.max_lr > o.min_lr) || o.steps < 2 || !(o.stop_factor >= 0))
    throw Error("find_lr: 0 < .min_lr ({}) < .max_lr ({}), at least 2 .steps ({}) and a .stop_factor ({}) that is not negative are needed",
                o.min_lr, o.max_lr, o.steps, o.stop_factor);
}

/// Exponential moving average with the weight of what never came divided out, as Adam's.
class Smoothed {
 public:
  double add(double value) {
    constexpr double keep = 0.98;
    sum_ = keep * sum_ + (1 - keep) * value;
    weight_ *= keep;
    return sum_ / (1 - weight_);
  }

 private:
  double sum_ = 0, weight_ = 1;
};

/// Sets an optimizer's rate back at the end of the scope.
class KeptRate {
 public:
  explicit KeptRate(Hyper rate) : rate_(rate), before_(rate.value()) {}
  ~KeptRate() { rate_ = before_; }

 private:
  Hyper rate_;
  double before_;
};

}  // namespace

double LrSearch::suggestion() const {
  constexpr size_t first = 10;
  const auto last = static_cast<size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin());
  if (losses.empty() || last < first + 1)
    throw Error("find_lr: of the {} rates tried, none after the first {} made the loss smaller; try others, or more", losses.size(), first);
  // The rates are evenly spaced on a logarithmic scale, so differences of neighbours are slopes.
  const auto slope = [&](size_t i) {
    const size_t left = i == first ? i : i - 1, right = i == last ? i : i + 1;
    return (losses[right] - losses[left]) / static_cast<double>(right - left);
  };
  size_t best = first;
  for (size_t i = first; i <= last; ++i)
    if (slope(i) < slope(best)) best = i;
  return rates[best];
}

LrSearch Trainer::find_lr(const Dataset& train, const FitOptions& given, const LrSearchOptions& search) {
  const FloatMode mode;
  const FitOptions options = detail::about_batches(given);
  check(search);
  detail::check(options, train, nullptr);
  const Dataset data = options.overfit > 0 ? slice(train, 0, options.overfit) : train;
  detail::Programs programs(recipe(), data, true, options, detail::compile_notice(options.log));
  programs.any().check_labels(data);
  const Snapshot before(programs.any().parameters(), optimizer_);
  Hyper rate = optimizer_.learning_rate();
  const KeptRate kept(rate);
  Batcher batches(data, detail::training_batches(options));
  Smoothed smoothed;
  LrSearch result;
  double best = 0;
  for (int64_t step = 0, epoch = 0; step < search.steps; ++step) {
    const Batch* batch = step == 0 ? nullptr : batches.next();
    if (!batch) {
      batches.start_epoch(epoch++);
      batch = batches.next();
    }
    rate = search.min_lr * std::pow(search.max_lr / search.min_lr, static_cast<double>(step) / static_cast<double>(search.steps - 1));
    const detail::Outcome outcome = programs.run(*batch);
    if (outcome.is_finite() && std::isnan(outcome.loss)) continue;  // nothing of the batch counts
    const double loss = smoothed.add(outcome.loss);
    if (!std::isfinite(loss)) break;
    result.rates.push_back(rate);
    result.losses.push_back(loss);
    if (result.losses.size() == 1 || loss < best) best = loss;
    if (search.stop_factor > 0 && step > 1 && loss > search.stop_factor * best) break;
  }
  before.restore();
  return result;
}

}  // namespace weft
