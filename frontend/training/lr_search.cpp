#include "weft/frontend/training/lr_search.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "weft/frontend/training/check_options.h"
#include "weft/frontend/training/snapshot.h"
#include "weft/frontend/training/specialization.h"
#include "weft/frontend/training/training_log.h"
#include "weft/runtime/data/split.h"
#include "weft/runtime/float_mode.h"
#include "weft/support/error.h"

namespace weft {
namespace {

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
    throw Error("of the {} rates tried, none after the first {} made the loss smaller", losses.size(), first)
        .of("find_lr")
        .hint("try others, or more");
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

LrSearch Trainer::find_lr(const Dataset& train, const LrSearchOptions& options) {
  const FloatMode mode;
  detail::check(options, train);
  std::optional<Dataset> some;
  if (options.data.overfit > 0) some = slice(train, 0, options.data.overfit);
  const Dataset& data = some ? *some : train;
  const BatchOptions order = detail::training_batches(options.batch, options.seed, options.data);
  const detail::HowCompiled how{detail::Use::training, options.seed, options.program, options.accumulate};
  detail::Programs programs(recipe(), data, order, how, detail::compile_notice(options.log));
  programs.any().check_labels(data);
  const Snapshot before(programs.any().parameters(), optimizer_);
  Hyper rate = optimizer_.learning_rate();
  const KeptRate kept(rate);
  Batcher batches(data, order);
  Smoothed smoothed;
  LrSearch result;
  double best = 0;
  for (int64_t step = 0, epoch = 0; step < options.steps; ++step) {
    const Batch* batch = step == 0 ? nullptr : batches.next();
    if (!batch) {
      batches.start_epoch(epoch++);
      batch = batches.next();
    }
    rate = options.min_lr * std::pow(options.max_lr / options.min_lr, static_cast<double>(step) / static_cast<double>(options.steps - 1));
    const detail::Outcome outcome = programs.run(*batch);
    if (outcome.is_finite() && std::isnan(outcome.loss)) continue;  // nothing of the batch counts
    const double loss = smoothed.add(outcome.loss);
    if (!std::isfinite(loss)) break;
    result.rates.push_back(rate);
    result.losses.push_back(loss);
    if (result.losses.size() == 1 || loss < best) best = loss;
    if (options.stop_factor > 0 && step > 1 && loss > options.stop_factor * best) break;
  }
  before.restore();
  return result;
}

}  // namespace weft
