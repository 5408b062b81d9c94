#include "weft/frontend/specialization.h"

#include <algorithm>
#include <chrono>

#include "weft/frontend/compile.h"
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

/// Puts the model into a mode until the end of the scope.
class Mode {
 public:
  Mode(nn::Module& model, bool train) : model_(model), before_(model.training()) { model_.train(train); }
  ~Mode() { model_.train(before_); }

 private:
  nn::Module& model_;
  bool before_;
};

View view_of(std::span<const std::byte> bytes, DType dtype) { return {bytes.data(), bytes.size() / size_of(dtype), dtype}; }

}  // namespace

Specialization::Specialization(const Recipe& recipe, const Dataset& data, int64_t size, bool train,
                               const FitOptions& options)
    : input_dtype_(data.input_dtype()), target_dtype_(data.target_dtype()) {
  Graph graph(fmt::format("{}_{}", train ? "train" : "eval", size));
  const Tensor x = graph.input("x", input_dtype_, data.input_shape(size), recipe.at);
  const Tensor y = graph.input("y", target_dtype_, data.target_shape(size), recipe.at);
  const Tensor prediction = (*recipe.model)(Arg(x, recipe.at));
  const Tensor loss = recipe.loss(prediction, y);
  const Scope here("", Scope::Code::library, recipe.at, graph.recording());
  graph.output("loss", loss);
  if (const auto correct = count_correct(prediction, y)) {
    graph.output("correct", *correct);
    counts_correct_ = true;
  }
  const ir::Value v = loss.value();
  loss_line_ = to_string(v.is_input() ? ir::Locations{Scope::locate(recipe.at)} : v.op()->locations());

  const Target target = options.threads > 0 ? options.target.with_threads(options.threads) : options.target;
  const CompileOptions how{.dump_ir = options.dump_ir, .seed = options.seed};
  if (!train) {
    step_ = compile(graph, target, how);
    return;
  }
  const auto own = recipe.model->parameters();
  step_ = compile(training_step(graph, loss, own.empty() ? graph.parameters() : own, recipe.optimizer, {}, recipe.at),
                  target, how);
}

Outcome Specialization::run(const Batch& batch) {
  const auto start = std::chrono::steady_clock::now();
  const Results results = (*step_)({{"x", view_of(batch.inputs, input_dtype_)}, {"y", view_of(batch.targets, target_dtype_)}});
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  return {results["loss"].item(), counts_correct_ ? results["correct"].item<int64_t>() : 0, time.count()};
}

Programs::Programs(const Recipe& recipe, const Dataset& data, bool train, const FitOptions& options)
    : full_size_(options.batch) {
  const Mode mode(*recipe.model, train);
  if (data.size() >= full_size_) full_.emplace(recipe, data, full_size_, train, options);
  if (data.size() % full_size_ != 0) last_.emplace(recipe, data, data.size() % full_size_, train, options);
}

void Programs::count_into(History& history) const {
  for (const auto* program : {&full_, &last_}) {
    if (!*program) continue;
    history.compile_ms += (*program)->step().compile_milliseconds();
    history.planned_bytes = std::max(history.planned_bytes, (*program)->step().arena_bytes());
  }
}

}  // namespace weft::detail
