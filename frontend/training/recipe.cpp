#include "weft/frontend/training/recipe.h"

#include <algorithm>

#include "weft/frontend/language/recording.h"
#include "weft/frontend/language/scope.h"
#include "weft/frontend/training/accuracy.h"

namespace weft::detail {
namespace {

Recording& recording_of(const Tensors& batch) { return *batch.all().front().second.recording; }

/// Throws weft::Error when what is recorded uses a parameter that is none of the model's: it would neither be trained nor kept in
/// checkpoints, unless it is frozen. A model without any is a function, whose parameters are those that it uses.
void require_registered(const char* who, const Tensors& batch, const nn::Module& model) {
  const std::vector<Parameter> own = model.parameters();
  if (own.empty()) return;
  Recording& recording = recording_of(batch);
  for (const BoundParameter& used : recording.bindings.parameters) {
    if (!used.parameter.requires_grad() || std::any_of(own.begin(), own.end(), [&](const Parameter& p) { return p.is(used.parameter); }))
      continue;
    throw Error("the {} uses '{}' at {}, which is none of {} parameters(), so that it would not be trained", who, used.parameter.name(),
                to_string(recording.graph().find_input(used.input)->locations), std::string_view(who) == "model" ? "its" : "the model's")
        .of("Trainer")
        .hint(
            "register it, or the layer that it belongs to, with add() where the model is made. To leave it as it is, say "
            "requires_grad_(false) of it");
  }
}

bool has_accuracy(const Measured& measured) {
  return std::any_of(measured.metrics.begin(), measured.metrics.end(), [](const auto& metric) { return metric.first == "accuracy"; });
}

/// In front of the others.
void add_accuracy(Measured& measured, std::optional<Metric> accuracy) {
  if (accuracy) measured.metrics.insert(measured.metrics.begin(), {"accuracy", std::move(*accuracy)});
}

}  // namespace

BatchLoss loss_of_pairs(nn::AnyModule model, PairLoss loss, PairMetrics metrics, std::source_location at) {
  return [model = std::move(model), loss = std::move(loss), metrics = std::move(metrics), at](const Tensors& batch) {
    const Tensor &x = batch[{"x", at}], &y = batch[{"y", at}];
    const Tensor prediction = (*model)(Arg(x, at));
    require_registered("model", batch, *model);
    const size_t first = recording_of(batch).classifications.size();
    Measured measured(loss(prediction, y));
    for (const auto& [name, metric] : metrics) measured.metrics.emplace_back(name, metric(prediction, y));
    if (has_accuracy(measured)) return measured;
    const Scope here("", Scope::Code::library, at, x.recording);
    std::optional<Metric> accuracy = accuracy_of_losses(first, Tensors({{"y", y}}));
    add_accuracy(measured, accuracy ? std::move(accuracy) : accuracy_of_prediction(prediction, y));
    return measured;
  };
}

BatchLoss loss_of_batches(nn::AnyModule model, BatchLoss loss, std::source_location at) {
  return [model = std::move(model), loss = std::move(loss), at](const Tensors& batch) {
    const size_t first = recording_of(batch).classifications.size();
    Measured measured = loss(batch);
    require_registered("loss", batch, *model);
    if (has_accuracy(measured)) return measured;
    const Scope here("", Scope::Code::library, at, batch.all().front().second.recording);
    add_accuracy(measured, accuracy_of_losses(first, batch));
    return measured;
  };
}

}  // namespace weft::detail
