#include "weft/frontend/training/gathered_metrics.h"

#include <algorithm>
#include <cmath>

#include "weft/support/error.h"

namespace weft::detail {
namespace {

void append(const Result& result, double factor, std::vector<double>& to) {
  if (result.shape().rank() == 0) {
    to.push_back(factor * result.item());
    return;
  }
  const Array array = result.array();
  for (int64_t i = 0; i < array.shape().numel(); ++i) to.push_back(factor * array.at(i));
}

}  // namespace

void Gathered::add(const Gathered& more) {
  if (values.empty()) values.resize(more.values.size());
  collected = more.collected;
  for (size_t t = 0; t < values.size(); ++t) {
    std::vector<double>& to = values[t];
    const std::vector<double>& from = more.values[t];
    if (collected || to.empty()) to.insert(to.end(), from.begin(), from.end());
    else
      for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  }
}

GatheredMetrics::GatheredMetrics(Graph& graph, const std::vector<Part>& parts) {
  for (const auto& [name, metric] : parts.at(0).metrics) add(name, metric);
  for (size_t i = 0; i < parts.size(); ++i) output(graph, parts[i], i);
}

void GatheredMetrics::add(const std::string& name, const Metric& metric) {
  if (name.empty()) throw Error("a metric needs a name").of("Trainer");
  const size_t first = names_.size();
  const auto add_number = [&](const std::string& number) {
    if (number == "loss") throw Error("a metric cannot be called 'loss', as the loss is").of("Trainer");
    if (std::count(names_.begin(), names_.end(), number) > 0) throw Error("two metrics are called '{}'", number).of("Trainer");
    names_.push_back(number);
  };
  if (metric.parts().empty()) add_number(name);
  for (const std::string& part : metric.parts()) add_number(fmt::format("{}.{}", name, part));
  measures_.push_back({name, first, names_.size() - first, metric.values()});
}

void GatheredMetrics::output(Graph& graph, const Part& part, size_t number) {
  const auto same = [](const auto& metric, const Measure& measure) {
    return metric.first == measure.name && std::max<size_t>(1, metric.second.parts().size()) == measure.count;
  };
  if (!std::equal(part.metrics.begin(), part.metrics.end(), measures_.begin(), measures_.end(), same))
    throw Error("the loss gives other metrics for one part of a batch than for another").of("Trainer");
  for (size_t m = 0; m < part.metrics.size(); ++m) {
    const Metric& metric = part.metrics[m].second;
    const bool collected = metric.gathering() == Metric::Gathering::all;
    Source source{m, {}, {}, metric.constants(), metric.by_samples() ? static_cast<double>(part.samples) : 1, collected, part.samples};
    for (const Tensor& tensor : metric.tensors()) {
      const std::string name =
          fmt::format("metric.{}.{}{}", measures_[m].name, source.outputs.size(), number == 0 ? "" : fmt::format(".{}", number));
      graph.output(source.outputs.emplace_back(name), tensor);
      source.elements.push_back(tensor.shape().numel());
    }
    sources_.push_back(std::move(source));
  }
}

std::vector<Gathered> GatheredMetrics::read(const Results& results) const {
  std::vector<Gathered> all(measures_.size());
  for (const Source& source : sources_) {
    Gathered part{.collected = source.collected};
    for (const std::string& name : source.outputs) append(results[name], source.factor, part.values.emplace_back());
    for (const double constant : source.constants) part.values.push_back({source.factor * constant});
    all[source.metric].add(part);
  }
  return all;
}

std::vector<double> GatheredMetrics::values_of(const Measure& measure, const std::vector<Gathered>& so_far) const {
  const auto m = static_cast<size_t>(&measure - measures_.data());
  if (m >= so_far.size()) return std::vector<double>(measure.count, NAN);
  std::vector<double> values = measure.values(so_far[m].values);
  if (values.size() != measure.count)
    throw Error("the metric '{}' gives {} numbers, and has names for {}", measure.name, values.size(), measure.count).of("Trainer");
  return values;
}

double GatheredMetrics::number(const std::string& name, const std::vector<Gathered>& so_far) const {
  const auto n = static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
  for (const Measure& measure : measures_)
    if (n >= measure.first && n < measure.first + measure.count) return values_of(measure, so_far)[n - measure.first];
  return NAN;
}

NamedNumbers GatheredMetrics::numbers(const std::vector<Gathered>& so_far) const {
  std::vector<std::pair<std::string, double>> all;
  for (const Measure& measure : measures_)
    for (const double value : values_of(measure, so_far)) all.emplace_back(names_[all.size()], value);
  return all;
}

bool GatheredMetrics::fits(const std::vector<Gathered>& so_far, int64_t samples) const {
  if (so_far.size() != (samples > 0 ? measures_.size() : 0)) return false;
  for (const Source& source : sources_) {
    if (samples == 0) break;
    const Metric::State& values = so_far[source.metric].values;
    if (values.size() != source.outputs.size() + source.constants.size()) return false;
    for (size_t t = 0; t < values.size(); ++t) {
      const int64_t elements = t < source.elements.size() ? source.elements[t] : 1;
      if (source.collected ? std::ssize(values[t]) * source.samples != elements * samples : std::ssize(values[t]) != elements) return false;
    }
  }
  return true;
}

}  // namespace weft::detail
