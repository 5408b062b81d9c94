#include "weft/frontend/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "weft/frontend/optim/core.h"

namespace weft::optim {
namespace {

double cosine(double from, double to, double part) { return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part)); }
double line(double from, double to, double part) { return from + (to - from) * part; }

void require(bool holds, const char* schedule, const std::string& what) {
  if (!holds) throw Error("{}: {}", schedule, what);
}

/// The optimizer and its groups: a schedule moves them all.
std::vector<std::shared_ptr<weft::detail::OptimizerCore>> cores_of(const Optimizer& optimizer) {
  std::vector<std::shared_ptr<weft::detail::OptimizerCore>> cores{optimizer.core()};
  for (const auto& group : optimizer.core()->groups) cores.push_back(group.core);
  return cores;
}

Hyper rate_of(const weft::detail::OptimizerCore& core) {
  const Hyper* lr = core.hyper("lr");
  WEFT_CHECK(lr, "{} has no learning rate", core.op);
  return *lr;
}

/// The number that a schedule moves as momentum: SGD's and RMSprop's momentum, of Adam and its kin beta1.
const Hyper* momentum_of(const weft::detail::OptimizerCore& core) {
  const Hyper* momentum = core.hyper("momentum");
  return momentum ? momentum : core.hyper("beta1");
}

void require_momentum(const Optimizer& optimizer, bool cycles, const char* schedule) {
  for (const auto& core : cores_of(optimizer)) {
    const Hyper* momentum = momentum_of(*core);
    if (cycles && (!momentum || *momentum == 0))
      throw Error("{}: {} has no momentum to cycle; switch cycle_momentum off, or the momentum on", schedule, core->op);
  }
}

}  // namespace

Schedule::Schedule(const Optimizer& optimizer) : optimizer_(optimizer) {
  for (const auto& core : cores_of(optimizer)) {
    const Hyper lr = rate_of(*core);
    if (!core->initial_lr) core->initial_lr = lr;
    rates_.push_back({lr, *core->initial_lr});
  }
  base_ = rates_[0].base;
}

void Schedule::go_to(int64_t count) {
  std::vector<double> next;
  for (const Rate& r : rates_) {
    base_ = r.base;
    next.push_back(rate(count));
  }
  base_ = rates_[0].base;
  const auto next_momentum = momentum(count);
  count_ = count;
  for (size_t i = 0; i < next.size(); ++i) rates_[i].lr = next[i];
  if (!next_momentum) return;
  for (const auto& core : cores_of(optimizer_))
    if (const Hyper* found = momentum_of(*core)) {
      Hyper moved(*found);
      moved = *next_momentum;
    }
}

LambdaLR::LambdaLR(const Optimizer& optimizer, std::function<double(int64_t)> factor)
    : Schedule(optimizer), factor_(std::move(factor)) {
  go_to(0);
}

StepLR::StepLR(const Optimizer& optimizer, StepOptions options) : Schedule(optimizer), o_(options) {
  require(o_.step_size > 0, "StepLR", fmt::format("step_size must be positive, not {}", o_.step_size));
  go_to(0);
}
double StepLR::rate(int64_t count) const { return base() * std::pow(o_.gamma, static_cast<double>(count / o_.step_size)); }

MultiStepLR::MultiStepLR(const Optimizer& optimizer, MultiStepOptions options) : Schedule(optimizer), o_(std::move(options)) {
  go_to(0);
}
double MultiStepLR::rate(int64_t count) const {
  const auto passed = std::count_if(o_.milestones.begin(), o_.milestones.end(), [&](int64_t m) { return m <= count; });
  return base() * std::pow(o_.gamma, static_cast<double>(passed));
}

ConstantLR::ConstantLR(const Optimizer& optimizer, ConstantOptions options) : Schedule(optimizer), o_(options) {
  require(o_.factor >= 0 && o_.factor <= 1, "ConstantLR", fmt::format("factor must lie in [0, 1], not be {}", o_.factor));
  go_to(0);
}

LinearLR::LinearLR(const Optimizer& optimizer, LinearOptions options) : Schedule(optimizer), o_(options) {
  require(o_.start_factor > 0 && o_.start_factor <= 1 && o_.end_factor >= 0 && o_.end_factor <= 1, "LinearLR",
          fmt::format("start_factor must lie in (0, 1] and end_factor in [0, 1], not be {} and {}", o_.start_factor, o_.end_factor));
  require(o_.total_iters > 0, "LinearLR", fmt::format("total_iters must be positive, not {}", o_.total_iters));
  go_to(0);
}
double LinearLR::rate(int64_t count) const {
  const double part = static_cast<double>(std::min(count, o_.total_iters)) / static_cast<double>(o_.total_iters);
  return base() * line(o_.start_factor, o_.end_factor, part);
}

