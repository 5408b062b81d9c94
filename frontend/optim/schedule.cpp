#include "weft/frontend/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/optim/core.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/restored_count.h"

namespace weft::optim {
namespace {

double cosine(double from, double to, double part) { return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part)); }
double line(double from, double to, double part) { return from + (to - from) * part; }

void require_at(bool holds, const char* schedule, const std::string& what, std::source_location at) {
  if (!holds) throw Error("{}", what).of(schedule).at(weft::detail::line_text(at));
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

/// What keeps a schedule from moving the momentum between these, or nothing.
std::string momentum_fault(const Optimizer& optimizer, double lowest, double highest) {
  for (const auto& core : cores_of(optimizer)) {
    const Hyper* momentum = momentum_of(*core);
    if (!momentum || *momentum == 0)
      return fmt::format("{} has no momentum to cycle; switch cycle_momentum off, or the momentum on", core->op);
    for (double value : {lowest, highest})
      if (!momentum->allows(value)) return fmt::format("{} cannot be {}", momentum->name(), value);
  }
  return "";
}

}  // namespace

Schedule::Schedule(const char* name, const Optimizer& optimizer, std::source_location at, Every every)
    : name_(name), at_(at), optimizer_(optimizer), first_(!optimizer.core()->initial_lr), every_(every) {
  meet_groups();
  base_ = rates_[0].base;
}

void Schedule::require(bool holds, const std::string& what) const { require_at(holds, name_, what, at_); }

void Schedule::set_base(double rate) {
  const auto cores = cores_of(optimizer_);
  for (size_t i = 0; i < cores.size(); ++i) cores[i]->initial_lr = rates_[i].base = rate;
  base_ = rate;
}

void Schedule::meet_groups() {
  const auto cores = cores_of(optimizer_);
  for (size_t i = rates_.size(); i < cores.size(); ++i) {
    const Hyper lr = rate_of(*cores[i]);
    if (!cores[i]->initial_lr) cores[i]->initial_lr = lr;
    rates_.push_back({lr, *cores[i]->initial_lr});
  }
}

