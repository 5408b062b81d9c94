#include "weft/frontend/training/specialization.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "weft/frontend/language/micro_batches.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/scope.h"
#include "weft/frontend/program/compile.h"
#include "weft/frontend/program/remembered_programs.h"
#include "weft/frontend/training/loss_terms.h"

namespace weft::detail {
namespace {

/// "fc1" of "fc1.weight"; a parameter of no layer stands for itself.
std::string layer_of(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

}  // namespace

Specialization::Specialization(const Recipe& recipe, const Dataset& data, int64_t size, int64_t padded_length, const HowCompiled& how) {
  const bool train = how.use == Use::training;
  Graph graph(fmt::format("{}_{}{}", train ? "train" : "eval", size, padded_length < 0 ? "" : fmt::format("x{}", padded_length)));
  graph.recording()->training = train;
  graph.recording()->bindings.stream = {};  // a run's programs draw from one stream, and so does the run that resumes it
  std::vector<std::pair<std::string, Tensor>> batch;
  for (const Dataset::Column& column : data.columns()) {
    const std::string& name = column.name;
    batch.emplace_back(name, graph.input(name, column.dtype, column.batch(size, padded_length), recipe.at));
  }
  const Tensor loss = record(graph, recipe, batch, how.accumulate);
  const Scope here("", Scope::Code::library, recipe.at, graph.recording());
  const auto own = recipe.model->parameters();
  const std::vector<Parameter> all = own.empty() ? graph.parameters() : own;
  std::vector<Parameter> trained;
  std::copy_if(all.begin(), all.end(), std::back_inserter(trained), [](const Parameter& p) { return p.requires_grad(); });
  if (how.gradient_norms) output_gradient_norms(graph, loss, trained, recipe);
  note_parameters(graph);
  note_bounds(graph);
  const ir::Value v = loss.value();
  loss_line_ = to_string(v.is_input() ? ir::Locations{Scope::locate(recipe.at)} : v.op()->locations());

  const ProgramOptions& program = how.program;
  std::optional<Remembering> remembering;  // models are evaluated again and again
  if (!train) remembering.emplace();
  Recorded recorded = train ? training_step(graph, loss, all, recipe.optimizer, {}, recipe.at) : Recorded(graph);
  step_ = compile(std::move(recorded), program.threads > 0 ? program.target.with_threads(program.threads) : program.target,
                  {.dump_ir = program.dump_ir,
                   .seed = how.seed,
                   .check_finite = program.check_finite,
                   .reproducer = program.reproducer,
                   .watch = how.watch});
}

Tensor Specialization::record(Graph& graph, const Recipe& recipe, const Tensors& batch, int64_t parts) {
  std::vector<GatheredMetrics::Part> all;
  const PartLoss of_part = [&](const Tensors& part, bool computed) {
    Measured measured = recipe.measure(part);
    if (computed) all.push_back({std::move(measured.metrics), part.all().front().second.shape()[0]});
    return measured.loss;
  };
  const Tensor loss = micro_batches(batch, parts, of_part, recipe.at);
  const Scope here("", Scope::Code::library, recipe.at, graph.recording());
  graph.output("loss", loss);
  output_terms(graph, loss);
  metrics_ = GatheredMetrics(graph, all);
  return loss;
}

void Specialization::note_bounds(Graph& graph) {
  const auto bounds = index_bounds(graph.recording()->graph());
  if (const auto bound = bounds.find("y"); bound != bounds.end()) labels_ = bound->second;
  const auto ranges = value_ranges(graph.recording()->graph());
  if (const auto range = ranges.find("y"); range != ranges.end()) target_range_ = range->second;
}

void Specialization::note_parameters(Graph& graph) {
  Recording& recording = *graph.recording();
  recording.settle();
  for (const ir::Input& input : recording.graph().inputs())
    for (const BoundParameter& bound : recording.bindings.parameters) {
      if (bound.input != input.node->name) continue;
      std::string name = bound.parameter.name();
      for (int i = 1; std::count(names_.begin(), names_.end(), name) > 0; ++i) name = fmt::format("{}.{}", bound.parameter.name(), i);
      parameters_.push_back(bound.parameter);
      names_.push_back(name);
    }
}

void Specialization::output_terms(Graph& graph, const Tensor& loss) {
  const ir::Value v = loss.value();
  ir::Graph& recorded = graph.recording()->graph();
  ir::Builder b(recorded, nullptr, v.is_input() ? recorded.inputs()[static_cast<size_t>(v.index())].locations : v.op()->locations());
  const auto output = [&](const char* what, ir::Value v) {
    const std::string name = fmt::format("loss.{}.{}", what, terms_.size());
    graph.output(name, Tensor(loss.recording, v));
    return name;
  };
  for (const LossTerm& term : loss_terms(b, loss.value())) {
    if (term.numerator == loss.value()) continue;  // the loss alone
    const std::string numerator = output("numerator", term.numerator);
    terms_.emplace_back(numerator, term.count ? output("count", term.count) : "");
  }
}

void Specialization::output_gradient_norms(Graph& graph, const Tensor& loss, const std::vector<Parameter>& trained, const Recipe& recipe) {
  std::vector<Arg> all;
  for (const Parameter& parameter : trained) all.emplace_back(parameter, recipe.at);
  const std::vector<Tensor> slopes = differentiate(Arg(loss, recipe.at), all);
  std::map<std::string, Tensor> squares;
  for (size_t i = 0; i < trained.size(); ++i) {
    const std::string layer = layer_of(trained[i].name());
    const Tensor square_sum = sum(square(slopes[i]));
    const auto [at, added] = squares.try_emplace(layer, square_sum);
    if (added) layers_.push_back(layer);
    else at->second = at->second + square_sum;
  }
  for (const std::string& layer : layers_) graph.output(norms_.emplace_back("gradient_norm." + layer), sqrt(squares.at(layer)));
}

void Specialization::check_labels(const Dataset& data) const {
  const auto columns = data.columns();
  const auto found = std::find_if(columns.begin(), columns.end(), [](const Dataset::Column& column) { return column.name == "y"; });
  if (found == columns.end()) return;
  if (labels_ && std::ssize(data.class_names) > labels_->high)
    throw Error("{} has {} classes, but the model gives {}; the loss is computed at {}", data.title(), data.class_names.size(),
                labels_->high, loss_line_);
  if (!found->from || data.mixup) return;  // a source's are looked at as they come; probabilities are made of labels that are
  const Array& targets = *found->from;
  const int64_t each = targets.shape().numel() / std::max<int64_t>(1, data.size());
  if (target_range_)
    if (const auto bad = find_outside(View(targets), *target_range_))
      throw Error(
          "sample {} of {} has the target {}, but the loss takes numbers from {} to {}; it is computed at "
          "{}",
          static_cast<int64_t>(*bad) / each, data.title(), targets.at(static_cast<int64_t>(*bad)), target_range_->low, target_range_->high,
          loss_line_);
  if (!labels_) return;
  if (const auto bad = find_outside(View(targets), *labels_))
    throw Error("sample {} of {} has the class {}, but the model gives {} classes{}; the loss is computed at {}",
                static_cast<int64_t>(bad->element) / each, data.title(), bad->index, labels_->high - labels_->low,
                labels_->low == 0 && labels_->besides.empty() ? "" : ", so that it takes " + labels_->text(), loss_line_);
}

bool Outcome::is_finite() const {
  bool counts = true;
  for (const Quotient& t : terms) {
    if (!std::isfinite(t.numerator) || !std::isfinite(t.count) || (t.count == 0 && t.numerator != 0)) return false;
    counts = counts && t.count != 0;
  }
  return !counts || std::isfinite(loss);
}

BatchOptions training_batches(int64_t batch, uint64_t seed, const DataOptions& data) {
  return {
      .batch = batch, .shuffle = data.shuffle, .drop_last = data.drop_last, .seed = seed, .workers = data.workers, .sampler = data.sampler};
}

Outcome Specialization::run(const Batch& batch) {
  const auto start = std::chrono::steady_clock::now();
  const Results results = step_->run(batch.arrays);
  const double loss = results["loss"].item();  // a device may be at work until then
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  Outcome outcome{.loss = loss, .microseconds = time.count()};
  const auto samples = static_cast<double>(batch.size);
  for (const auto& [numerator, count] : terms_) {
    const double value = results[numerator].item();
    outcome.terms.push_back(count.empty() ? Quotient{value * samples, samples} : Quotient{value, results[count].item()});
  }
  if (terms_.empty()) outcome.terms = {{outcome.loss * samples, samples}};
  outcome.metrics = metrics_.read(results);
  for (const std::string& norm : norms_) outcome.gradient_norms.push_back(results[norm].item());
  return outcome;
}

Programs::Programs(const Recipe& recipe, const Dataset& data, const BatchOptions& batches, const HowCompiled& how,
                   const Announce& announce) {
  const int64_t examples = batches.examples(data);
  if (batches.drop_last && examples < batches.batch)
    throw Error(
        "{} has {} examples, fewer than a batch of {}, and a smaller batch is left out (.data.drop_last): make the batch "
        "smaller",
        data.title(), examples, batches.batch)
        .of("Trainer");
  std::vector<int64_t> lengths = data.source ? data.source->padded_lengths() : std::vector<int64_t>();
  if (lengths.empty()) lengths = {-1};
  const auto compile = [&](int64_t size) {
    for (const int64_t length : lengths) {
      const std::string rows = length < 0 ? "" : fmt::format(" with rows of {}", length);
      announce(fmt::format("{}, batches of {}{}", how.use == Use::training ? "training" : "evaluation", size, rows));
      all_.push_back({size, length, Specialization(recipe, data, size, length, how)});
    }
  };
  if (examples >= batches.batch) compile(batches.batch);
  if (examples % batches.batch != 0 && !batches.drop_last) compile(examples % batches.batch);
}

Outcome Programs::run(const Batch& batch) {
  ForShape& f = of(batch);
  f.ran = true;
  return f.program.run(batch);
}

void Programs::start_profile(int64_t traced_steps) {
  for (const ForShape& f : all_) Step(f.program.step()).start_profile(traced_steps);
}

const Specialization& Programs::that_ran() const {
  const auto found = std::find_if(all_.begin(), all_.end(), [](const ForShape& f) { return f.ran; });
  return found == all_.end() ? any() : found->program;
}

Programs::ForShape& Programs::of(const Batch& batch) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const ForShape& f) {
    return f.size == batch.size && (f.padded_length < 0 || f.padded_length == batch.padded_length);
  });
  WEFT_CHECK(found != all_.end(), "a batch of {} with rows of {}", batch.size, batch.padded_length);
  return *found;
}

void Programs::count_into(History& history) const {
  for (const ForShape& f : all_) {
    history.compile_ms += f.program.step().compile_milliseconds();
    history.planned_bytes = std::max(history.planned_bytes, f.program.step().arena_bytes());
  }
}

}  // namespace weft::detail
