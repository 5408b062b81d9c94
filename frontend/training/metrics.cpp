#include "weft/frontend/training/metrics.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/ir/class_axis.h"

namespace weft::metrics {
namespace {

using detail::Recorder;
using detail::Scope;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Scores and targets that fit.
struct Operands {
  Tensor scores, target;
  bool binary;                   // one score decides between two classes
  int64_t axis;                  // of the classes, unless binary
  std::unique_ptr<Scope> scope;  // while they live, what is recorded reports the caller's line

  int64_t classes() const { return scores.size(axis); }
  /// Those that are classes.
  Tensor counted() const { return target >= 0 && target < classes(); }
  /// Classes, with another in the place of those that do not count.
  Tensor classes_alone() const { return clamp(target, 0, classes() - 1); }
  /// The elements of class 1, of a binary one.
  Tensor positive() const { return target > 0; }
};

enum class Takes { classes, two_classes, both };

Operands operands_of(const char* what, const Arg& scores, const Arg& target, Takes takes) {
  Recorder r(what, {&scores, &target});
  const Tensor s = r.tensor(r.value(scores)), t = r.tensor(r.index(target));
  auto here = std::make_unique<Scope>("", Scope::Code::library, scores.where(), r.shared_recording());
  const bool binary = takes != Takes::classes && s.shape() == t.shape();
  if (!is_floating(s.dtype())) r.fail("scores must be floating");
  if (binary) return {s, t, true, 0, std::move(here)};
  if (takes == Takes::two_classes) r.fail("scores and target must have one shape");
  const int64_t axis = ir::class_axis(s.shape());
  Dims each = s.shape().dims();
  if (s.dim() > axis) each.erase(each.begin() + axis);
  if (s.dim() <= axis || s.size(axis) == 0 || Shape(each) != t.shape() || t.dtype() != i64)
    r.fail("scores must be [N, C, ...] and target integers [N, ...]");
  return {s, t, false, axis, std::move(here)};
}

/// Of each class: true positives, how often it is predicted, how often it is the target.
std::vector<Tensor> counts_of(const Operands& o) {
  if (o.binary) {
    const Tensor predicted = o.scores > 0, actual = o.positive();
    return {sum(predicted && actual), sum(predicted), sum(actual)};
  }
  const auto is_class = [&](const Tensor& t) { return t.reshape({-1, 1}) == arange(o.classes()); };
  const Tensor predicted = is_class(argmax(o.scores, o.axis)) && o.counted().reshape({-1, 1}), actual = is_class(o.target);
  return {sum(predicted && actual, 0), sum(predicted, 0), sum(actual, 0)};
}

/// `score` of each class from its counts. A class that does not occur has none.
using Score = double (*)(double hits, double predicted, double actual);

std::vector<double> of_each(const Metric::State& counts, Score score) {
  std::vector<double> all;
  for (size_t c = 0; c < counts[0].size(); ++c)
    all.push_back(counts[1][c] + counts[2][c] == 0 ? nothing : score(counts[0][c], counts[1][c], counts[2][c]));
  return all;
}

double averaged(const Metric::State& counts, Score score, const std::string& average) {
  if (average == "micro") {
    const auto total = [&](size_t i) { return std::accumulate(counts[i].begin(), counts[i].end(), 0.0); };
    return total(1) + total(2) == 0 ? nothing : score(total(0), total(1), total(2));
  }
  const std::vector<double> each = of_each(counts, score);
  double sum = 0, weights = 0;
  for (size_t c = 0; c < each.size(); ++c) {
    if (std::isnan(each[c])) continue;
    const double weight = average == "weighted" ? counts[2][c] : 1;
    sum += weight * each[c], weights += weight;
  }
  return weights == 0 ? nothing : sum / weights;
}

[[noreturn]] void refuse(const char* what, const Arg& scores, const Arg& target, const std::string& why) {
  Recorder(what, {&scores, &target}).fail(why);
}

void require_one_of(const char* what, const Arg& scores, const Arg& target, const std::string& option, const std::string& given,
                    const std::vector<std::string>& all) {
  if (std::find(all.begin(), all.end(), given) != all.end()) return;
  std::string names;
  for (const std::string& name : all) names += fmt::format("{}\"{}\"", names.empty() ? "" : &name == &all.back() ? " or " : ", ", name);
  refuse(what, scores, target, fmt::format("{} must be {}, not \"{}\"", option, names, given));
}

/// Names of the classes: those given, or their numbers.
std::vector<std::string> names_of(const char* what, const Arg& scores, const Arg& target, std::vector<std::string> given, int64_t classes) {
  if (given.empty())
    for (int64_t c = 0; c < classes; ++c) given.push_back(std::to_string(c));
  if (std::ssize(given) != classes)
    refuse(what, scores, target, fmt::format("there are names of {} classes, and scores of {}", given.size(), classes));
  return given;
}

Metric of_classes(const char* what, const Arg& scores, const Arg& target, const AverageOverClasses& options, Score score) {
  const std::string& average = options.average;
  require_one_of(what, scores, target, "average", average, {"macro", "weighted", "micro", "none"});
  const Operands o = operands_of(what, scores, target, Takes::both);
  if (average != "none" || o.binary) {
    if (!options.classes.empty()) refuse(what, scores, target, "classes have names where each has a number: average must be \"none\"");
    return Metric::of_sums(counts_of(o), [score, average](const Metric::State& counts) { return averaged(counts, score, average); });
  }
  return Metric::of_sums(counts_of(o), names_of(what, scores, target, options.classes, o.classes()),
                         [score](const Metric::State& counts) { return of_each(counts, score); });
}

/// The counts of a confusion matrix as fractions.
std::vector<double> normalized(std::vector<double> counts, size_t classes, const std::string& of) {
  if (of == "none") return counts;
  const auto group = [&](size_t i) { return of == "true" ? i / classes : of == "pred" ? i % classes : 0; };
  std::vector<double> sums(classes, 0);
  for (size_t i = 0; i < counts.size(); ++i) sums[group(i)] += counts[i];
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = sums[group(i)] == 0 ? nothing : counts[i] / sums[group(i)];
  return counts;
}

/// The sum of the ranks of class 1, from 1, equal scores sharing theirs, is what Mann and Whitney's U follows from.
double area(const Metric::State& all) {
  const std::vector<double>&scores = all[0], &targets = all[1];
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (std::any_of(scores.begin(), scores.end(), [](double s) { return std::isnan(s); })) return nothing;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  double ranks = 0, positive = 0;
  for (size_t first = 0, last = 0; first < order.size(); first = last) {
    double here = 0;
    for (; last < order.size() && scores[order[last]] == scores[order[first]]; ++last) here += targets[order[last]];
    ranks += here * (static_cast<double>(first + last) + 1) / 2;
    positive += here;
  }
  const double negative = static_cast<double>(scores.size()) - positive;
  return (ranks - positive * (positive + 1) / 2) / (positive * negative);
}

}  // namespace

Metric accuracy(Arg scores, Arg target) {
  const Operands o = operands_of("accuracy", scores, target, Takes::both);
  if (o.binary) return (o.scores > 0) == o.positive();
  return Metric::mean(argmax(o.scores, o.axis) == o.target, o.counted());
}

Metric top_k_accuracy(Arg scores, Arg target, int64_t k) {
  const Operands o = operands_of("top_k_accuracy", scores, target, Takes::classes);
  if (k < 1) Recorder("top_k_accuracy", {&scores, &target}).fail(fmt::format("k must be positive, not {}", k));
  const Tensor own = take_along_axis(o.scores, o.classes_alone().unsqueeze(o.axis), o.axis);
  return Metric::mean(sum(!(o.scores <= own), o.axis) < k, o.counted());  // nan is above all
}

Metric precision(Arg scores, Arg target, AverageOverClasses options) {
  return of_classes("precision", scores, target, options,
                    [](double hits, double predicted, double) { return predicted == 0 ? 0 : hits / predicted; });
}

Metric recall(Arg scores, Arg target, AverageOverClasses options) {
  return of_classes("recall", scores, target, options, [](double hits, double, double actual) { return actual == 0 ? 0 : hits / actual; });
}

Metric confusion_matrix(Arg scores, Arg target, ConfusionMatrix options) {
  const char* const what = "confusion_matrix";
  require_one_of(what, scores, target, "normalize", options.normalize, {"none", "true", "pred", "all"});
  const Operands o = operands_of(what, scores, target, Takes::both);
  const int64_t classes = o.binary ? 2 : o.classes();
  std::vector<std::string> parts;
  const std::vector<std::string> names = names_of(what, scores, target, options.classes, classes);
  for (const std::string& actual : names)
    for (const std::string& predicted : names) parts.push_back(fmt::format("{}.{}", actual, predicted));
  // The place in the matrix; what does not count has one behind it.
  Tensor place;
  if (o.binary) place = cast(o.positive(), i64) * 2 + cast(o.scores > 0, i64);
  else place = select(o.counted(), o.target * classes + argmax(o.scores, o.axis), classes * classes);
  place = place.reshape({-1});
  const Tensor counts = scatter_add(zeros({classes * classes + 1}, f64), place, ones(place.shape(), f64));
  return Metric::of_sums(
      {slice(counts, 0, 0, classes * classes)}, std::move(parts),
      [classes, of = options.normalize](const Metric::State& sums) { return normalized(sums[0], static_cast<size_t>(classes), of); });
}

std::vector<double> numbers_of(const NamedNumbers& all, std::string_view metric) {
  const std::string start = std::string(metric) + ".";
  std::vector<double> numbers;
  std::vector<std::string> names;
  for (const auto& [name, number] : all) {
    names.push_back(name);
    if (name.starts_with(start)) numbers.push_back(number);
  }
  if (numbers.empty()) throw Error("there is no metric of several numbers called '{}' (there are {})", metric, fmt::join(names, ", "));
  return numbers;
}

Metric f1_score(Arg scores, Arg target, AverageOverClasses options) {
  return of_classes("f1_score", scores, target, options,
                    [](double hits, double predicted, double actual) { return 2 * hits / (predicted + actual); });
}

Metric iou(Arg scores, Arg target, AverageOverClasses options) {
  return of_classes("iou", scores, target, options,
                    [](double hits, double predicted, double actual) { return hits / (predicted + actual - hits); });
}

Metric auc(Arg scores, Arg target) {
  const Operands o = operands_of("auc", scores, target, Takes::two_classes);
  return Metric::of_all({o.scores, o.positive()}, area);
}

Metric perplexity(Arg scores, Arg target) {
  const Operands o = operands_of("perplexity", scores, target, Takes::classes);
  const Tensor own = take_along_axis(log_softmax(o.scores, o.axis), o.classes_alone().unsqueeze(o.axis), o.axis).squeeze(o.axis);
  const Tensor counted = o.counted();
  return Metric::of_sums({sum(select(counted, -own, 0)), sum(counted)}, [](const Metric::State& s) { return std::exp(s[0][0] / s[1][0]); });
}

}  // namespace weft::metrics
