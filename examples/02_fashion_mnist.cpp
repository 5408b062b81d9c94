// Lesson 2: classify 28 x 28 images with a multilayer perceptron, as PyTorch's quickstart does.
//
//   02_fashion_mnist                    on digits that the program draws itself
//   02_fashion_mnist --data DIR         on Fashion-MNIST (or MNIST): a directory of IDX files, .gz or not
//
// What you see here: a model of modules, a loss, an optimizer and the training loop. Forward, loss, backward and update
// are compiled into one program that is called once per batch.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <numeric>

#include "options.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Flatten flatten = add("flatten", nn::Flatten());
  nn::Linear fc1 = add("fc1", nn::Linear(28 * 28, 512));
  nn::Linear fc2 = add("fc2", nn::Linear(512, 512));
  nn::Linear fc3 = add("fc3", nn::Linear(512, 10));

  Tensor forward(Tensor x) override {
    Tensor h1 = relu(fc1(flatten(x)));
    Tensor h2 = relu(fc2(h1));
    return fc3(h2);
  }
};

optim::Optimizer optimizer_for(const Options& o) {
  optim::Optimizer optimizer = o.optimizer == "adam" ? optim::Optimizer(optim::Adam({.lr = o.lr})) : optim::SGD({.lr = o.lr});
  optimizer.clip_norm = o.clip_norm;
  return optimizer;
}

void find_lr(Trainer& trainer, const Dataset& train, const optim::Optimizer& optimizer, const Options& o) {
  const LrSearch search = trainer.find_lr(train, o.fit());
  optimizer.learning_rate() = search.suggestion();
  fmt::print("Of {} learning rates from {:g} to {:g}, {:.3g} is tried.\n", search.rates.size(), search.rates.front(), search.rates.back(),
             search.suggestion());
  if (!o.plots.empty()) lr_plot(search).save(in_directory(o.plots, "learning_rates.svg"));
}

void draw(const History& history, const Dataset& test, const std::string& directory) {
  loss_plot({{"", history}}).save(in_directory(directory, "loss.svg"));
  accuracy_plot({{"", history}}).save(in_directory(directory, "accuracy.svg"));
  gradient_plot(history).save(in_directory(directory, "gradients.svg"));
  std::vector<int64_t> first(static_cast<size_t>(std::min<int64_t>(64, test.size())));
  std::iota(first.begin(), first.end(), 0);
  save_image_grid(in_directory(directory, "images.png"), test, first, "the first of the test set");
}

void run(const Options& o) {
  Dataset train, test;
  if (o.data.empty()) {
    fmt::print("No --data given: training on 20000 digits drawn by the program, testing on 4000 others.\n");
    train = generate_digits(20000, o.seed + 1);
    test = generate_digits(4000, o.seed + 1'000'000);
  } else {
    train = load_idx_directory(o.data, true);
    test = load_idx_directory(o.data, false);
    fmt::print("Training on {} images of {}, testing on {}.\n", train.size(), train.name, test.size());
  }
  manual_seed(o.seed);
  Net net;
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, cross_entropy, optimizer);
  if (o.find_lr) find_lr(trainer, train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  if (o.patience > 0) fmt::print("The weights are those of epoch {}.\n", history.kept().epoch);
  fmt::print("{} steps, {:.0f} us each (median); test loss {:.4f}, accuracy {:.2f} %; compiled in {:.0f} ms, arena {:.2f} MB\n",
             history.steps, history.last().step_us, history.kept().test_loss, 100 * history.kept().test_accuracy,
             history.compile_ms, static_cast<double>(history.planned_bytes) / 1e6);
  if (o.profile) fmt::print("\n{}", history.profile);
  if (!o.plots.empty()) draw(history, test, o.plots);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a multilayer perceptron on images of ten classes.");
  Options options{.epochs = 5, .batch = 64, .lr = 1e-3};
  add_training_options(app, options);
  return run_example(app, argc, argv, [&] { run(options); });
}
