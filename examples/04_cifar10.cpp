// Lesson 4: classify 32 x 32 colour pictures, with three nets in three ways of writing.
//
//   04_cifar10 --data DIR --net conv --style barebones     DIR holds CIFAR-10's binary version
//   04_cifar10 --net challenge                             without --data: digits that the program draws itself
//
// What you see here: convolutions and pooling, models of nothing but tensors beside modules and nn::Sequential, transforms
// of the data, and validation in the midst of an epoch.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t classes = 10, pixels = 3 * 32 * 32;

// --- Barebones: parameters and a function -------------------------------------------------------------------------------

/// N(0, 2 / fan_in).
Parameter random_weight(const char* name, Shape shape) {
  Parameter w(name, Array(f32, shape));
  const double fan_in = static_cast<double>(shape.rank() == 2 ? shape[0] : shape.numel() / shape[0]);
  init::normal(w, 0, std::sqrt(2 / fan_in));
  return w;
}

Parameter zero_bias(const char* name, int64_t count) { return {name, Array(f32, {count})}; }

nn::AnyModule barebones(const std::string& net, int64_t hidden) {
  if (net == "fc") {
    Parameter w1 = random_weight("w1", {pixels, hidden}), w2 = random_weight("w2", {hidden, classes});
    return nn::AnyModule([=](Tensor x) { return matmul(relu(matmul(flatten(x), w1)), w2); });
  }
  Parameter w1 = random_weight("conv_w1", {32, 3, 5, 5}), b1 = zero_bias("conv_b1", 32);
  Parameter w2 = random_weight("conv_w2", {16, 32, 3, 3}), b2 = zero_bias("conv_b2", 16);
  Parameter w3 = random_weight("fc_w", {16 * 32 * 32, classes}), b3 = zero_bias("fc_b", classes);
  return nn::AnyModule([=](Tensor x) {
    Tensor h1 = relu(conv2d(x, w1, b1, {.padding = 2}));
    Tensor h2 = relu(conv2d(h1, w2, b2, {.padding = 1}));
    return matmul(flatten(h2), w3) + b3;
  });
}

// --- Modules ------------------------------------------------------------------------------------------------------------

template <class Layer>
Layer kaiming(Layer layer) {
  init::kaiming_normal(layer.weight);
  init::constant(layer.bias, 0);
  return layer;
}

struct TwoLayers : nn::Module {
  explicit TwoLayers(int64_t hidden)
      : fc1(add("fc1", kaiming(nn::Linear(pixels, hidden)))), fc2(add("fc2", kaiming(nn::Linear(hidden, classes)))) {}
  Tensor forward(Tensor x) override { return fc2(relu(fc1(flatten(x)))); }
  nn::Linear fc1, fc2;
};

struct ThreeLayers : nn::Module {
  nn::Conv2d conv1 = add("conv1", kaiming(nn::Conv2d(3, 32, 5, {.padding = 2})));
  nn::Conv2d conv2 = add("conv2", kaiming(nn::Conv2d(32, 16, 3, {.padding = 1})));
  nn::Linear fc = add("fc", kaiming(nn::Linear(16 * 32 * 32, classes)));
  Tensor forward(Tensor x) override { return fc(flatten(relu(conv2(relu(conv1(x)))))); }
};

nn::AnyModule modules(const std::string& net, int64_t hidden) {
  return net == "fc" ? nn::AnyModule(TwoLayers(hidden)) : nn::AnyModule(ThreeLayers());
}

// --- Sequential -----------------------------------------------------------------------------------------------------------

nn::AnyModule sequential(const std::string& net, int64_t hidden) {
  using namespace nn;
  if (net == "fc") return AnyModule(Sequential(Flatten(), Linear(pixels, hidden), ReLU(), Linear(hidden, classes)));
  if (net == "conv")
    return AnyModule(Sequential(Conv2d(3, 32, 5, {.padding = 2}), ReLU(), Conv2d(32, 16, 3, {.padding = 1}), ReLU(), Flatten(),
                                Linear(16 * 32 * 32, classes)));
  return AnyModule(Sequential(Conv2d(3, 32, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, {.padding = 1}), ReLU(),
                              MaxPool2d(2), Dropout2d(0.2), Flatten(), Linear(4096, 512), ReLU(), Dropout(0.5), Linear(512, classes)));
}

