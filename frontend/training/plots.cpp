#include "weft/frontend/training/plots.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace weft {
namespace {

using Quantity = std::function<double(const EpochResult&)>;

void add_curve(Plot& plot, const std::string& label, const History& history, const Quantity& quantity) {
  std::vector<double> x, y;
  for (const EpochResult& epoch : history.epochs) {
    x.push_back(static_cast<double>(epoch.epoch));
    y.push_back(quantity(epoch));
  }
  if (std::any_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) plot.line(label, std::move(x), std::move(y));
}

Plot curves(const Runs& runs, const char* what, const Quantity& train, const Quantity& test, const std::string& test_name) {
  Plot plot{.title = what, .x_label = "epoch", .y_label = what};
  for (const auto& [name, history] : runs) {
    const std::string prefix = name.empty() ? "" : name + ", ";
    add_curve(plot, prefix + "training", history, train);
    add_curve(plot, prefix + test_name, history, test);
  }
  return plot;
}

}  // namespace

Plot loss_plot(const Runs& runs, const std::string& test) {
  return curves(runs, "loss", &EpochResult::train_loss, &EpochResult::test_loss, test);
}

Plot accuracy_plot(const Runs& runs, const std::string& test) {
  return curves(runs, "accuracy", &EpochResult::train_accuracy, &EpochResult::test_accuracy, test);
}

Plot epoch_plot(const Runs& runs, const std::string& what, const Quantity& number) {
  Plot plot{.title = what, .x_label = "epoch", .y_label = what};
  for (const auto& [name, history] : runs) add_curve(plot, name, history, number);
  return plot;
}

Plot gradient_plot(const History& history) {
  if (history.gradient_norms.empty())
    throw Error("no norms were measured").of("gradient_plot").hint("fit with .measure.gradient_norms = true");
  Plot plot{.title = "norm of the gradient by layer", .x_label = "step", .y_label = "norm", .log_y = true};
  for (const auto& [layer, norms] : history.gradient_norms) {
    std::vector<double> steps(norms.size());
    std::iota(steps.begin(), steps.end(), 1.0);
    plot.line(layer, std::move(steps), norms);
  }
  return plot;
}

Plot lr_plot(const LrSearch& search) {
  Plot plot{.title = "learning rates", .x_label = "learning rate", .y_label = "loss, smoothed", .log_x = true, .legend = false};
  plot.line("loss", search.rates, search.losses);
  return plot;
}

}  // namespace weft
