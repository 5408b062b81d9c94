#pragma once
// A Trainer's programs: one for each batch size, over one set of parameters.

#include <optional>

#include "weft/frontend/language/graph.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/step.h"
#include "weft/frontend/training/gathered_metrics.h"
#include "weft/frontend/training/history.h"
#include "weft/frontend/training/options.h"
#include "weft/frontend/training/recipe.h"
#include "weft/runtime/data/batcher.h"

namespace weft::detail {

struct Quotient {
  double numerator = 0, count = 0;
};

/// What one batch gave.
struct Outcome {
  double loss = 0;
  std::vector<Quotient> terms = {};  // that add up to the loss: see loss_terms.h
  std::vector<Gathered> metrics = {};
  double microseconds = 0;
  std::vector<double> gradient_norms = {};  // by layer, if asked for

  /// Not when something is nan or infinite; a batch of which nothing counts (0 / 0) is as it should be.
  bool is_finite() const;
};

/// What a program does with a batch.
enum class Use { training, evaluation };

/// What a Trainer's programs depend on beside what is recorded.
struct HowCompiled {
  Use use;
  uint64_t seed;
  const ProgramOptions& program;
  int64_t accumulate = 1;               // parts of a batch, one after the other
  bool gradient_norms = false;          // in what a batch gives
  std::vector<std::string> watch = {};  // see CompileOptions
};

/// How a training goes through its data.
BatchOptions training_batches(int64_t batch, uint64_t seed, const DataOptions& data);

/// Told before each program is compiled what it does: "training, batches of 64".
using Announce = std::function<void(const std::string&)>;

class Specialization {
 public:
  /// Records and compiles for batches of `size`, padded rows to this length (-1: the longest).
  Specialization(const Recipe& recipe, const Dataset& data, int64_t size, int64_t padded_length, const HowCompiled& how);
  Outcome run(const Batch& batch);

  const GatheredMetrics& metrics() const { return metrics_; }
  const std::string& loss_line() const { return loss_line_; }
  const Step& step() const { return *step_; }
  /// The parameters and buffers that the program reads or writes, in an order that follows from the program.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// A name for each of them: its own, with ".1", ".2", ... from the second of that name on.
  const std::vector<std::string>& names() const { return names_; }
  /// Whose gradients' norms an outcome has.
  const std::vector<std::string>& layers() const { return layers_; }
  /// Throws weft::Error when the data set has more classes than the model, or a target that the loss does not take, naming its sample.
  void check_labels(const Dataset& data) const;

 private:
  /// Records loss and metrics of the batch, whole or in parts, and returns the loss.
  Tensor record(Graph& graph, const Recipe& recipe, const Tensors& batch, int64_t parts);
  void note_bounds(Graph& graph);
  void note_parameters(Graph& graph);
  void output_terms(Graph& graph, const Tensor& loss);
  void output_gradient_norms(Graph& graph, const Tensor& loss, const std::vector<Parameter>& trained, const Recipe& recipe);

  std::optional<Step> step_;
  std::vector<Parameter> parameters_;
  std::vector<std::string> names_;
  std::vector<std::string> layers_, norms_;                 // names of the layers, and of the outputs for their norms
  std::vector<std::pair<std::string, std::string>> terms_;  // names of the outputs for numerators and counts ("": samples)
  std::optional<IndexBound> labels_;
  std::optional<ValueRange> target_range_;
  GatheredMetrics metrics_;
  std::string loss_line_;
};

/// The programs for a data set: full batches and the smaller last one, unless that is dropped; each for every length of padded rows.
class Programs {
 public:
  Programs(const Recipe& recipe, const Dataset& data, const BatchOptions& batches, const HowCompiled& how, const Announce& announce);
  Outcome run(const Batch& batch);
  /// Of the batch that was run last.
  std::vector<WatchedValue> watched(const Batch& batch) { return of(batch).program.step().watched(); }

  /// Any of them: what they have in common.
  const Specialization& any() const { return all_.front().program; }
  /// That for full batches; where none has run, another one that has: of which there is something to report.
  const Specialization& that_ran() const;
  void start_profile(int64_t traced_steps);
  /// Adds compile time and arena to the history.
  void count_into(History& history) const;

 private:
  struct ForShape {
    int64_t size, padded_length;
    Specialization program;
    bool ran = false;
  };
  ForShape& of(const Batch& batch);

  std::vector<ForShape> all_;
};

}  // namespace weft::detail
