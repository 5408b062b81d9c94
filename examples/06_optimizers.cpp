// Lesson 6: every optimizer on the same net, from the same weights; and a table of which a batch needs few rows.
//
//   06_optimizers                    on digits that the program draws itself
//   06_optimizers --data DIR         on MNIST or Fashion-MNIST: a directory of IDX files, .gz or not
//   06_optimizers --plots DIR        with the curves of all losses
//
// What you see here: the optimizers of torch.optim, LARS and Lion, a driver on the host (LBFGS) beside those that are part of the compiled
// step, and row-sparse gradients.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "bags.h"
#include "options.h"
#include "training.h"
#include "weft/runtime/data/batcher.h"

using namespace weft;

namespace {

using Optimizers = std::vector<std::pair<std::string, optim::Optimizer>>;

/// Each with a learning rate that suits the net below, times `s`.
Optimizers dense_optimizers(double s) {
  using namespace optim;
  return {{"SGD", SGD({.lr = 0.1 * s, .momentum = 0.9})},
          {"ASGD", ASGD({.lr = 0.5 * s})},
          {"Adadelta", Adadelta({.lr = 3 * s})},
          {"Adafactor", Adafactor({.lr = 0.05 * s})},
          {"Adagrad", Adagrad({.lr = 0.05 * s})},
          {"Adam", Adam({.lr = 0.01 * s})},
          {"AdamW", AdamW({.lr = 0.01 * s})},
          {"Adamax", Adamax({.lr = 0.02 * s})},
          {"LARS", LARS({.lr = 10 * s})},
          {"Lion", Lion({.lr = 3e-3 * s})},
          {"Muon", Muon({.lr = 0.05 * s})},
          {"NAdam", NAdam({.lr = 0.01 * s})},
          {"RAdam", RAdam({.lr = 0.05 * s})},
          {"RMSprop", RMSprop({.lr = 3e-3 * s})},
          {"Rprop", Rprop({.lr = 2e-3 * s, .step_sizes = {1e-6, 0.01}})}};  // which is made for all data at once
}

Optimizers table_optimizers(double s) {
  return {{"Adam (table)", optim::Adam({.lr = 0.05 * s})}, {"SparseAdam (table)", optim::SparseAdam({.lr = 0.05 * s})}};
}

/// Muon updates matrices, the others are left to AdamW at its own rate.
void leave_vectors(optim::Optimizer optimizer, const nn::Module& net) {
  if (optimizer.op() != "muon") return;
  std::vector<Parameter> vectors;
  for (const Parameter& p : net.parameters())
    if (p.shape().rank() != 2) vectors.push_back(p);
  optimizer.add_group("vectors", vectors, optim::AdamW({.lr = 0.01}));
}

nn::Sequential small_net() { return nn::Sequential(nn::Flatten(), nn::Linear(28 * 28, 32), nn::ReLU(), nn::Linear(32, 10)); }

/// Every token votes for the topics with its row of a table. A batch reads few of the rows, and SparseAdam updates no others.
struct Votes : nn::Module {
  Votes() { init::constant(table.weight, 0); }
  Tensor forward(Tensor tokens) override { return sum(table(tokens), 1); }
  nn::Embedding table = add("table", nn::Embedding(bags::vocabulary, bags::topics, {.sparse = true}));
};

/// `result` is that of the weights that are left.
void print_line(const std::string& name, double lr, const History& history, const EpochResult& result, bool json) {
  if (!json)
    return fmt::print("{:18} {:>8.3g} {:>6} {:>10.4f} {:>10.4f} {:>8.2f}% {:>9.0f}\n", name, lr, history.steps, result.train_loss,
                      result.test_loss, 100 * result.test_accuracy(), history.last().step_us);
  nlohmann::ordered_json line{{"optimizer", name}, {"lr", lr}, {"steps", history.steps}, {"losses", nlohmann::json::array()}};
  for (const EpochResult& at : history.epochs) line["losses"].push_back(at.train_loss);
  line.update({{"test_loss", result.test_loss}, {"test_accuracy", result.test_accuracy()}, {"step_us", history.last().step_us}});
  fmt::print("{}\n", line.dump());
}

/// From the same weights, on the same batches. A history's first point is from before the first step.
template <class Model>
Runs train(const Optimizers& optimizers, Model new_model, const Dataset& data, const Dataset& test, const Options& o, bool json) {
  FitOptions how = o.fit();
  how.measure.training_set = true;
  how.measure.gradient_norms = false;
  std::vector<std::pair<std::string, Trainer>> all;
  std::vector<Hyper> rates;
  for (const auto& [name, optimizer] : optimizers) {
    if (!o.optimizer.empty() && name != o.optimizer) continue;
    manual_seed(o.seed);
    Hyper(optimizer.clip_norm) = o.clip_norm;
    const auto model = new_model();
    leave_vectors(optimizer, model);
    all.emplace_back(name, Trainer(model, cross_entropy, optimizer));
    rates.push_back(optimizer.learning_rate());
    if (o.find_lr) find_lr(all.back().second, data, optimizer, o, name);
  }
  if (all.empty()) return {};
  const double start = all.front().second.evaluate(data, o.evaluation()).loss;
  Runs runs = fit_side_by_side(all, data, test, how);
  for (size_t i = 0; i < runs.size(); ++i) {
    auto& [name, history] = runs[i];
    const EpochResult kept = history.kept();
    history.epochs.insert(history.epochs.begin(), EpochResult{.epoch = 0, .train_loss = start});
    print_line(name, rates[i], history, kept, json);
    if (o.profile) fmt::print("\n{}\n", history.profile.table());
  }
  return runs;
}

/// A step is an iteration on all data, one evaluation of loss and gradient or some; an epoch has as many as of the others.
History train_lbfgs(const Dataset& data, const Dataset& test, const Options& o) {
  manual_seed(o.seed);
  nn::Sequential net = small_net();
  Graph graph("lbfgs");
  Tensor x = graph.input("x", f32, data.input_shape(data.size())), y = graph.input("y", i64, data.target_shape(data.size()));
  const int64_t each = (data.size() + o.batch - 1) / o.batch, most = o.max_steps > 0 ? o.max_steps : each * o.epochs;
  const LbfgsOptions how{.lr = o.lr, .max_iter = std::min(each, most), .line_search_fn = "strong_wolfe"};
  LBFGS lbfgs(graph, cross_entropy(net(x), y), net.parameters(), how, o.target());
  Batcher batches(data, {.batch = data.size()});
  batches.start_epoch(0);
  const Batch& all = *batches.next();
  Trainer trainer(net, cross_entropy, optim::SGD());  // to evaluate
  History history;
  const auto start = std::chrono::steady_clock::now();
  for (int64_t epoch = 0; epoch < o.epochs && lbfgs.iterations() < most; ++epoch) {
    const double loss = lbfgs.step({{"x", all.inputs}, {"y", all.targets}});
    history.epochs.push_back({.epoch = epoch, .train_loss = loss});
  }
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  history.steps = lbfgs.iterations();
  const Evaluation tested = trainer.evaluate(test, o.evaluation());
  history.epochs.push_back({.epoch = std::ssize(history.epochs),
                            .train_loss = trainer.evaluate(data, o.evaluation()).loss,
                            .test_loss = tested.loss,
                            .test_metrics = tested.metrics,
                            .step_us = time.count() / static_cast<double>(std::max<int64_t>(1, history.steps))});
  return history;
}

void draw(const Runs& runs, const std::string& title, double least, const std::string& path) {
  if (runs.empty()) return;
  Plot plot = epoch_plot(runs, title, &EpochResult::train_loss);
  plot.log_y = true;
  plot.y_limits = {least, 3};  // some go further down
  plot.save(path);
}

/// Whatever is given must be heeded by what --optimizer leaves, and the lines of JSON stay alone.
void check_heeded(const CLI::App& app, const Options& o, bool json) {
  const std::string alone = fmt::format("--optimizer '{}'", o.optimizer);
  if (o.optimizer == "LBFGS")
    refuse_beside(app, alone,
                  {"--shuffle", "--check-finite", "--watch", "--watched", "--eval-every", "--patience", "--find-lr", "--curve",
                   "--tensorboard", "--profile", "--trace", "--report", "--save", "--resume", "--accumulate", "--clip-norm", "--metrics"});
  for (const auto& [name, optimizer] : table_optimizers(1))
    if (o.optimizer == name) refuse_beside(app, alone, {"--data", "--overfit"});
  if (json && o.log == "classic") throw Error("--log classic prints where --json does, on standard output");
}

void run(Options o, bool json) {
  const Images images = load_images(o, json ? stderr : stdout);
  const Dataset data = o.overfit > 0 ? slice(images.train, 0, o.overfit) : images.train;
  o.overfit = 0;  // the bags are all trained on
  if (!json)
    fmt::print("{:18} {:>8} {:>6} {:>10} {:>10} {:>9} {:>9}\n", "optimizer", "lr", "steps", "loss", "test loss", "test acc", "us a step");
  Runs nets = train(dense_optimizers(o.lr), small_net, data, images.test, o, json);
  if (o.optimizer.empty() || o.optimizer == "LBFGS") {
    nets.emplace_back("LBFGS", train_lbfgs(data, images.test, o));
    print_line("LBFGS", o.lr, nets.back().second, nets.back().second.last(), json);
  }
  const Dataset known = bags::generate(4000, o.seed + 1), unknown = bags::generate(1000, o.seed + 1'000'000);
  const Runs tables = train(table_optimizers(o.lr), [] { return Votes(); }, known, unknown, o, json);
  if (o.plots.empty()) return;
  draw(nets, "training loss of the net", 0.05, in_directory(o.plots, "nets.svg"));
  draw(tables, "training loss of the table", 1e-4, in_directory(o.plots, "tables.svg"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains a small net with every optimizer, and a table of 200000 rows with Adam and with SparseAdam. LBFGS, which is no part of a "
      "compiled step, knows of what is about training --lr, --epochs, --batch (for the steps in an epoch), --max-steps and --overfit "
      "alone.");
  Options o{.epochs = 5, .batch = 100, .lr = 1};
  o.optimizer = "";
  o.shuffle = true;
  o.overfit = 2000;
  o.log = "none";
  bool json = false;
  add_side_by_side_options(app, o);
  app.remove_option(app.get_option("--optimizer"));
  std::vector<std::string> names{"LBFGS"};
  for (const Optimizers& all : {dense_optimizers(1), table_optimizers(1)})
    for (const auto& [name, optimizer] : all) names.push_back(name);
  require_one_of(app.add_option("--optimizer", o.optimizer, "train with this one alone, as the table calls it"), names);
  app.get_option("--lr")->description("times the learning rate that each has");
  app.get_option("--overfit")->description("train the net on the first so many images only; 0: on all");
  app.add_flag("--json", json, "the table, and the training loss after each epoch, as a JSON object a line")
      ->excludes(app.get_option("--find-lr"))
      ->excludes(app.get_option("--profile"));
  return run_example(app, argc, argv, [&] {
    check_heeded(app, o, json);
    run(o, json);
  });
}
