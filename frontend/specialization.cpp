#include "weft/frontend/specialization.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "weft/frontend/compile.h"
#include "weft/frontend/index_bounds.h"
#include "weft/frontend/micro_batches.h"
#include "weft/frontend/ops.h"
#include "weft/frontend/scope.h"

namespace weft::detail {
namespace {

/// Samples whose largest logit is at the target, where targets are classes along axis 1.
std::optional<Tensor> count_correct(const Tensor& prediction, const Tensor& target) {
  if (target.dtype() != i64 || prediction.shape().rank() < 2 || !is_floating(prediction.dtype())) return {};
  const Tensor chosen = argmax(prediction, 1);
  if (chosen.shape() != target.shape()) return {};
  return sum(chosen == target);
}

/// "fc1" of "fc1.weight"; a parameter of no layer stands for itself.
std::string layer_of(const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')); }

/// Throws weft::Error when the model, recorded in `graph`, uses a parameter that is none of its own: it would neither be trained
/// nor kept in checkpoints, unless it is frozen. A model without any is a function, whose parameters are those that it uses.
void require_registered(const Graph& graph, const nn::Module& model) {
  const std::vector<Parameter> own = model.parameters();
  if (own.empty()) return;
  for (const BoundParameter& used : graph.recording()->bindings.parameters) {
    if (!used.parameter.requires_grad() || std::any_of(own.begin(), own.end(), [&](const Parameter& p) { return p.is(used.parameter); })) continue;
    throw Error("Trainer: the model uses '{}' at {}, which is none of its parameters(), so that it would not be trained; register it, or the "
                "layer that it belongs to, with add() where the model is made. To leave it as it is, say requires_grad_(false) of it",
                used.parameter.name(), to_string(graph.recording()->graph().find_input(used.input)->locations));
  }
}

void check(const Dataset& data, const char* which) {
  data.check();
  if (data.size() == 0) throw Error("Trainer::fit: the {} set '{}' is empty", which, data.name);
}

}  // namespace

void check(const FitOptions& o, const Dataset& train, const Dataset* test) {
  if (o.epochs < 1 || o.batch < 1 || o.max_steps < 0 || o.threads < 0)
    throw Error("Trainer::fit: .epochs ({}) and .batch ({}) must be positive, .max_steps ({}) and .threads ({}) not negative",
                o.epochs, o.batch, o.max_steps, o.threads);
  if (o.overfit < 0 || o.patience < 0 || o.eval_every < 0)
    throw Error("Trainer::fit: .overfit ({}), .eval_every ({}) and .patience ({}) must not be negative", o.overfit, o.eval_every, o.patience);
  if (o.eval_every > 0 && !test) throw Error("Trainer::fit: .eval_every evaluates on the test set, but there is none");
  if (o.patience > 0 && !test) throw Error("Trainer::fit: .patience watches the test loss, but there is no test set");
  if (o.accumulate < 1 || o.accumulate > o.batch)
    throw Error("Trainer::fit: .accumulate ({}) must be positive and not above .batch ({})", o.accumulate, o.batch);
  if (o.checkpoint_every < 0 || o.keep_last < 0)
    throw Error("Trainer::fit: .checkpoint_every ({}) and .keep_last ({}) must not be negative", o.checkpoint_every, o.keep_last);
  if (o.checkpoint.empty() && (o.checkpoint_every > 0 || o.keep_last > 0 || o.keep_best))
    throw Error("Trainer::fit: .checkpoint_every, .keep_last and .keep_best need the name of a .checkpoint");
  if (o.keep_best && !test) throw Error("Trainer::fit: .keep_best watches the test loss, but there is no test set");
  check(train, "training");
  if (test) check(*test, "test");
}

Specialization::Specialization(const Recipe& recipe, const Dataset& data, int64_t size, bool train,
                               const FitOptions& options)
    : input_dtype_(data.input_dtype()), target_dtype_(data.target_dtype()) {
  Graph graph(fmt::format("{}_{}", train ? "train" : "eval", size));
  graph.recording()->training = train;
  const Tensor x = graph.input("x", input_dtype_, data.input_shape(size), recipe.at);
  const Tensor y = graph.input("y", target_dtype_, data.target_shape(size), recipe.at);
  const Tensor loss = record(graph, recipe, x, y, train ? options.accumulate : 1);
  const Scope here("", Scope::Code::library, recipe.at, graph.recording());
  const auto own = recipe.model->parameters();
  const std::vector<Parameter> all = own.empty() ? graph.parameters() : own;
  std::vector<Parameter> trained;
  std::copy_if(all.begin(), all.end(), std::back_inserter(trained), [](const Parameter& p) { return p.requires_grad(); });
  if (train && options.gradient_norms) output_gradient_norms(graph, loss, trained, recipe);
  for (const BoundParameter& bound : graph.recording()->bindings.parameters) parameters_.push_back(bound.parameter);
  const auto bounds = index_bounds(graph.recording()->graph());
  if (const auto bound = bounds.find("y"); bound != bounds.end()) label_bound_ = bound->second;
  const ir::Value v = loss.value();
  loss_line_ = to_string(v.is_input() ? ir::Locations{Scope::locate(recipe.at)} : v.op()->locations());

  const Target target = options.threads > 0 ? options.target.with_threads(options.threads) : options.target;
  const CompileOptions how{.dump_ir = options.dump_ir, .seed = options.seed};
  if (!train) {
    step_ = compile(graph, target, how);
    return;
  }
  step_ = compile(training_step(graph, loss, all, recipe.optimizer, {}, recipe.at), target, how);
}

Tensor Specialization::record(Graph& graph, const Recipe& recipe, const Tensor& x, const Tensor& y, int64_t parts) {
  std::optional<Tensor> correct;
  const Tensor loss = micro_batches(Arg(x, recipe.at), Arg(y, recipe.at), parts, [&](const Tensor& some_x, const Tensor& some_y) {
    const Tensor prediction = (*recipe.model)(Arg(some_x, recipe.at));
    require_registered(graph, *recipe.model);
    const Tensor part = recipe.loss(prediction, some_y);
    const Scope here("", Scope::Code::library, recipe.at, graph.recording());
    const auto some = count_correct(prediction, some_y);
    if (some) correct = correct ? *correct + *some : *some;
    return part;
  });
  const Scope here("", Scope::Code::library, recipe.at, graph.recording());
  graph.output("loss", loss);
  if (correct) graph.output("correct", *correct);
  counts_correct_ = correct.has_value();
  return loss;
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
  if (!label_bound_) return;
  if (std::ssize(data.class_names) > *label_bound_)
    throw Error("data set '{}' has {} classes, but the model gives {}; the loss is computed at {}", data.name, data.class_names.size(),
                *label_bound_, loss_line_);
  const int64_t each = data.targets.shape().numel() / std::max<int64_t>(1, data.size());
  const auto labels = data.targets.values<int64_t>();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == ignored_label || (labels[i] >= 0 && labels[i] < *label_bound_)) continue;
    throw Error("sample {} of data set '{}' has the class {}, but the model gives {} classes; the loss is computed at {}",
                static_cast<int64_t>(i) / each, data.name, labels[i], *label_bound_, loss_line_);
  }
}

