#include "weft/frontend/training/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

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
Metric of_counts(const Operands& o, Metric::Value value) {
  if (o.binary) {
    const Tensor predicted = o.scores > 0, actual = o.positive();
    return Metric::of_sums({sum(predicted && actual), sum(predicted), sum(actual)}, std::move(value));
  }
  const auto is_class = [&](const Tensor& t) { return t.reshape({-1, 1}) == arange(o.classes()); };
  const Tensor predicted = is_class(argmax(o.scores, o.axis)) && o.counted().reshape({-1, 1}), actual = is_class(o.target);
  return Metric::of_sums({sum(predicted && actual, 0), sum(predicted, 0), sum(actual, 0)}, std::move(value));
}

/// `score` of each class from its counts, averaged. A class that does not occur has none.
using Score = double (*)(double hits, double predicted, double actual);

double averaged(const Metric::State& counts, Score score, const std::string& average) {
  double sum = 0, weights = 0, all[3] = {};
  for (size_t c = 0; c < counts[0].size(); ++c) {
    const double hits = counts[0][c], predicted = counts[1][c], actual = counts[2][c];
    all[0] += hits, all[1] += predicted, all[2] += actual;
    if (predicted + actual == 0) continue;
    const double weight = average == "weighted" ? actual : 1;
    sum += weight * score(hits, predicted, actual), weights += weight;
  }
  if (average == "micro") return all[1] + all[2] == 0 ? nothing : score(all[0], all[1], all[2]);
  return weights == 0 ? nothing : sum / weights;
}

Metric of_classes(const char* what, const Arg& scores, const Arg& target, const AverageOverClasses& options, Score score) {
  const std::string& average = options.average;
  if (average != "macro" && average != "weighted" && average != "micro")
    Recorder(what, {&scores, &target}).fail(fmt::format("average must be \"macro\", \"weighted\" or \"micro\", not \"{}\"", average));
  return of_counts(operands_of(what, scores, target, Takes::both),
                   [score, average](const Metric::State& counts) { return averaged(counts, score, average); });
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