// --- Training -------------------------------------------------------------------------------------------------------------

struct Data {
  Dataset train, validation, test;
};

Data load(const Options& o) {
  Data d;
  if (o.data.empty()) {
    const int64_t count = drawn(8000, o);
    fmt::print("No --data given: training on {} digits drawn by the program.\n", count);
    d = {generate_colour_digits(count, o.seed + 1), generate_colour_digits(1000, o.seed + 2'000'000),
         generate_colour_digits(2000, o.seed + 1'000'000)};
  } else {
    const Dataset all = load_cifar10_directory(o.data, true);
    const int64_t validation = std::min<int64_t>(1000, all.size() / 5), training = all.size() - validation;
    d = {slice(all, 0, training), slice(all, training, validation), load_cifar10_directory(o.data, false)};
  }
  for (Dataset* set : {&d.train, &d.validation, &d.test})
    set->transforms = {transforms::normalize({0.4914f, 0.4822f, 0.4465f}, {0.2023f, 0.1994f, 0.2010f})};
  return d;
}

void run(Options o, const std::string& net, const std::string& style, int64_t hidden, double momentum) {
  const Data data = load(o);
  manual_seed(o.seed);
  const auto model = style == "barebones" ? barebones(net, hidden) : style == "module" ? modules(net, hidden) : sequential(net, hidden);
  optim::Optimizer optimizer = o.optimizer == "adam" ? optim::Optimizer(optim::Adam({.lr = o.lr}))
                                                     : optim::SGD({.lr = o.lr, .momentum = momentum, .nesterov = momentum > 0});
  optimizer.clip_norm = o.clip_norm;
  Trainer trainer(model, cross_entropy, optimizer);
  if (o.find_lr) find_lr(trainer, data.train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(data.train, data.validation, o.fit());
  const Evaluation test = trainer.evaluate(data.test, o.evaluation());
  report(history, o);
  fmt::print("validation accuracy {:.2f} %, test accuracy {:.2f} %\n", 100 * history.kept().test_accuracy(), 100 * test.accuracy());
  if (!o.plots.empty()) draw(history, data.train, o.plots);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a convolutional net on pictures of ten classes.");
  Options o{.epochs = 1, .batch = 64};
  o.shuffle = true;
  o.eval_every = 100;
  std::string net = "conv", style = "sequential";
  int64_t hidden = 4000;
  double momentum = 0;
  add_training_options(app, o);
  require_one_of(app.add_option("--net", net, "fc, conv or challenge (sequential only)")->capture_default_str(),
                 {"fc", "conv", "challenge"});
  require_one_of(app.add_option("--style", style, "barebones, module or sequential")->capture_default_str(),
                 {"barebones", "module", "sequential"});
  require_integer(app.add_option("--hidden", hidden, "units of the net fc's hidden layer")->capture_default_str(), 1);
  require_number(app.add_option("--momentum", momentum, "of SGD, Nesterov's; 0.9 with --style sequential unless given"), 0);
  app.get_option("--lr")->description("learning rate; 0.01, or 0.003 for conv in the other two styles, unless given")->default_str("");
  app.get_option("--epochs")->description("passes over the training data; 10 for challenge, else 1")->default_str("");
  return run_example(app, argc, argv, [&] {
    if (net == "challenge" && style != "sequential") throw Error("the net challenge is written as --style sequential only");
    if (net != "fc") refuse_beside(app, "--net " + net, {"--hidden"});
    if (o.optimizer != "sgd") refuse_beside(app, "--optimizer " + o.optimizer, {"--momentum"});
    if (app.count("--lr") == 0) o.lr = net == "conv" && style != "sequential" ? 3e-3 : 1e-2;
    if (app.count("--momentum") == 0) momentum = style == "sequential" ? 0.9 : 0;
    if (app.count("--epochs") == 0) o.epochs = net == "challenge" ? 10 : 1;
    run(o, net, style, hidden, momentum);
  });
}
