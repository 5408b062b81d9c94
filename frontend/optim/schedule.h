#pragma once
// Learning-rate schedules: torch.optim.lr_scheduler's classes. A schedule sets run-time numbers of an optimizer, so
// nothing recompiles. Making one applies its step 0; each step() goes on by one (an epoch, or a batch: as the caller
// counts). Options have torch's defaults. The base rate is the one that the optimizer had when its first schedule was made;
// its groups are moved too, each from its own base rate.
//
//   optim::CosineAnnealingLR schedule(adam, {.t_max = 10});
//   for (int epoch = 0; epoch < 10; ++epoch) { ...; schedule.step(); }
//
// Several schedules of one optimizer chain as torch's do: those marked "chains" change the rate as they find it, in the order
// of their step() calls (a warm-up times a decay); the others set it, whatever it was. The formulas given are of a schedule
// alone. Constructors throw weft::Error, naming the user's line, for options outside of what is given, for gammas, factors and
// rates that are negative, and where torch's do.

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/optim/optimizer.h"

namespace weft {

/// What a schedule counts, and so after what a Trainer moves it on.
enum class Every { epoch, step };

}  // namespace weft

namespace weft::optim {

class Schedule {
 public:
  virtual ~Schedule() = default;
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  /// A group added to the optimizer since is moved too where a rate follows from the last one alone, as in torch; other schedules
  /// throw weft::Error then.
  void step() { advance(count_ + 1, false); }
  /// The number that it moves: the optimizer's.
  const Hyper& learning_rate() const { return rates_[0].lr; }
  /// Calls of step() so far.
  int64_t count() const { return count_; }
  /// What it counts unless a Trainer is told otherwise: training steps where its options do (OneCycleLR, CyclicLR, what is in
  /// warmup.h), as torch's documentation has them, else epochs.
  Every every() const { return every_; }
  /// The learning rate as it stands.
  double last_lr() const { return rates_[0].lr; }
  /// Sets the rates to what they are after `count` steps of this schedule alone: how schedules follow each other.
  void go_to(int64_t count) { advance(count, true); }
  /// What a checkpoint keeps of it, and how it goes on from there: its count, and the rates as they stand.
  std::vector<double> progress() const;
  void restore(const std::vector<double>& progress);

 protected:
  /// Constructors of schedules end with go_on_from(0).
  Schedule(const char* name, const Optimizer& optimizer, std::source_location at, Every every = Every::epoch);
  /// Its step `count`, applied to the rates as they stand.
  void go_on_from(int64_t count) { advance(count, false); }
  /// The rate after `count` steps of this schedule alone.
  virtual double rate(int64_t count) const = 0;
  /// What step `count` makes of the rate `now`; none where it does not matter what the rate was.
  virtual std::optional<double> chained(double /*now*/, int64_t /*count*/) const { return {}; }
  /// The momentum after `count` steps, for schedules that move it.
  virtual std::optional<double> momentum(int64_t) const { return {}; }
  double base() const { return base_; }
  /// From here on the base rate of the optimizer and its groups, for schedules that are made later, too.
  void set_base(double rate);
  /// Whether it is the first schedule of the optimizer.
  bool is_first() const { return first_; }
  const Optimizer& optimizer() const { return optimizer_; }
  /// Throws weft::Error naming the schedule and the user's line unless it holds.
  void require(bool holds, const std::string& what) const;

 private:
  friend class SequentialLR;
  /// Of the optimizer, then of its groups.
  struct Rate {
    Hyper lr;
    double base;
  };

  void advance(int64_t count, bool alone);
  /// Takes in the groups that the optimizer has got since.
  void meet_groups();

