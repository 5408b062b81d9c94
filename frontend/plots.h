#pragma once
// The usual pictures of training, to change (limits, title, legend) and save.

#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/trainer.h"
#include "weft/runtime/plot.h"

namespace weft {

/// What was trained, by name. The name may be empty where there is one.
using Runs = std::vector<std::pair<std::string, History>>;

/// Training and, where there is one, test loss of every run over epochs; the same of accuracies.
///
///   loss_plot({{"plain", plain}, {"dropout", dropout}}).save("loss.svg");
Plot loss_plot(const Runs& runs);
Plot accuracy_plot(const Runs& runs);

/// The norm of the loss's gradient by layer over steps, on a logarithmic axis. Throws weft::Error unless
/// FitOptions::gradient_norms had them measured.
Plot gradient_plot(const History& history);

/// The smoothed loss over the rates tried.
Plot lr_plot(const LrSearch& search);

}  // namespace weft
