#include "weft/frontend/training/averaged_weights.h"

#include <algorithm>

#include "weft/frontend/language/graph.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recording.h"
#include "weft/frontend/language/scope.h"
#include "weft/frontend/program/compile.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/restored_count.h"

namespace weft {
namespace {

/// As many parameters of the same types, zero.
std::vector<Parameter> like(const std::vector<Parameter>& parameters, std::source_location at) {
  if (parameters.empty()) throw Error("there are no parameters to average").of("AveragedWeights").at(detail::line_text(at));
  std::vector<Parameter> all;
  for (const Parameter& p : parameters) {
    if (std::count_if(parameters.begin(), parameters.end(), [&](const Parameter& q) { return q.is(p); }) > 1)
      throw Error("'{}' is given twice", p.name()).of("AveragedWeights").at(detail::line_text(at));
    all.emplace_back("average." + p.name(), Array(p.dtype(), p.shape()));
  }
  return all;
}

Hyper decay_of(const AverageOptions& options, std::source_location at) try {
  return {"AveragedWeights' decay", options.decay.value_or(0), {.low = 0, .high = 1}};
} catch (Error& e) {
  e.at(detail::line_text(at));
  throw;
}

}  // namespace

AveragedWeights::AveragedWeights(std::vector<Parameter> parameters, AverageOptions options, std::source_location at)
    : decay(decay_of(options, at)), exponential_(options.decay.has_value()), parameters_(std::move(parameters)),
      averages_(like(parameters_, at)), weight_("AveragedWeights' weight", 1, {.low = 0, .high = 1}),
      update_(compile_update(options.target)) {}

/// torch.lerp(a, p, weight), from p's side where the weight is at least a half, so that a weight of 1 gives p.
Step AveragedWeights::compile_update(const Target& target) {
  Graph graph("average");
  const auto& recording = graph.recording();
  const Tensor weight{recording, recording->hyper(weight_, "weight", {})};
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor w = cast(weight, parameters_[i].dtype());
    const Tensor way = parameters_[i] - averages_[i];
    graph.update(averages_[i], select(w < 0.5, averages_[i] + w * way, parameters_[i] - way * (1 - w)));
  }
  return compile(graph, target);
}

void AveragedWeights::update() {
  if (swapped_) throw Error("AveragedWeights::update: the weights are the averages since swap()").hint("swap() back first");
  const FloatMode mode;
  weight_ = count_ == 0 ? 1 : exponential_ ? 1 - decay : 1 / static_cast<double>(count_ + 1);
  update_();
  ++count_;
}

void AveragedWeights::restore(const std::vector<double>& progress) {
  const int64_t count = detail::restored_count(progress.at(0)), swapped = detail::restored_count(progress.at(1));
  if (swapped > (count > 0 ? 1 : 0)) throw Error("{} averages cannot have been swapped in", count).of("AveragedWeights");
  decay = progress.at(2);
  count_ = count, swapped_ = swapped != 0;
}

void AveragedWeights::swap() {
  if (count_ == 0) throw Error("AveragedWeights::swap: there is no average before the first update()");
  for (size_t i = 0; i < parameters_.size(); ++i) {
    Array &weights = parameters_[i].array(), &average = averages_[i].array();
    std::swap_ranges(weights.data(), weights.data() + weights.bytes(), average.data());  // programs know where both are
  }
  swapped_ = !swapped_;
}

}  // namespace weft