  const char* name_;
  std::source_location at_;
  Optimizer optimizer_;
  std::vector<Rate> rates_;
  double base_;  // of the one being computed
  bool first_;
  Every every_;
  int64_t count_ = 0;
};

/// base * factor(count), of epochs unless `every` says otherwise.
class LambdaLR : public Schedule {
 public:
  LambdaLR(const Optimizer& optimizer, std::function<double(int64_t)> factor, std::source_location at = std::source_location::current())
      : LambdaLR(optimizer, std::move(factor), Every::epoch, at) {}
  LambdaLR(const Optimizer& optimizer, std::function<double(int64_t)> factor, Every every,
           std::source_location at = std::source_location::current());

 private:
  double rate(int64_t count) const override { return base() * factor_(count); }
  std::function<double(int64_t)> factor_;
};

struct StepOptions {
  int64_t step_size = 1;
  double gamma = 0.1;
};
/// base * gamma^(count / step_size), rounded down; step_size is positive. Chains.
class StepLR : public Schedule {
 public:
  StepLR(const Optimizer& optimizer, StepOptions options, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  StepOptions o_;
};

struct MultiStepOptions {
  std::vector<int64_t> milestones;
  double gamma = 0.1;
};
/// base * gamma^(milestones that are not above count). Chains.
class MultiStepLR : public Schedule {
 public:
  MultiStepLR(const Optimizer& optimizer, MultiStepOptions options, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  MultiStepOptions o_;
};

struct ConstantOptions {
  double factor = 1.0 / 3;
  int64_t total_iters = 5;
};
/// base * factor before total_iters, base from then on; factor lies in [0, 1]. Chains; with factor 0 it sets the base rate.
class ConstantLR : public Schedule {
 public:
  ConstantLR(const Optimizer& optimizer, ConstantOptions options = {}, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override { return count < o_.total_iters ? base() * o_.factor : base(); }
  ConstantOptions o_;
};

struct LinearOptions {
  double start_factor = 1.0 / 3, end_factor = 1;
  int64_t total_iters = 5;
};
/// base times a factor that goes linearly from the start, in (0, 1], to the end, in [0, 1], within total_iters. Chains.
class LinearLR : public Schedule {
 public:
  LinearLR(const Optimizer& optimizer, LinearOptions options = {}, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  LinearOptions o_;
};

struct ExponentialOptions {
  double gamma = 0.1;
};
/// base * gamma^count. Chains.
class ExponentialLR : public Schedule {
 public:
  ExponentialLR(const Optimizer& optimizer, ExponentialOptions options, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  ExponentialOptions o_;
};

struct PolynomialOptions {
  int64_t total_iters = 5;
  double power = 1;
};
/// base * (1 - count / total_iters)^power, 0 from total_iters on. Chains.
class PolynomialLR : public Schedule {
 public:
  PolynomialLR(const Optimizer& optimizer, PolynomialOptions options = {}, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  PolynomialOptions o_;
};

struct CosineOptions {
  int64_t t_max = 1;
  double eta_min = 0;
};
/// Half a cosine from base to eta_min within t_max, and back within the next (Loshchilov and Hutter 2017, without restarts).
/// Chains.
class CosineAnnealingLR : public Schedule {
 public:
  CosineAnnealingLR(const Optimizer& optimizer, CosineOptions options, std::source_location at = std::source_location::current());

 private:
  std::optional<double> chained(double now, int64_t count) const override;
  double rate(int64_t count) const override;
  CosineOptions o_;
};

struct WarmRestartOptions {
  int64_t t_0 = 1, t_mult = 1;
  double eta_min = 0;
};
/// Half cosines from base to eta_min, the first t_0 long, each next one t_mult times as long (Loshchilov and Hutter 2017).
class CosineAnnealingWarmRestarts : public Schedule {
 public:
  CosineAnnealingWarmRestarts(const Optimizer& optimizer, WarmRestartOptions options,
                              std::source_location at = std::source_location::current());