BatchOptions training_batches(const FitOptions& o) {
  return {.batch = o.batch, .shuffle = o.shuffle, .drop_last = o.drop_last, .seed = o.seed, .workers = o.workers};
}

Outcome Specialization::run(const Batch& batch) {
  const auto start = std::chrono::steady_clock::now();
  const Results results = (*step_)({{"x", batch.inputs}, {"y", batch.targets}});
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  Outcome outcome{results["loss"].item(), counts_correct_ ? results["correct"].item<int64_t>() : 0, time.count()};
  for (const std::string& norm : norms_) outcome.gradient_norms.push_back(results[norm].item());
  return outcome;
}

Programs::Programs(const Recipe& recipe, const Dataset& data, bool train, const FitOptions& options)
    : full_size_(options.batch) {
  if (train && options.drop_last && data.size() < full_size_)
    throw Error("Trainer: data set '{}' has {} examples, fewer than a batch of {}, and a smaller batch is left out (.drop_last): make the "
                "batch smaller", data.name, data.size(), full_size_);
  if (data.size() >= full_size_) full_.emplace(recipe, data, full_size_, train, options);
  if (data.size() % full_size_ != 0 && !(train && options.drop_last)) last_.emplace(recipe, data, data.size() % full_size_, train, options);
}

void Programs::count_into(History& history) const {
  for (const auto* program : {&full_, &last_}) {
    if (!*program) continue;
    history.compile_ms += (*program)->step().compile_milliseconds();
    history.planned_bytes = std::max(history.planned_bytes, (*program)->step().arena_bytes());
  }
}

}  // namespace weft::detail
