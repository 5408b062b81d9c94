#pragma once
// A number, or several, measured beside the loss, over all batches of an epoch or of an evaluation at once.
//
//   Trainer trainer(net, [&](const Tensors& batch) -> Measured {
//     const Tensor scores = net(batch["x"]);
//     return {cross_entropy(scores, batch["y"]), {{"f1", metrics::f1_score(scores, batch["y"])}}};
//   }, adam);
//
// What comes along is in metrics.h. One of yours is a tensor, whose mean over all batches it is, or says what of each batch is added up
// (or collected) and what becomes of that:
//
//   Metric root_mean_square(Tensor d) {
//     return Metric::of_sums({sum(square(d)), sum(ones_like(d))}, [](const Metric::State& s) { return std::sqrt(s[0][0] / s[1][0]); });
//   }

#include <functional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

class Metric {
 public:
  /// What all batches gave: the elements of each tensor, row-major.
  using State = std::vector<std::vector<double>>;
  using Value = std::function<double(const State&)>;
  using Values = std::function<std::vector<double>(const State&)>;

  /// The mean of all elements of all batches; a scalar counts as often as its batch has samples.
  Metric(const Tensor& values, std::source_location at = std::source_location::current());
  /// The mean of those where `counted`, a bool of the same shape, is true; nan where it never is.
  static Metric mean(const Tensor& values, const Tensor& counted, std::source_location at = std::source_location::current());
  /// `value` of the tensors, each added up over all batches, element by element. Throws weft::Error when there is no function.
  static Metric of_sums(std::vector<Tensor> tensors, Value value);
  /// `value` of the elements of all batches, one batch behind the other: for what is no function of sums, as areas under curves. They
  /// are kept until the epoch ends.
  static Metric of_all(std::vector<Tensor> tensors, Value value);
  /// The same of several numbers, one for each of `parts`: where the metric is called "recall", that of the part "cat" is called
  /// "recall.cat". Throws weft::Error when two parts have one name, one has none, or there is none.
  static Metric of_sums(std::vector<Tensor> tensors, std::vector<std::string> parts, Values values);
  static Metric of_all(std::vector<Tensor> tensors, std::vector<std::string> parts, Values values);

  /// How a batch's numbers go into the state.
  enum class Gathering { sums, all };
  const std::vector<Tensor>& tensors() const { return tensors_; }
  Gathering gathering() const { return gathering_; }
  /// Numbers that a batch adds to the sums without computing them, behind those of the tensors.
  const std::vector<double>& constants() const { return constants_; }
  /// Whether the sums are of samples: what the tensors and constants give is multiplied by their number.
  bool by_samples() const { return by_samples_; }
  /// Of a metric of several numbers; else empty.
  const std::vector<std::string>& parts() const { return parts_; }
  /// As many as there are parts, or one.
  const Values& values() const { return values_; }

 private:
  Metric(std::vector<Tensor> tensors, Gathering gathering, Value value);
  Metric(std::vector<Tensor> tensors, Gathering gathering, std::vector<std::string> parts, Values values);

  std::vector<Tensor> tensors_;
  Gathering gathering_;
  std::vector<double> constants_;
  bool by_samples_ = false;
  std::vector<std::string> parts_;
  Values values_;
};

using NamedMetrics = std::vector<std::pair<std::string, Metric>>;

/// What a Trainer's function of a batch returns: the loss, and what is measured beside it. A loss alone will do.
struct Measured {
  Measured(const Tensor& loss, NamedMetrics metrics = {}) : loss(loss), metrics(std::move(metrics)) {}

  Tensor loss;
  NamedMetrics metrics;
};

}  // namespace weft
