// Lesson 3: what batch normalization and dropout do for a small net, seen side by side.
//
//   03_mnist_bn_dropout --data DIR          on MNIST: a directory of IDX files, .gz or not
//   03_mnist_bn_dropout                     on digits that the program draws itself
//   03_mnist_bn_dropout --shared-weights    the last two nets share their linear layers, which two optimizers then train
//
// What you see here: layers that act otherwise in training than in evaluation, modules put together at run time, and a
// training loop of your own around compiled steps.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>

#include "options.h"
#include "training.h"
#include "weft/runtime/data/batcher.h"
#include "weft/runtime/metrics.h"
#include "weft/runtime/progress.h"

using namespace weft;

namespace {

constexpr int64_t width = 32, evaluated = 1000;  // units of a hidden layer; images in a batch of evaluation

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

/// A net, its optimizer and its programs.
struct Contender {
  /// Of the net in its present mode, for batches of `size`; in training mode a training step.
  Step program(int64_t size) {
    Graph graph(fmt::format("{}_{}_{}", name, net.training() ? "train" : "eval", size));
    Tensor x = graph.input("x", f32, {size, 1, 28, 28}), y = graph.input("y", i64, {size});
    Tensor logits = net(x), loss = graph.output("loss", cross_entropy(logits, y));
    graph.output("correct", sum(argmax(logits, 1) == y));
    return compile(net.training() ? training_step(graph, loss, net.parameters(), optimizer) : Recorded(graph), options.target(),
                   {.dump_ir = options.dump_ir, .seed = options.seed});
  }

  void learn(const Batch& batch) {
    const auto start = std::chrono::steady_clock::now();
    call(training, batch);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }

  Evaluation evaluate(Batcher& batches) {
    net.eval();  // batch normalization takes its running statistics, dropout keeps everything
    double loss = 0, correct = 0, images = 0;
    batches.start_epoch(0);
    while (const Batch* batch = batches.next()) {
      if (!evaluation.contains(batch->size)) evaluation.emplace(batch->size, program(batch->size));
      const Results r = call(evaluation.at(batch->size), *batch);
      const auto size = static_cast<double>(batch->size);
      loss += r["loss"].item() * size, correct += static_cast<double>(r["correct"].item<int64_t>()), images += size;
    }
    net.train();
    return {.loss = loss / images, .accuracy = correct / images};
  }

  static Results call(Step& step, const Batch& b) {
    return step({{"x", {b.inputs.data(), b.inputs.size() / sizeof(float), f32}}, {"y", {b.targets.data(), b.targets.size() / sizeof(int64_t), i64}}});
  }

