#pragma once
// The usual pictures of training, to change (limits, title, legend) and save.

#include <functional>
#include <string>

#include "weft/frontend/training/trainer.h"
#include "weft/runtime/plot.h"

namespace weft {

/// Training and, where there is one, test loss of every run over epochs; the same of accuracies. `test` is what the curve of
/// the test numbers is called.
///
///   loss_plot({{"plain", plain}, {"dropout", dropout}}).save("loss.svg");
Plot loss_plot(const Runs& runs, const std::string& test = "test");
Plot accuracy_plot(const Runs& runs, const std::string& test = "test");
/// One number of every run over epochs: epoch_plot(runs, "test loss", &EpochResult::test_loss), or of a metric
/// epoch_plot(runs, "F1", [](const EpochResult& r) { return r.test_metrics["f1"]; }).
Plot epoch_plot(const Runs& runs, const std::string& what, const std::function<double(const EpochResult&)>& number);

/// The norm of the loss's gradient by layer over steps, on a logarithmic axis. Throws weft::Error unless
/// MeasureOptions::gradient_norms had them measured.
Plot gradient_plot(const History& history);

/// The smoothed loss over the rates tried.
Plot lr_plot(const LrSearch& search);

}  // namespace weft
