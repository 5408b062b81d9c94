// Lesson 2: classify 28 x 28 images with a multilayer perceptron, as PyTorch's quickstart does.
//
//   02_fashion_mnist                    on digits that the program draws itself
//   02_fashion_mnist --data DIR         on Fashion-MNIST (or MNIST): a directory of IDX files, .gz or not
//
// What you see here: a model of modules, a loss, an optimizer and the training loop. Forward, loss, backward and update
// are compiled into one program that is called once per batch.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "options.h"
#include "training.h"

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

void run(const Options& o) {
  const auto [train, test] = load_images(o);
  manual_seed(o.seed);
  Net net;
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, cross_entropy, optimizer);
  if (o.find_lr) find_lr(trainer, train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  report(history, o);
  if (!o.plots.empty()) draw(history, test, o.plots, predictions(net, test, o));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a multilayer perceptron on images of ten classes.");
  Options options{.epochs = 5, .batch = 64, .lr = 1e-3};
  add_training_options(app, options);
  return run_example(app, argc, argv, [&] { run(options); });
}
