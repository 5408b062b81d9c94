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

/// A model and its two programs. Another choice of readings or another start is other numbers, not another program.
struct Experiment {
  Experiment(std::string name, Model m, const optim::Optimizer& optimizer, const Dataset& data, const Options& o)
      : name(std::move(name)), model(std::move(m)), training(compiled("train", data.size() - 2, &optimizer, o)),
        validation(compiled("validate", 2, nullptr, o)), start(model.parameters, optimizer) {}

  Step compiled(const std::string& what, int64_t readings, const optim::Optimizer* optimizer, const Options& o) const {
    Graph graph(name + "_" + what);
    Tensor t_u = graph.input("t_u", f32, {readings, 1}), t_c = graph.input("t_c", f32, {readings, 1});
    Tensor loss = graph.output("loss", mse_loss(model.predict(t_u / 10), t_c));
    return compile(optimizer ? training_step(graph, loss, model.parameters, *optimizer) : Recorded(graph), o.target(),
                   {.dump_ir = o.dump_ir});
  }

  static double loss(Step& step, const Dataset& data) { return step({{"t_u", data.inputs}, {"t_c", data.targets}})["loss"].item(); }

  /// Trains from the start; an epoch is one step on all readings. Reports the epoch and both losses before its update. If
  /// `stopping` is given and says so, ends early. Returns validation loss over training loss, less 1, of the last epoch.
  double train(const Split& parts, int64_t epochs, const std::function<void(int64_t, double, double)>& report = {},
               EarlyStopping* stopping = nullptr) {
    start.restore();
    double excess = 0;
    for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
      const double val_loss = loss(validation, parts.validation);
      if (stopping && stopping->step(val_loss)) break;
      const double train_loss = loss(training, parts.train);
      if (report) report(epoch, train_loss, val_loss);
      excess = val_loss / train_loss - 1;
    }
    return excess;
  }

  std::string name;
  Model model;
  Step training, validation;
  Snapshot start;
};

/// A line of results, for programs or for people.
void show(const Json& line, bool json) {
  if (json) return fmt::print("{}\n", line.dump());
  for (const auto& [key, value] : line.items())
    fmt::print("{} {}  ", key, value.is_number_float() ? fmt::format("{:.4f}", value.get<double>()) : value.dump());
  fmt::print("\n");
}

/// Trains on `parts`, then again until the validation loss has not become smaller for 20 epochs, then on every choice of two
/// readings to keep back.
void study(Experiment e, const Dataset& data, const Split& parts, int64_t epochs, const Options& o, bool json) {
  std::optional<MetricsFile> metrics;
  if (!o.metrics.empty()) metrics.emplace(o.metrics);
  e.train(parts, epochs, [&](int64_t epoch, double train_loss, double val_loss) {
    if (metrics) metrics->write({{"run", e.name}, {"epoch", epoch}, {"train_loss", train_loss}, {"val_loss", val_loss}});
    if (epoch > 3 && epoch % 500 != 0 && epoch != epochs) return;
    show({{"case", e.name}, {"epoch", epoch}, {"train_loss", train_loss}, {"val_loss", val_loss}, {"params", e.model.values()}}, json);
  });

  EarlyStopping stopping(e.model.parameters, 20);
  e.train(parts, epochs, {}, &stopping);
  stopping.restore();
  show({{"case", e.name}, {"early_stopping_epoch", stopping.best_step()}, {"val_loss", Experiment::loss(e.validation, parts.validation)},
        {"params", e.model.values()}}, json);

  double sum = 0;
  int64_t splits = 0;
  for (int64_t i = 0; i < data.size(); ++i)
    for (int64_t j = i + 1; j < data.size(); ++j, ++splits) sum += e.train(split(data, {i, j}), epochs);
  show({{"case", e.name}, {"splits", splits}, {"mean_excess", sum / static_cast<double>(splits)}}, json);
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
  app.add_option("--validation", chosen, "two readings to keep back, counted from 0; otherwise two at random")->delimiter(',')->expected(2);
  app.add_flag("--json", json, "a fixed set of runs, one JSON object a line");
  return run_example(app, argc, argv, [&] {
    const Readings r = read_temperatures(o.data);
    const auto n = static_cast<int64_t>(r.t_u.size());
    Dataset data = Dataset::from(Array::of({n, 1}, r.t_u), Array::of({n, 1}, r.t_c));
    data.name = "temperatures";
    if (o.max_steps > 0) o.epochs = std::min(o.epochs, o.max_steps);
    if (json) {
      study({"sgd_val_1_10", line(1, 0), optim::SGD({.lr = 1e-2}), data, o}, data, split(data, {1, 10}), 5000, o, true);
      study({"line_adam_val_3_4", line(1, 0), optim::Adam({.lr = 0.1}), data, o}, data, split(data, {3, 4}), 1000, o, true);
      study({"parabola_adam_val_3_4", parabola(1, 0, 0), optim::Adam({.lr = 0.1}), data, o}, data, split(data, {3, 4}), 1000, o, true);
      return;
    }
    const std::vector<Dataset> random = random_split(data, {n - 2, 2}, o.seed);
    const Split parts = chosen.empty() ? Split{random[0], random[1]} : split(data, chosen);
    fmt::print("Kept back: t_u = {}\n", fmt::join(parts.validation.inputs.values<float>(), ", "));
    study({"line", line(1, 0), optim::Adam({.lr = o.lr}), data, o}, data, parts, o.epochs, o, false);
    study({"parabola", parabola(1, 0, 0), optim::Adam({.lr = o.lr}), data, o}, data, parts, o.epochs, o, false);
  });
}
