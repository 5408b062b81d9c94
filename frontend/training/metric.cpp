#include "weft/frontend/training/metric.h"

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/scope.h"
#include "weft/support/error.h"

namespace weft {
namespace {

using detail::Scope;

/// What is recorded reports the caller's line.
Tensor total(const Tensor& values, std::source_location at) {
  const Scope here("", Scope::Code::library, at, values.recording);
  return sum(values);
}

double quotient(const Metric::State& sums) { return sums[0][0] / sums[1][0]; }

}  // namespace

Metric::Metric(std::vector<Tensor> tensors, Gathering gathering, Value value)
    : tensors_(std::move(tensors)), gathering_(gathering), value_(std::move(value)) {
  if (!value_) throw Error("the value is a null function").of("Metric");
  if (tensors_.empty()) throw Error("there is no tensor to measure").of("Metric");
  for (const Tensor& tensor : tensors_) static_cast<void>(tensor.value());  // throws for one that nothing was assigned to
}

Metric::Metric(const Tensor& values, std::source_location at)
    : Metric({values.dim() == 0 ? values : total(values, at)}, Gathering::sums, quotient) {
  by_samples_ = values.dim() == 0;
  constants_ = {static_cast<double>(values.shape().numel())};
}

Metric Metric::mean(const Tensor& values, const Tensor& counted, std::source_location at) {
  const Scope here("", Scope::Code::library, at, values.recording);
  return of_sums({sum(select(counted, values, 0)), sum(counted)}, quotient);
}

Metric Metric::of_sums(std::vector<Tensor> tensors, Value value) { return {std::move(tensors), Gathering::sums, std::move(value)}; }

Metric Metric::of_all(std::vector<Tensor> tensors, Value value) { return {std::move(tensors), Gathering::all, std::move(value)}; }

}  // namespace weft