ExponentialLR::ExponentialLR(const Optimizer& optimizer, ExponentialOptions options) : Schedule(optimizer), o_(options) {
  go_to(0);
}
double ExponentialLR::rate(int64_t count) const { return base() * std::pow(o_.gamma, static_cast<double>(count)); }

PolynomialLR::PolynomialLR(const Optimizer& optimizer, PolynomialOptions options) : Schedule(optimizer), o_(options) {
  require(o_.total_iters > 0, "PolynomialLR", fmt::format("total_iters must be positive, not {}", o_.total_iters));
  go_to(0);
}
double PolynomialLR::rate(int64_t count) const {
  const double part = static_cast<double>(std::min(count, o_.total_iters)) / static_cast<double>(o_.total_iters);
  return base() * std::pow(1 - part, o_.power);
}

CosineAnnealingLR::CosineAnnealingLR(const Optimizer& optimizer, CosineOptions options) : Schedule(optimizer), o_(options) {
  require(o_.t_max > 0, "CosineAnnealingLR", fmt::format("t_max must be positive, not {}", o_.t_max));
  go_to(0);
}
double CosineAnnealingLR::rate(int64_t count) const {
  return cosine(base(), o_.eta_min, static_cast<double>(count) / static_cast<double>(o_.t_max));
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(const Optimizer& optimizer, WarmRestartOptions options)
    : Schedule(optimizer), o_(options) {
  require(o_.t_0 > 0 && o_.t_mult > 0, "CosineAnnealingWarmRestarts",
          fmt::format("t_0 and t_mult must be positive, not {} and {}", o_.t_0, o_.t_mult));
  go_to(0);
}
double CosineAnnealingWarmRestarts::rate(int64_t count) const {
  int64_t length = o_.t_0;
  if (o_.t_mult == 1) count %= length;
  while (count >= length) count -= length, length *= o_.t_mult;
  return cosine(base(), o_.eta_min, static_cast<double>(count) / static_cast<double>(length));
}

OneCycleLR::OneCycleLR(const Optimizer& optimizer, OneCycleOptions options) : Schedule(optimizer), o_(std::move(options)) {
  require(o_.total_steps > 0, "OneCycleLR", fmt::format("total_steps must be positive, not {}", o_.total_steps));
  require(o_.pct_start >= 0 && o_.pct_start <= 1, "OneCycleLR", fmt::format("pct_start must lie in [0, 1], not be {}", o_.pct_start));
  require(o_.anneal_strategy == "cos" || o_.anneal_strategy == "linear", "OneCycleLR",
          fmt::format("anneal_strategy must be \"cos\" or \"linear\", not \"{}\"", o_.anneal_strategy));
  require_momentum(optimizer, o_.cycle_momentum, "OneCycleLR");
  go_to(0);
}
double OneCycleLR::rate(int64_t count) const {
  const double initial = o_.max_lr / o_.div_factor;
  return cycled(count, initial, o_.max_lr, initial / o_.final_div_factor);
}
std::optional<double> OneCycleLR::momentum(int64_t count) const {
  if (!o_.cycle_momentum) return {};
  return cycled(count, o_.max_momentum, o_.base_momentum, o_.max_momentum);
}
double OneCycleLR::cycled(int64_t count, double initial, double peak, double last) const {
  require(count <= o_.total_steps, "OneCycleLR", fmt::format("step {} of a schedule of {} steps", count, o_.total_steps));
  const auto total = static_cast<double>(o_.total_steps), t = static_cast<double>(count);
  const double up = o_.pct_start * total - 1;
  struct Phase {
    double end, from, to;
  };
  std::vector<Phase> phases{{up, initial, peak}, {total - 1, peak, last}};
  if (o_.three_phase) phases = {{up, initial, peak}, {2 * o_.pct_start * total - 2, peak, initial}, {total - 1, initial, last}};
  double begin = 0;
  for (size_t i = 0; i < phases.size(); ++i) {
    if (t <= phases[i].end || i + 1 == phases.size()) {
      const double length = phases[i].end - begin, part = length > 0 ? (t - begin) / length : 1;
      return o_.anneal_strategy == "cos" ? cosine(phases[i].from, phases[i].to, part) : line(phases[i].from, phases[i].to, part);
    }
    begin = phases[i].end;
  }
  return last;
}

CyclicLR::CyclicLR(const Optimizer& optimizer, CyclicOptions options) : Schedule(optimizer), o_(std::move(options)) {
  require(o_.step_size_up > 0 && o_.step_size_down.value_or(1) > 0, "CyclicLR", "the step sizes must be positive");
  require(o_.mode == "triangular" || o_.mode == "triangular2" || o_.mode == "exp_range", "CyclicLR",
          fmt::format("mode must be \"triangular\", \"triangular2\" or \"exp_range\", not \"{}\"", o_.mode));
  require_momentum(optimizer, o_.cycle_momentum, "CyclicLR");
  go_to(0);
}
double CyclicLR::height(int64_t count) const {
  const double up = static_cast<double>(o_.step_size_up);
  const double total = up + static_cast<double>(o_.step_size_down.value_or(o_.step_size_up)), ratio = up / total;
  const double t = static_cast<double>(count), cycle = std::floor(1 + t / total), x = 1 + t / total - cycle;
  const double part = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
  if (o_.mode == "triangular2") return part / std::pow(2.0, cycle - 1);
  return o_.mode == "exp_range" ? part * std::pow(o_.gamma, t) : part;
}
double CyclicLR::rate(int64_t count) const { return o_.base_lr + (o_.max_lr - o_.base_lr) * height(count); }
std::optional<double> CyclicLR::momentum(int64_t count) const {
  if (!o_.cycle_momentum) return {};
  return o_.max_momentum - (o_.max_momentum - o_.base_momentum) * height(count);
}

SequentialLR::SequentialLR(std::vector<std::shared_ptr<Schedule>> schedules, std::vector<int64_t> milestones)
    : schedules_(std::move(schedules)), milestones_(std::move(milestones)) {
  require(!schedules_.empty() && milestones_.size() + 1 == schedules_.size() && std::is_sorted(milestones_.begin(), milestones_.end()),
          "SequentialLR", fmt::format("needs ascending milestones, one fewer than the {} schedules, not {}", schedules_.size(), milestones_.size()));
  schedules_[0]->go_to(0);  // the others have set the rate when they were made
}
size_t SequentialLR::current() const {
  return static_cast<size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), count_) - milestones_.begin());
}
void SequentialLR::step() { go_to(count_ + 1); }
void SequentialLR::go_to(int64_t count) {
  count_ = count;
  const size_t i = current();
  schedules_[i]->go_to(i == 0 ? count_ : count_ - milestones_[i - 1]);
}
double SequentialLR::last_lr() const { return schedules_[current()]->last_lr(); }

