// Lesson 3: what batch normalization and dropout do for a small net, seen side by side.
//
//   03_mnist_bn_dropout --data DIR          on MNIST: a directory of IDX files, .gz or not
//   03_mnist_bn_dropout                     on digits that the program draws itself
//   03_mnist_bn_dropout --shared-weights    the last two nets share their linear layers, which two optimizers then train
//
// What you see here: layers that act otherwise in training than in evaluation, modules put together at run time, and several
// models trained side by side.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <span>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t width = 32;  // units of a hidden layer

std::vector<nn::Linear> linear_layers(int64_t depth) {
  std::vector<nn::Linear> all{nn::Linear(28 * 28, width)};
  while (std::ssize(all) < depth) all.push_back(nn::Linear(width, width));
  all.push_back(nn::Linear(width, 10));
  return all;
}

/// Linear layers with ReLU between them, and what the kind of net adds.
struct Net : nn::Module {
  Net(const std::string& kind, const std::vector<nn::Linear>& linear) {
    for (const nn::Linear& hidden : std::span(linear).first(linear.size() - 1)) {
      layers.append(hidden);
      if (kind == "batch norm") layers.append(nn::BatchNorm1d(width));
      layers.append(nn::ReLU());
      if (kind == "dropout") layers.append(nn::Dropout(0.3));
    }
    layers.append(linear.back());
  }
  Tensor forward(Tensor x) override {
    x = flatten(x);
    for (nn::Module& layer : layers) x = layer(x);
    return x;
  }
  nn::ModuleList layers = add("layers", nn::ModuleList());
};

void run(const Options& o, int64_t depth, bool shared_weights) {
  const auto [images, test] = load_images(o);
  manual_seed(o.seed);
  std::vector<std::pair<std::string, Trainer>> nets;
  std::vector<nn::Linear> linear;
  for (const std::string kind : {"plain", "batch norm", "dropout"}) {
    if (!shared_weights || kind != "dropout") linear = linear_layers(depth);
    const optim::Optimizer optimizer = optimizer_for(o);
    nets.emplace_back(kind, Trainer(Net(kind, linear), cross_entropy, optimizer));
    if (o.find_lr) find_lr(nets.back().second, images, optimizer, o, kind);
  }
  std::fflush(stdout);  // before the progress, which goes to standard error
  FitOptions how = o.fit();
  how.data.drop_last = true;
  how.measure.training_set = true;  // in eval mode batch normalization takes its running statistics, dropout keeps everything
  const Runs runs = fit_side_by_side(nets, images, test, how);
  for (const auto& [name, history] : runs) {
    report(history, o, name);
    double mean = 0;
    const auto last = std::span(history.epochs).last(std::min<size_t>(3, history.epochs.size()));
    for (const EpochResult& at : last) mean += at.test_accuracy() / static_cast<double>(last.size());
    fmt::print("{}: mean test accuracy of the last {} epochs {:.2f} %\n", name, last.size(), 100 * mean);
    if (!o.plots.empty()) draw_gradients(history, in_directory(o.plots, name + "_gradients.svg"));
  }
  if (o.plots.empty()) return;
  epoch_plot(runs, "training loss", &EpochResult::train_loss).save(in_directory(o.plots, "train_loss.svg"));
  epoch_plot(runs, "test loss", &EpochResult::test_loss).save(in_directory(o.plots, "test_loss.svg"));
  epoch_plot(runs, "training accuracy", &EpochResult::train_accuracy).save(in_directory(o.plots, "train_accuracy.svg"));
  epoch_plot(runs, "test accuracy", &EpochResult::test_accuracy).save(in_directory(o.plots, "test_accuracy.svg"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains three small nets on the same batches: plain, with batch normalization, and with dropout.");
  Options o{.epochs = 10, .batch = 32, .lr = 1e-2};
  o.optimizer = "adam";
  o.shuffle = true;
  int64_t depth = 2;
  bool shared_weights = false;
  add_side_by_side_options(app, o);
  require_integer(app.add_option("--depth", depth, "hidden layers")->capture_default_str(), 1);
  app.add_flag("--shared-weights", shared_weights,
               "the nets with batch normalization and dropout have the same linear layers: a learning "
               "rate or a best epoch of one alone means nothing then")
      ->excludes(app.get_option("--find-lr"))
      ->excludes(app.get_option("--patience"));
  return run_example(app, argc, argv, [&] { run(o, depth, shared_weights); });
}