 private:
  double rate(int64_t count) const override;
  WarmRestartOptions o_;
};

struct OneCycleOptions {
  double max_lr = 0.1;
  int64_t total_steps = 1;
  double pct_start = 0.3;
  std::string anneal_strategy = "cos";  // or "linear"
  bool cycle_momentum = true;
  double base_momentum = 0.85, max_momentum = 0.95;
  double div_factor = 25, final_div_factor = 1e4;
  bool three_phase = false;
};
/// Up to max_lr and down again, the momentum (of Adam and its kin beta1) the other way (Smith and Topin 2018). The base rate
/// is max_lr / div_factor. A step beyond total_steps throws weft::Error, as does an optimizer without momentum to cycle. Counts training
/// steps.
class OneCycleLR : public Schedule {
 public:
  OneCycleLR(const Optimizer& optimizer, OneCycleOptions options, std::source_location at = std::source_location::current());

 private:
  double rate(int64_t count) const override;
  std::optional<double> momentum(int64_t count) const override;
  double cycled(int64_t count, double initial, double peak, double last) const;
  OneCycleOptions o_;
};

struct CyclicOptions {
  double base_lr = 1e-3, max_lr = 1e-2;
  int64_t step_size_up = 2000;
  std::optional<int64_t> step_size_down = {};  // as step_size_up unless given
  std::string mode = "triangular";             // or "triangular2", "exp_range"
  double gamma = 1;
  bool cycle_momentum = true;
  double base_momentum = 0.8, max_momentum = 0.9;
};
/// Between base_lr and max_lr and back, the amplitude constant, halved each cycle or times gamma^count (Smith 2017); the
/// momentum the other way. Counts training steps.
class CyclicLR : public Schedule {
 public:
  CyclicLR(const Optimizer& optimizer, CyclicOptions options, std::source_location at = std::source_location::current());

 private:
  double rate(int64_t count) const override;
  std::optional<double> momentum(int64_t count) const override;
  /// Where in its cycle, 0 to 1 to 0, times the amplitude's scale.
  double height(int64_t count) const;
  CyclicOptions o_;
};

/// One schedule after the other: the next begins, at its own step 0, at each milestone. Counts training steps where one of them does.
class SequentialLR {
 public:
  /// Throws weft::Error unless the schedules are one optimizer's and there is one milestone fewer than schedules, ascending.
  SequentialLR(std::vector<std::shared_ptr<Schedule>> schedules, std::vector<int64_t> milestones,
               std::source_location at = std::source_location::current());
  void step();
  int64_t count() const { return count_; }
  Every every() const;
  const Hyper& learning_rate() const { return schedules_[0]->learning_rate(); }
  double last_lr() const;
  std::vector<double> progress() const;
  void restore(const std::vector<double>& progress);

 private:
  size_t current() const;
  /// When the current one began.
  int64_t begin() const;
  std::vector<std::shared_ptr<Schedule>> schedules_;
  std::vector<int64_t> milestones_;
  int64_t count_ = 0;
};

struct PlateauOptions {
  std::string mode = "min";  // or "max": which metric is better
  double factor = 0.1;
  int64_t patience = 10;
  double threshold = 1e-4;
  std::string threshold_mode = "rel";  // or "abs"
  int64_t cooldown = 0;
  double min_lr = 0, eps = 1e-8;
};
/// Multiplies the rates by factor, which is below 1, when the metric has not become better for more than `patience` steps; groups
/// added since are moved too. Chains.
class ReduceLROnPlateau {
 public:
  ReduceLROnPlateau(const Optimizer& optimizer, PlateauOptions options = {}, std::source_location at = std::source_location::current());
  void step(double metric);
  const Hyper& learning_rate() const { return lr_; }
  double last_lr() const { return lr_; }
  std::vector<double> progress() const { return {best_, static_cast<double>(bad_), static_cast<double>(cooldown_)}; }
  void restore(const std::vector<double>& progress);

 private:
  bool is_better(double metric) const;
  Optimizer optimizer_;
  Hyper lr_;
  PlateauOptions o_;
  double best_;
  int64_t bad_ = 0, cooldown_ = 0;
};

}  // namespace weft::optim
