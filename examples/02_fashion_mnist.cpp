// Lesson 2: classify 28 x 28 images with a multilayer perceptron, as PyTorch's quickstart does.
//
//   02_fashion_mnist                    on digits that the program draws itself
//   02_fashion_mnist --data DIR         on Fashion-MNIST (or MNIST): a directory of IDX files, .gz or not
//
// What you see here: a model of modules, a loss, an optimizer and the training loop. Forward, loss, backward and update
// are compiled into one program that is called once per batch.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

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

struct Arguments {
  Options options{.epochs = 5, .batch = 64, .lr = 1e-3};
  std::string optimizer = "sgd", log = "bar", curve, save;
  bool shuffle = false, profile = false;
};

void save_weights(const Net& net, const std::string& directory) {
  std::filesystem::create_directories(directory);
  for (const auto& [name, parameter] : net.named_parameters())
    write_npy(directory + "/" + name + ".npy", parameter.array());
}

template <class Optimizer>
History fit(const Net& net, const Optimizer& optimizer, const Dataset& train, const Dataset& test, const Arguments& a) {
  const Options& o = a.options;
  return Trainer(net, cross_entropy, optimizer)
      .fit(train, test, {.epochs = o.epochs, .batch = o.batch, .shuffle = a.shuffle, .seed = o.seed, .max_steps = o.max_steps,
                         .metrics = o.metrics, .loss_curve = a.curve, .dump_ir = o.dump_ir, .profile = a.profile, .log = a.log, .target = o.target()});
}

void run(const Arguments& a) {
  const Options& o = a.options;
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
  std::fflush(stdout);  // before the progress, which goes to standard error
  manual_seed(o.seed);
  Net net;
  const History history = a.optimizer == "adam" ? fit(net, optim::Adam({.lr = o.lr}), train, test, a)
                                                : fit(net, optim::SGD({.lr = o.lr}), train, test, a);
  fmt::print("{} steps, {:.0f} us each (median); test loss {:.4f}, accuracy {:.2f} %; compiled in {:.0f} ms, arena {:.2f} MB\n",
             history.steps, history.last().step_us, history.last().test_loss, 100 * history.last().test_accuracy,
             history.compile_ms, static_cast<double>(history.planned_bytes) / 1e6);
  if (a.profile) fmt::print("\n{}", history.profile);
  if (!a.save.empty()) save_weights(net, a.save);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a multilayer perceptron on images of ten classes.");
  Arguments a;
  add_options(app, a.options);
  require_one_of(app.add_option("--optimizer", a.optimizer, "sgd or adam")->capture_default_str(), {"sgd", "adam"});
  app.add_flag("--shuffle", a.shuffle, "a new order of the images in every epoch; otherwise file order");
  require_one_of(app.add_option("--log", a.log, "bar, plain, classic (as PyTorch's quickstart prints) or none")
                     ->capture_default_str(), {"bar", "plain", "classic", "none"});
  app.add_option("--curve", a.curve, "write the loss of every training step into this CSV file");
  app.add_flag("--profile", a.profile, "print where the time of a training step goes, call by call");
  app.add_option("--save", a.save, "write the trained weights into this directory, one .npy file each");
  return run_example(app, argc, argv, [&] { run(a); });
}
