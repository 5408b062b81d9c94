#pragma once
// Metrics in a program, and what its batches give of them.

#include <string>
#include <vector>

#include "weft/frontend/language/graph.h"
#include "weft/frontend/program/results.h"
#include "weft/frontend/training/history.h"
#include "weft/frontend/training/metric.h"

namespace weft::detail {

/// What batches gave of a metric.
struct Gathered {
  Metric::State values;
  bool collected = false;  // one batch behind the other, else added up

  void add(const Gathered& more);
};

/// The metrics of one program, of a batch whole or in parts.
class GatheredMetrics {
 public:
  struct Part {
    NamedMetrics metrics;
    int64_t samples;
  };
  GatheredMetrics() = default;
  /// Outputs what they need. Throws weft::Error for an empty name, one given twice, and parts with different ones.
  GatheredMetrics(Graph& graph, const std::vector<Part>& parts);

  /// Of one batch.
  std::vector<Gathered> read(const Results& results) const;
  /// Of their numbers: "f1", and of a metric of several "recall.cat", "recall.dog".
  const std::vector<std::string>& names() const { return names_; }
  /// What the metrics are over the batches so far; nan before the first.
  NamedNumbers numbers(const std::vector<Gathered>& so_far) const;
  /// One of them; nan where there is none of that name.
  double number(const std::string& name, const std::vector<Gathered>& so_far) const;
  /// Whether that many samples can have given this.
  bool fits(const std::vector<Gathered>& so_far, int64_t samples) const;

 private:
  /// One part's metric.
  struct Source {
    size_t metric;
    std::vector<std::string> outputs;
    std::vector<int64_t> elements;  // of each
    std::vector<double> constants;
    double factor;
    bool collected;
    int64_t samples;
  };
  /// One metric of all parts.
  struct Measure {
    std::string name;
    size_t first, count;  // of its names
    Metric::Values values;
  };
  void add(const std::string& name, const Metric& metric);
  void output(Graph& graph, const Part& part, size_t number);
  std::vector<double> values_of(const Measure& measure, const std::vector<Gathered>& so_far) const;

  std::vector<std::string> names_;
  std::vector<Measure> measures_;
  std::vector<Source> sources_;
};

}  // namespace weft::detail
