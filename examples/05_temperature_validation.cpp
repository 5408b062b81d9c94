// Lesson 5: keep readings back from training, and see what the line and the parabola have really learnt.
//
//   05_temperature_validation                      two readings kept back at random (--seed)
//   05_temperature_validation --validation 3,4     those that you choose, counted from 0
//   05_temperature_validation --json               a fixed set of runs, one JSON object a line
//
// What you see here: training and validation data, early stopping, and programs that are compiled once for many runs.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "options.h"
#include "temperature.h"
#include "weft/runtime/metrics.h"

using namespace weft;
using Json = nlohmann::ordered_json;

namespace {

/// A model of 0.1 t_u and its two programs. Another choice of readings or another start is other numbers, not another program.
struct Experiment {
  Experiment(std::string name, const Model& m, const optim::Optimizer& optimizer, const Dataset& data, const Options& o)
      : name(std::move(name)), model{m.parameters, [m](Tensor t_u) { return m.predict(t_u / 10); }},
        training(compiled("train", data.size() - 2, &optimizer, o)), validation(compiled("validate", 2, nullptr, o)),
        start(model.parameters, optimizer) {}

  Step compiled(const std::string& what, int64_t readings, const optim::Optimizer* optimizer, const Options& o) const {
    Graph graph(name + "_" + what);
    Tensor t_u = graph.input("t_u", f32, {readings, 1}), t_c = graph.input("t_c", f32, {readings, 1});
    Tensor loss = graph.output("loss", mse_loss(model.predict(t_u), t_c));
    return compile(optimizer ? training_step(graph, loss, model.parameters, *optimizer) : Recorded(graph), o.target(),
                   {.dump_ir = o.dump_ir, .check_finite = o.check_finite});
  }

  static double loss(Step& step, const Dataset& data) { return step({{"t_u", data.inputs}, {"t_c", data.targets}})["loss"].item(); }

  /// Trains from the start; an epoch is one step on all readings. Both losses are from before its update. If `stopping` is
  /// given and says so, ends early.
  History train(const Split& data, int64_t epochs, EarlyStopping* stopping = nullptr) {
    start.restore();
    History history;
    for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
      const double val_loss = loss(validation, data.validation);
      if (stopping && stopping->step(val_loss)) break;
      history.epochs.push_back({.epoch = epoch, .train_loss = loss(training, data.train), .test_loss = val_loss});
    }
    return history;
  }

  std::string name;
  Model model;
  Step training, validation;
  Snapshot start;
};

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return fmt::format("{:.4f}", fmt::join(value.get<std::vector<double>>(), " "));
  return value.is_number_float() ? fmt::format("{:.4f}", value.get<double>()) : value.dump();
}

/// A line of results, for programs or for people.
void show(const Json& line, bool json) {
  if (json) return fmt::print("{}\n", line.dump());
  for (const auto& [key, value] : line.items()) fmt::print("{} {}  ", key, text_of(value));
  fmt::print("\n");
}

/// Trains on `parts`; then until the validation loss has not become smaller for 20 epochs; then on every choice of two
/// readings to keep back. Returns what the first training gave, and leaves the model as it was then.
History study(Experiment& e, const Dataset& data, const Split& parts, int64_t epochs, bool json) {
  EarlyStopping stopping(e.model.parameters, 20);
  e.train(parts, epochs, &stopping);
  stopping.restore();
  const double stopped_loss = Experiment::loss(e.validation, parts.validation);
  double sum = 0;
  int64_t splits = 0;
  for (int64_t i = 0; i < data.size(); ++i)
    for (int64_t j = i + 1; j < data.size(); ++j, ++splits) {
      const EpochResult last = e.train(split(data, {i, j}), epochs).last();
      sum += last.test_loss / last.train_loss - 1;
    }

  const History history = e.train(parts, epochs);
  for (const EpochResult& at : history.epochs)
    if (at.epoch <= 3 || at.epoch % 500 == 0 || at.epoch == epochs)
      show({{"case", e.name}, {"epoch", at.epoch}, {"train_loss", at.train_loss}, {"val_loss", at.test_loss}}, json);
  show({{"case", e.name}, {"final_params", e.model.values()}}, json);
  show({{"case", e.name}, {"early_stopping_epoch", stopping.best_step()}, {"val_loss", stopped_loss}}, json);
  show({{"case", e.name}, {"splits", splits}, {"mean_excess", sum / static_cast<double>(splits)}}, json);
  return history;
}

