#include "weft/frontend/training/metric.h"

#include <algorithm>

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

Metric::Values alone(Metric::Value value) {
  if (!value) return {};
  return [value = std::move(value)](const Metric::State& state) { return std::vector{value(state)}; };
}

const std::vector<std::string>& checked(const std::vector<std::string>& parts) {
  if (parts.empty()) throw Error("a metric of several numbers needs a name for each").of("Metric");
  for (const std::string& part : parts) {
    if (part.empty()) throw Error("one of the metric's numbers has no name").of("Metric");
    if (std::count(parts.begin(), parts.end(), part) > 1) throw Error("two of the metric's numbers are called '{}'", part).of("Metric");
  }
  return parts;
}

double quotient(const Metric::State& sums) { return sums[0][0] / sums[1][0]; }

}  // namespace

Metric::Metric(std::vector<Tensor> tensors, Gathering gathering, Value value)
    : Metric(std::move(tensors), gathering, std::vector<std::string>(), alone(std::move(value))) {}

Metric::Metric(std::vector<Tensor> tensors, Gathering gathering, std::vector<std::string> parts, Values values)
    : tensors_(std::move(tensors)), gathering_(gathering), parts_(std::move(parts)), values_(std::move(values)) {
  if (!values_) throw Error("the value is a null function").of("Metric");
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

Metric Metric::of_sums(std::vector<Tensor> tensors, std::vector<std::string> parts, Values values) {
  return {std::move(tensors), Gathering::sums, checked(parts), std::move(values)};
}

Metric Metric::of_all(std::vector<Tensor> tensors, std::vector<std::string> parts, Values values) {
  return {std::move(tensors), Gathering::all, checked(parts), std::move(values)};
}

}  // namespace weft