ReduceLROnPlateau::ReduceLROnPlateau(const Optimizer& optimizer, PlateauOptions options)
    : o_(std::move(options)),
      best_(o_.mode == "max" ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {
  require(o_.factor < 1, "ReduceLROnPlateau", fmt::format("factor must be below 1, not {}", o_.factor));
  require(o_.mode == "min" || o_.mode == "max", "ReduceLROnPlateau", fmt::format("mode must be \"min\" or \"max\", not \"{}\"", o_.mode));
  require(o_.threshold_mode == "rel" || o_.threshold_mode == "abs", "ReduceLROnPlateau",
          fmt::format("threshold_mode must be \"rel\" or \"abs\", not \"{}\"", o_.threshold_mode));
  for (const auto& core : cores_of(optimizer)) rates_.push_back(rate_of(*core));
}
bool ReduceLROnPlateau::is_better(double metric) const {
  const bool relative = o_.threshold_mode == "rel";
  if (o_.mode == "min") return metric < (relative ? best_ * (1 - o_.threshold) : best_ - o_.threshold);
  return metric > (relative ? best_ * (1 + o_.threshold) : best_ + o_.threshold);
}
void ReduceLROnPlateau::step(double metric) {
  if (is_better(metric)) best_ = metric, bad_ = 0;
  else ++bad_;
  if (cooldown_ > 0) --cooldown_, bad_ = 0;
  if (bad_ <= o_.patience) return;
  for (Hyper& lr : rates_) {
    const double next = std::max(lr * o_.factor, o_.min_lr);
    if (lr - next > o_.eps) lr = next;
  }
  cooldown_ = o_.cooldown;
  bad_ = 0;
}

}  // namespace weft::optim