void Schedule::advance(int64_t count, bool alone) {
  const FloatMode mode;
  const size_t known = rates_.size();
  meet_groups();
  std::vector<double> next;
  for (const Rate& r : rates_) {
    base_ = r.base;
    const auto following = alone ? std::nullopt : chained(r.lr, count);
    if (!following && next.size() >= known) {
      rates_.resize(known, rates_[0]);
      require(false, "the optimizer has got a group since the schedule was made; make schedules after add_group()");
    }
    next.push_back(following ? *following : rate(count));
    require(r.lr.allows(next.back()), fmt::format("step {} would make {} {}", count, r.lr.name(), next.back()));
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

std::vector<double> Schedule::progress() const {
  std::vector<double> all{static_cast<double>(count_)};
  for (const Rate& r : rates_) all.push_back(r.lr);
  return all;
}

void Schedule::restore(const std::vector<double>& progress) {
  require(progress.size() == rates_.size() + 1,
          fmt::format("{} numbers are not the progress of one with {} rates", progress.size(), rates_.size()));
  const int64_t count = weft::detail::restored_count(progress[0]);
  for (size_t i = 0; i < rates_.size(); ++i)
    require(rates_[i].lr.allows(progress[i + 1]), fmt::format("{} cannot be {}", rates_[i].lr.name(), progress[i + 1]));
  count_ = count;
  for (size_t i = 0; i < rates_.size(); ++i) rates_[i].lr = progress[i + 1];
}

LambdaLR::LambdaLR(const Optimizer& optimizer, std::function<double(int64_t)> factor, Every every, std::source_location at)
    : Schedule("LambdaLR", optimizer, at, every), factor_(std::move(factor)) {
  require(static_cast<bool>(factor_), "the function is null");
  go_on_from(0);
}

StepLR::StepLR(const Optimizer& optimizer, StepOptions options, std::source_location at) : Schedule("StepLR", optimizer, at), o_(options) {
  require(o_.step_size > 0, fmt::format("step_size must be positive, not {}", o_.step_size));
  require(o_.gamma >= 0, fmt::format("gamma must not be negative, but it is {}", o_.gamma));
  go_on_from(0);
}
double StepLR::rate(int64_t count) const { return base() * std::pow(o_.gamma, static_cast<double>(count / o_.step_size)); }
std::optional<double> StepLR::chained(double now, int64_t count) const {
  return count == 0 || count % o_.step_size != 0 ? now : now * o_.gamma;
}

MultiStepLR::MultiStepLR(const Optimizer& optimizer, MultiStepOptions options, std::source_location at)
    : Schedule("MultiStepLR", optimizer, at), o_(std::move(options)) {
  require(o_.gamma >= 0, fmt::format("gamma must not be negative, but it is {}", o_.gamma));
  go_on_from(0);
}
double MultiStepLR::rate(int64_t count) const {
  const auto passed = std::count_if(o_.milestones.begin(), o_.milestones.end(), [&](int64_t m) { return m <= count; });
  return base() * std::pow(o_.gamma, static_cast<double>(passed));
}
std::optional<double> MultiStepLR::chained(double now, int64_t count) const {
  return now * std::pow(o_.gamma, static_cast<double>(std::count(o_.milestones.begin(), o_.milestones.end(), count)));
}

ConstantLR::ConstantLR(const Optimizer& optimizer, ConstantOptions options, std::source_location at)
    : Schedule("ConstantLR", optimizer, at), o_(options) {
  require(o_.factor >= 0 && o_.factor <= 1, fmt::format("factor must lie in [0, 1], not be {}", o_.factor));
  go_on_from(0);
}
std::optional<double> ConstantLR::chained(double now, int64_t count) const {
  if (count == 0) return now * o_.factor;
  if (count != o_.total_iters) return now;
  return o_.factor == 0 ? base() : now * (1 / o_.factor);  // nothing is left of what others made of it
}

LinearLR::LinearLR(const Optimizer& optimizer, LinearOptions options, std::source_location at)
    : Schedule("LinearLR", optimizer, at), o_(options) {
  require(o_.start_factor > 0 && o_.start_factor <= 1 && o_.end_factor >= 0 && o_.end_factor <= 1,
          fmt::format("start_factor must lie in (0, 1] and end_factor in [0, 1], not be {} and {}", o_.start_factor, o_.end_factor));
  require(o_.total_iters > 0, fmt::format("total_iters must be positive, not {}", o_.total_iters));
  go_on_from(0);
}
double LinearLR::rate(int64_t count) const {
  const double part = static_cast<double>(std::min(count, o_.total_iters)) / static_cast<double>(o_.total_iters);
  return base() * line(o_.start_factor, o_.end_factor, part);
}
std::optional<double> LinearLR::chained(double now, int64_t count) const {
  if (count == 0) return now * o_.start_factor;
  if (count > o_.total_iters) return now;
  const double way = o_.end_factor - o_.start_factor;
  const double last = static_cast<double>(o_.total_iters) * o_.start_factor + static_cast<double>(count - 1) * way;
  return now * std::max(0.0, 1 + way / last);  // rounding may make the way to an end of 0 a little too long
}

ExponentialLR::ExponentialLR(const Optimizer& optimizer, ExponentialOptions options, std::source_location at)
    : Schedule("ExponentialLR", optimizer, at), o_(options) {
  require(o_.gamma >= 0, fmt::format("gamma must not be negative, but it is {}", o_.gamma));
  go_on_from(0);
}
double ExponentialLR::rate(int64_t count) const { return base() * std::pow(o_.gamma, static_cast<double>(count)); }
std::optional<double> ExponentialLR::chained(double now, int64_t count) const { return count == 0 ? now : now * o_.gamma; }

PolynomialLR::PolynomialLR(const Optimizer& optimizer, PolynomialOptions options, std::source_location at)
    : Schedule("PolynomialLR", optimizer, at), o_(options) {
  require(o_.total_iters > 0, fmt::format("total_iters must be positive, not {}", o_.total_iters));
  require(o_.power >= 0, fmt::format("power must not be negative, but it is {}", o_.power));
  go_on_from(0);
}
double PolynomialLR::rate(int64_t count) const {
  const double part = static_cast<double>(std::min(count, o_.total_iters)) / static_cast<double>(o_.total_iters);
  return base() * std::pow(1 - part, o_.power);
}
std::optional<double> PolynomialLR::chained(double now, int64_t count) const {
  if (count == 0 || count > o_.total_iters) return now;
  const auto t = static_cast<double>(count), total = static_cast<double>(o_.total_iters);
  return now * std::pow((1 - t / total) / (1 - (t - 1) / total), o_.power);
}

CosineAnnealingLR::CosineAnnealingLR(const Optimizer& optimizer, CosineOptions options, std::source_location at)
    : Schedule("CosineAnnealingLR", optimizer, at), o_(options) {
  require(o_.t_max > 0, fmt::format("t_max must be positive, not {}", o_.t_max));
  require(o_.eta_min >= 0, fmt::format("eta_min must not be negative, but it is {}", o_.eta_min));
  go_on_from(0);
}
double CosineAnnealingLR::rate(int64_t count) const {
  return cosine(base(), o_.eta_min, static_cast<double>(count) / static_cast<double>(o_.t_max));
}
std::optional<double> CosineAnnealingLR::chained(double now, int64_t count) const {
  if (count == 0) return now;
  const auto t = static_cast<double>(count), most = static_cast<double>(o_.t_max);
  const auto height = [&](double at) { return 1 + std::cos(std::numbers::pi * at / most); };
  if ((count - 1 - o_.t_max) % (2 * o_.t_max) == 0)  // the last one was at the bottom
    return now + (base() - o_.eta_min) * (1 - std::cos(std::numbers::pi / most)) / 2;
  return height(t) / height(t - 1) * (now - o_.eta_min) + o_.eta_min;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(const Optimizer& optimizer, WarmRestartOptions options, std::source_location at)
    : Schedule("CosineAnnealingWarmRestarts", optimizer, at), o_(options) {
  require(o_.t_0 > 0 && o_.t_mult > 0, fmt::format("t_0 and t_mult must be positive, not {} and {}", o_.t_0, o_.t_mult));
  require(o_.eta_min >= 0, fmt::format("eta_min must not be negative, but it is {}", o_.eta_min));
  go_on_from(0);
}
double CosineAnnealingWarmRestarts::rate(int64_t count) const {
  int64_t length = o_.t_0;
  if (o_.t_mult == 1) count %= length;
  while (count >= length) count -= length, length *= o_.t_mult;
  return cosine(base(), o_.eta_min, static_cast<double>(count) / static_cast<double>(length));
}

OneCycleLR::OneCycleLR(const Optimizer& optimizer, OneCycleOptions options, std::source_location at)
    : Schedule("OneCycleLR", optimizer, at, Every::step), o_(std::move(options)) {
  require(o_.total_steps > 0, fmt::format("total_steps must be positive, not {}", o_.total_steps));
  require(o_.pct_start >= 0 && o_.pct_start <= 1, fmt::format("pct_start must lie in [0, 1], not be {}", o_.pct_start));
  require(o_.max_lr >= 0, fmt::format("max_lr must not be negative, but it is {}", o_.max_lr));
  require(o_.div_factor > 0 && o_.final_div_factor > 0,
          fmt::format("div_factor and final_div_factor must be positive, not {} and {}", o_.div_factor, o_.final_div_factor));
  require(o_.anneal_strategy == "cos" || o_.anneal_strategy == "linear",
          fmt::format("anneal_strategy must be \"cos\" or \"linear\", not \"{}\"", o_.anneal_strategy));
  const std::string fault = o_.cycle_momentum ? momentum_fault(optimizer, o_.base_momentum, o_.max_momentum) : "";
  require(fault.empty(), fault);
  set_base(o_.max_lr / o_.div_factor);
  go_on_from(0);
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
  require(count <= o_.total_steps, fmt::format("step {} of a schedule of {} steps", count, o_.total_steps));
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

CyclicLR::CyclicLR(const Optimizer& optimizer, CyclicOptions options, std::source_location at)
    : Schedule("CyclicLR", optimizer, at, Every::step), o_(std::move(options)) {
  require(o_.step_size_up > 0 && o_.step_size_down.value_or(1) > 0, "the step sizes must be positive");
  require(o_.base_lr >= 0 && o_.max_lr >= 0,
          fmt::format("base_lr and max_lr must not be negative, but they are {} and {}", o_.base_lr, o_.max_lr));
  require(o_.gamma >= 0, fmt::format("gamma must not be negative, but it is {}", o_.gamma));
  require(o_.mode == "triangular" || o_.mode == "triangular2" || o_.mode == "exp_range",
          fmt::format("mode must be \"triangular\", \"triangular2\" or \"exp_range\", not \"{}\"", o_.mode));
  const std::string fault = o_.cycle_momentum ? momentum_fault(optimizer, o_.base_momentum, o_.max_momentum) : "";
  require(fault.empty(), fault);
  if (is_first()) set_base(o_.base_lr);
  go_on_from(0);
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

SequentialLR::SequentialLR(std::vector<std::shared_ptr<Schedule>> schedules, std::vector<int64_t> milestones, std::source_location at)
    : schedules_(std::move(schedules)), milestones_(std::move(milestones)) {
  const auto require = [&](bool holds, const std::string& what) { require_at(holds, "SequentialLR", what, at); };
  require(!schedules_.empty() && milestones_.size() + 1 == schedules_.size() && std::is_sorted(milestones_.begin(), milestones_.end()),
          fmt::format("needs ascending milestones, one fewer than the {} schedules, not {}", schedules_.size(), milestones_.size()));
  require(milestones_.empty() || milestones_[0] >= 0, "a milestone must not be negative");
  for (const auto& schedule : schedules_) {
    require(schedule != nullptr, "there is a null among the schedules");
    require(schedule->optimizer().core() == schedules_[0]->optimizer().core(), "the schedules must be of the same optimizer");
  }
  schedules_[current()]->go_to(0);  // the others have set the rate when they were made
}
Every SequentialLR::every() const {
  const bool steps = std::any_of(schedules_.begin(), schedules_.end(), [](const auto& one) { return one->every() == Every::step; });
  return steps ? Every::step : Every::epoch;
}
size_t SequentialLR::current() const {
  return static_cast<size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), count_) - milestones_.begin());
}
int64_t SequentialLR::begin() const { return current() == 0 ? 0 : milestones_[current() - 1]; }
void SequentialLR::step() {
  ++count_;
  Schedule& now = *schedules_[current()];
  if (current() > 0 && count_ == begin()) now.go_to(0);
  else now.step();
}
double SequentialLR::last_lr() const { return schedules_[current()]->last_lr(); }
std::vector<double> SequentialLR::progress() const {
  std::vector<double> all = schedules_[current()]->progress();
  all[0] = static_cast<double>(count_);
  return all;
}
void SequentialLR::restore(const std::vector<double>& progress) {
  count_ = weft::detail::restored_count(progress.at(0));
  std::vector<double> of_current = progress;
  of_current[0] = static_cast<double>(count_ - begin());
  schedules_[current()]->restore(of_current);
}

ReduceLROnPlateau::ReduceLROnPlateau(const Optimizer& optimizer, PlateauOptions options, std::source_location at)
    : optimizer_(optimizer), lr_(rate_of(*optimizer.core())), o_(std::move(options)),
      best_(o_.mode == "max" ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {
  const auto require = [&](bool holds, const std::string& what) { require_at(holds, "ReduceLROnPlateau", what, at); };
  require(o_.factor >= 0 && o_.factor < 1, fmt::format("factor must be below 1 and not negative, not {}", o_.factor));
  require(o_.mode == "min" || o_.mode == "max", fmt::format("mode must be \"min\" or \"max\", not \"{}\"", o_.mode));
  require(o_.threshold_mode == "rel" || o_.threshold_mode == "abs",
          fmt::format("threshold_mode must be \"rel\" or \"abs\", not \"{}\"", o_.threshold_mode));
  require(o_.patience >= 0 && o_.cooldown >= 0,
          fmt::format("patience and cooldown must not be negative, but they are {} and {}", o_.patience, o_.cooldown));
  require(o_.min_lr >= 0 && o_.eps >= 0, fmt::format("min_lr and eps must not be negative, but they are {} and {}", o_.min_lr, o_.eps));
}
void ReduceLROnPlateau::restore(const std::vector<double>& progress) {
  const int64_t bad = weft::detail::restored_count(progress.at(1)), cooldown = weft::detail::restored_count(progress.at(2));
  best_ = progress.at(0), bad_ = bad, cooldown_ = cooldown;
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
  for (const auto& core : cores_of(optimizer_)) {
    Hyper lr = rate_of(*core);
    const double next = std::max(lr.value() * o_.factor, o_.min_lr);
    if (lr - next > o_.eps) lr = next;
  }
  cooldown_ = o_.cooldown;
  bad_ = 0;
}

}  // namespace weft::optim