void json_case(Experiment e, const Dataset& data, std::vector<int64_t> validation, int64_t epochs) {
  study(e, data, split(data, validation), epochs, true);
}

void lesson(const Dataset& data, const Split& parts, const Options& o) {
  fmt::print("Kept back: t_u = {}\n", fmt::join(parts.validation.inputs.values<float>(), ", "));
  Experiment experiments[] = {{"line", line(1, 0), optim::Adam({.lr = o.lr}), data, o},
                              {"parabola", parabola(1, 0, 0), optim::Adam({.lr = o.lr}), data, o}};
  Runs runs;
  for (Experiment& e : experiments) runs.emplace_back(e.name, study(e, data, parts, o.epochs, false));
  if (!o.metrics.empty()) {
    MetricsFile file(o.metrics);
    for (const auto& [name, history] : runs)
      for (const EpochResult& at : history.epochs)
        file.write({{"run", name}, {"epoch", at.epoch}, {"train_loss", at.train_loss}, {"val_loss", at.test_loss}});
  }
  if (o.plots.empty()) return;
  Plot losses = loss_plot(runs, "validation"), fits{.title = "An unknown thermometer", .x_label = "t_u", .y_label = "t_c"};
  losses.log_y = true;
  losses.save(in_directory(o.plots, "losses.svg"));
  fits.points("training", numbers(parts.train.inputs), numbers(parts.train.targets));
  fits.points("validation", numbers(parts.validation.inputs), numbers(parts.validation.targets));
  std::vector<float> axis;
  for (float t_u = 20; t_u < 90; t_u += 1) axis.push_back(t_u);
  for (const Experiment& e : experiments) fits.line(e.name, {axis.begin(), axis.end()}, predictions(e.model, axis, o.target()));
  fits.save(in_directory(o.plots, "fits.svg"));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits a line and a parabola to readings of an unknown thermometer, and validates them on readings kept back.");
  Options o{.epochs = 1000, .lr = 0.1};
  bool json = false;
  std::vector<int64_t> chosen;
  add_options(app, o);
  app.remove_option(app.get_option("--batch"));  // a step takes all readings
  app.get_option("--seed")->description("of the choice of two readings to keep back");
  app.add_option("--validation", chosen, "two readings to keep back, counted from 0; otherwise two at random")
      ->delimiter(',')
      ->expected(2)
      ->excludes(app.get_option("--seed"));
  app.add_option("--plots", o.plots, "draw the losses and the fitted curves into this directory (with gnuplot)");
  CLI::Option* fixed = app.add_flag("--json", json, "a fixed set of runs, one JSON object a line");
  for (const char* name : {"--epochs", "--lr", "--seed", "--max-steps", "--metrics", "--plots", "--validation"})
    fixed->excludes(app.get_option(name));
  return run_example(app, argc, argv, [&] {
    const Dataset data = read_temperature_set(o.data);
    if (data.size() < 3) throw Error("{} readings are too few: two are kept back", data.size());
    if (o.max_steps > 0) o.epochs = std::min(o.epochs, o.max_steps);
    if (json) {
      if (data.size() < 11) throw Error("--json keeps readings back up to number 10, counted from 0, but '{}' has {}", o.data, data.size());
      json_case({"sgd_val_1_10", line(1, 0), optim::SGD({.lr = 1e-2}), data, o}, data, {1, 10}, 5000);
      json_case({"line_adam_val_3_4", line(1, 0), optim::Adam({.lr = 0.1}), data, o}, data, {3, 4}, 1000);
      json_case({"parabola_adam_val_3_4", parabola(1, 0, 0), optim::Adam({.lr = 0.1}), data, o}, data, {3, 4}, 1000);
      return;
    }
    const std::vector<Dataset> random = random_split(data, {data.size() - 2, 2}, o.seed);
    lesson(data, chosen.empty() ? Split{random[0], random[1]} : split(data, chosen), o);
  });
}