  std::string name;
  Net net;
  const Options& options;
  optim::Optimizer optimizer = optimizer_for(options);
  Step training = program(options.batch);
  std::map<int64_t, Step> evaluation = {};  // by size of a batch
  History history = {};
  std::vector<double> times = {};
};

void train(std::vector<Contender>& all, const Dataset& images, const Dataset& test, const Options& o) {
  Batcher batches(images, {.batch = o.batch, .shuffle = o.shuffle, .drop_last = true, .seed = o.seed, .workers = o.workers});
  Batcher seen(images, {.batch = evaluated}), unseen(test, {.batch = evaluated});
  if (batches.batches() == 0) throw Error("{} images leave no batch of {}", images.size(), o.batch);
  Progress progress(stderr, o.log == "bar");
  std::optional<MetricsFile> metrics;
  if (!o.metrics.empty()) metrics.emplace(o.metrics);
  int64_t steps = 0;
  for (int64_t epoch = 1; epoch <= o.epochs && (o.max_steps == 0 || steps < o.max_steps); ++epoch) {
    batches.start_epoch(epoch - 1);
    progress.begin_epoch(epoch, o.epochs, batches.batches());
    for (const Batch* batch; (o.max_steps == 0 || steps < o.max_steps) && (batch = batches.next()); ++steps) {
      for (Contender& c : all) c.learn(*batch);
      progress.update(batch->index + 1, (batch->index + 1) * o.batch, NAN);
    }
    std::string accuracies;
    for (Contender& c : all) {
      const Evaluation on_train = c.evaluate(seen), on_test = c.evaluate(unseen);
      c.history.epochs.push_back({epoch, on_train.loss, on_train.accuracy, on_test.loss, on_test.accuracy, median(c.times)});
      const std::string line = fmt::format("Epoch: {:02} | {:10} | Train Loss: {:.4f} | Train Acc: {:6.2f}% | Test Loss: {:.4f} | Test Acc: {:6.2f}%\n", epoch,
                                           c.name, on_train.loss, 100 * on_train.accuracy, on_test.loss, 100 * on_test.accuracy);
      if (o.log == "classic" || o.log == "plain") fmt::print(o.log == "classic" ? stdout : stderr, "{}", line);
      accuracies += fmt::format("{}{} {:.2f}%", accuracies.empty() ? "test acc: " : ", ", c.name, 100 * on_test.accuracy);
      if (metrics)
        metrics->write({{"epoch", epoch}, {"net", c.name}, {"train_loss", on_train.loss}, {"train_accuracy", on_train.accuracy},
                        {"test_loss", on_test.loss}, {"test_accuracy", on_test.accuracy}, {"step_us", median(c.times)}});
    }
    progress.end_epoch(accuracies);
  }
}

void draw(const std::vector<Contender>& all, const std::string& title, double EpochResult::*what, const std::string& path) {
  Plot plot{.title = title, .x_label = "epoch", .y_label = title};
  for (const Contender& c : all) {
    std::vector<double> x, y;
    for (const EpochResult& at : c.history.epochs) x.push_back(static_cast<double>(at.epoch)), y.push_back(at.*what);
    plot.line(c.name, x, y);
  }
  plot.save(path);
}

void run(const Options& o, int64_t depth, bool shared_weights) {
  const auto [images, test] = load_images(o);
  manual_seed(o.seed);
  std::vector<Contender> all;
  std::vector<nn::Linear> linear;
  for (const std::string kind : {"plain", "batch norm", "dropout"}) {
    if (!shared_weights || kind != "dropout") linear = linear_layers(depth);
    all.push_back({kind, Net(kind, linear), o});
  }
  std::fflush(stdout);  // before the progress, which goes to standard error
  train(all, o.overfit > 0 ? slice(images, 0, o.overfit) : images, test, o);
  for (Contender& c : all) {
    double mean = 0;
    const auto last = std::span(c.history.epochs).last(std::min<size_t>(3, c.history.epochs.size()));
    for (const EpochResult& at : last) mean += at.test_accuracy / static_cast<double>(last.size());
    fmt::print("{:10}  mean test accuracy of the last {} epochs {:.2f} %, {:.0f} us a step (median)\n", c.name, last.size(), 100 * mean, median(c.times));
    if (!o.save.empty()) Checkpoint(c.net).save(in_directory(o.save, c.name + ".safetensors"));
  }
  if (o.plots.empty()) return;
  draw(all, "training loss", &EpochResult::train_loss, in_directory(o.plots, "train_loss.svg"));
  draw(all, "test loss", &EpochResult::test_loss, in_directory(o.plots, "test_loss.svg"));
  draw(all, "training accuracy", &EpochResult::train_accuracy, in_directory(o.plots, "train_accuracy.svg"));
  draw(all, "test accuracy", &EpochResult::test_accuracy, in_directory(o.plots, "test_accuracy.svg"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains three small nets on the same batches: plain, with batch normalization, and with dropout.");
  Options o{.epochs = 10, .batch = 32, .lr = 1e-2};
  o.optimizer = "adam";
  o.shuffle = true;
  int64_t depth = 2;
  bool shared_weights = false;
  add_training_options(app, o);
  for (const char* name : {"--eval-every", "--patience", "--find-lr", "--curve", "--tensorboard", "--profile", "--resume", "--accumulate"})
    app.remove_option(app.get_option(name));
  app.get_option("--save")->description("write the weights of each net into this directory, as safetensors");
  app.get_option("--log")->description("bar, plain, classic (as PyTorch's tutorials print) or none");
  require_integer(app.add_option("--depth", depth, "hidden layers")->capture_default_str(), 1);
  app.add_flag("--shared-weights", shared_weights, "the nets with batch normalization and dropout have the same linear layers");
  return run_example(app, argc, argv, [&] { run(o, depth, shared_weights); });
}
