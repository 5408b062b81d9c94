// Lesson 1: fit a line, and then a parabola, to eleven readings of an unknown thermometer.
//
//   01_temperature                     the gradient three ways, then training three ways
//   01_temperature --data FILE.csv     the same on your own readings (columns t_u, t_c)
//   01_temperature --json              a fixed set of runs, one JSON object a line
//
// What you see here: a graph of nothing but tensors, its gradients, updates written by hand and by an optimizer.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "options.h"
#include "temperature.h"
#include "weft/runtime/columns.h"
#include "weft/runtime/metrics.h"

using namespace weft;

namespace {

Tensor record_loss(Graph& graph, const Model& model, int64_t samples) {
  Tensor t_u = graph.input("t_u", f32, {samples}), t_c = graph.input("t_c", f32, {samples});
  return graph.output("loss", mean(square(model.predict(t_u) - t_c)));
}

// The steps below have the outputs "loss" and "<parameter>.grad".

/// Loss and gradients, no update.
Step gradient_step(const Model& model, int64_t samples, const Options& o) {
  Graph graph("gradient");
  Tensor loss = record_loss(graph, model, samples);
  const std::vector<Tensor> slopes = gradients(loss, model.parameters);
  for (size_t i = 0; i < slopes.size(); ++i) graph.output(model.parameters[i].name() + ".grad", slopes[i]);
  return compile(graph, o.target());
}

/// p = p - lr * dp, written out.
Step hand_written_step(const Model& model, int64_t samples, double lr, const Options& o) {
  Graph graph("hand_written");
  Tensor loss = record_loss(graph, model, samples);
  const std::vector<Tensor> slopes = gradients(loss, model.parameters);
  for (size_t i = 0; i < slopes.size(); ++i) {
    const Parameter& p = model.parameters[i];
    graph.output(p.name() + ".grad", slopes[i]);
    graph.update(p, p - lr * slopes[i]);
  }
  return compile(graph, o.target(), {.dump_ir = o.dump_ir, .check_finite = o.check_finite});
}

/// The same by an optimizer.
Step optimizer_step(const Model& model, int64_t samples, const optim::Optimizer& optimizer, const Options& o) {
  Graph graph(optimizer.op());
  Tensor loss = record_loss(graph, model, samples);
  TrainingOptions keep;
  for (const Parameter& p : model.parameters) keep.keep.push_back(p.name() + ".grad");
  return compile(training_step(graph, loss, model.parameters, optimizer, keep), o.target(),
                 {.dump_ir = o.dump_ir, .check_finite = o.check_finite});
}

/// What one epoch (one step: all readings are one batch) gave.
struct Epoch {
  int64_t number;
  double loss;
  std::vector<double> parameters, gradient;  // after and before the update
};

/// Trains until `epochs` or until the loss is no number any more, and reports every epoch. Returns the epoch at which
/// the loss stopped being finite, or 0.
template <class Report>
int64_t train(Step& step, const Model& model, const Readings& data, int64_t epochs, Report report) {
  for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
    Results r = step({{"t_u", data.t_u}, {"t_c", data.t_c}});
    std::vector<double> gradient;
    for (const Parameter& p : model.parameters) gradient.push_back(r[p.name() + ".grad"].array().at(0));
    const double loss = r["loss"].item();
    if (!std::isfinite(loss)) return epoch;
    report(Epoch{epoch, loss, model.values(), gradient});
  }
  return 0;
}

std::vector<float> scaled(std::vector<float> v) {
  for (float& x : v) x *= 0.1f;
  return v;
}

// ---- the gradient three ways ----

struct Slope {
  const char* way;
  double loss;
  std::vector<double> gradient;
};

std::vector<Slope> gradient_three_ways(const Readings& data, const Options& o) {
  const auto n = static_cast<int64_t>(data.t_u.size());
  Model model = line(1, 0);
  Step step = gradient_step(model, n, o);
  const auto run = [&] { return step({{"t_u", data.t_u}, {"t_c", data.t_c}}); };

  Results r = run();
  const double loss = r["loss"].item();
  const Slope by_weft{"weft", loss, {r["w.grad"].array().at(0), r["b.grad"].array().at(0)}};

  // d loss / d w = mean(2 (w t_u + b - t_c) t_u), d loss / d b = mean(2 (w t_u + b - t_c)), at w = 1, b = 0.
  Slope by_hand{"by_hand", loss, {0, 0}};
  for (size_t i = 0; i < data.t_u.size(); ++i) {
    const double error = data.t_u[i] - data.t_c[i];
    by_hand.gradient[0] += 2 * error * data.t_u[i] / static_cast<double>(n);
    by_hand.gradient[1] += 2 * error / static_cast<double>(n);
  }

  // The loss is a parabola in each parameter, so central differences are exact but for rounding.
  Slope by_differences{"finite_differences", loss, {}};
  const float delta = 0.1f;
  for (Parameter& p : model.parameters) {
    const float at = p.values<float>()[0];
    p.set_values(std::vector<float>{at + delta});
    const double above = run()["loss"].item();
    p.set_values(std::vector<float>{at - delta});
    const double below = run()["loss"].item();
    p.set_values(std::vector<float>{at});
    by_differences.gradient.push_back((above - below) / (2 * delta));
  }
  return {by_differences, by_hand, by_weft};
}

// ---- for people ----

void print_epoch(const Epoch& e) {
  std::string line = fmt::format("{:4}  loss {:<7}  params", e.number, number_text(e.loss));
  for (const double p : e.parameters) line += fmt::format(" {:>7}", number_text(p));
  line += "  grad";
  for (const double g : e.gradient) line += fmt::format(" {:>7}", number_text(g));
  fmt::print("{}\n", line);
}

void lesson(const Readings& data, const Options& o) {
  fmt::print("The gradient of the line's loss at w = 1, b = 0, three ways:\n");
  for (const Slope& s : gradient_three_ways(data, o))
    fmt::print("  {:18}  loss {:.4f}  d/dw {:10.4f}  d/db {:8.4f}\n", s.way, s.loss, s.gradient[0], s.gradient[1]);

  const Readings normalized{scaled(data.t_u), data.t_c};
  const auto n = static_cast<int64_t>(data.t_u.size());
  std::optional<MetricsFile> metrics;
  if (!o.metrics.empty()) metrics.emplace(o.metrics);
  const auto show = [&](const char* title, Step step, const Model& model, const Readings& d) {
    fmt::print("\n{}\n", title);
    const int64_t stopped = train(step, model, d, o.epochs, [&](const Epoch& e) {
      if (e.number == 1) fmt::print("epoch\n");
      if (e.number <= 3 || e.number % std::max<int64_t>(1, o.epochs / 5) == 0) print_epoch(e);
      if (metrics) metrics->write({{"run", std::string(title)}, {"epoch", e.number}, {"train_loss", e.loss}});
    });
    if (stopped) fmt::print("{:4}  the loss is no finite number any more\n", stopped);
  };
  // Another model: change these two lines. For the parabola, take the learning rate of the run further below.
  Model model = line(1, 0);
  show("A line on 0.1 t_u, the update written by hand:", hand_written_step(model, n, o.lr, o), model, normalized);
  model = line(1, 0);
  show("The same by an optimizer, optim::SGD:", optimizer_step(model, n, optim::SGD({.lr = o.lr}), o), model, normalized);
  model = line(1, 0);
  show("optim::Adam, on t_u as it is:", optimizer_step(model, n, optim::Adam({.lr = 0.1}), o), model, data);
  model = parabola(0.1, 1, 0);
  show("A parabola w2 t^2 + w1 t + b on 0.1 t_u (w1, w2, b), optim::SGD with lr 1e-4:",
       optimizer_step(model, n, optim::SGD({.lr = 1e-4}), o), model, normalized);
}

// ---- for programs ----

using Json = nlohmann::ordered_json;

void json_case(const char* name, Step step, const Model& model, const Readings& data, int64_t epochs) {
  const int64_t stopped = train(step, model, data, epochs, [&](const Epoch& e) {
    if (e.number > 5 && e.number % 500 != 0 && e.number < epochs - 1) return;
    fmt::print("{}\n",
               Json({{"case", name}, {"epoch", e.number}, {"loss", e.loss}, {"params", e.parameters}, {"grad", e.gradient}}).dump());
  });
  if (!stopped) return;
  const std::string line = step({{"t_u", data.t_u}, {"t_c", data.t_c}})["loss"].where();
  fmt::print("{}\n", Json({{"case", name},
                           {"epoch", stopped},
                           {"loss", nullptr},
                           {"params", model.values()},
                           {"grad", nullptr},
                           {"nonfinite_epoch", stopped},
                           {"loss_at", line}})
                         .dump());
}

void json_cases(const Readings& raw, const Options& o) {
  for (const Slope& s : gradient_three_ways(raw, o))
    fmt::print(
        "{}\n",
        Json({{"case", "gradient_raw"}, {"way", s.way}, {"epoch", 0}, {"loss", s.loss}, {"params", {1.0, 0.0}}, {"grad", s.gradient}})
            .dump());
  const Readings normalized{scaled(raw.t_u), raw.t_c};
  const auto n = static_cast<int64_t>(raw.t_u.size());
  const auto sgd = [&](const char* name, const Model& m, const Readings& d, double lr, int64_t epochs) {
    json_case(name, optimizer_step(m, n, optim::SGD({.lr = lr}), o), m, d, epochs);
  };
  const auto adam = [&](const char* name, const Model& m, double lr) {
    json_case(name, optimizer_step(m, n, optim::Adam({.lr = lr}), o), m, raw, 1);
  };
  Model by_hand = line(1, 0);
  json_case("line_hand_normalized", hand_written_step(by_hand, n, 1e-2, o), by_hand, normalized, 5000);
  sgd("line_sgd_normalized", line(1, 0), normalized, 1e-2, 5000);
  sgd("line_sgd_raw_1e-4", line(1, 0), raw, 1e-4, 100);
  sgd("line_sgd_raw_1e-2", line(1, 0), raw, 1e-2, 100);
  adam("line_adam_raw_0.1", line(1, 0), 0.1);
  adam("line_adam_raw_0.01", line(1, 0), 0.01);
  sgd("parabola_sgd", parabola(0.1, 1, 0), normalized, 1e-4, 5000);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Fits a line and a parabola to eleven readings of an unknown thermometer.");
  Options options{.epochs = 5000, .batch = 11, .lr = 1e-2};
  bool json = false;
  add_options(app, options);
  CLI::Option* batch = app.get_option("--batch")->description("the number of readings, and nothing else: a step takes all of them");
  app.get_option("--seed")->description("not read: nothing here is random");
  CLI::Option* fixed = app.add_flag("--json", json, "a fixed set of runs, one JSON object a line");
  for (const char* name : {"--epochs", "--lr", "--max-steps", "--metrics"}) fixed->excludes(app.get_option(name));
  return run_example(app, argc, argv, [&] {
    const Readings data = read_temperatures(options.data);
    if (batch->count() > 0 && options.batch != static_cast<int64_t>(data.t_u.size()))
      throw Error("--batch is {}, but a step takes all {} readings", options.batch, data.t_u.size());
    if (options.max_steps > 0) options.epochs = std::min(options.epochs, options.max_steps);
    if (json) json_cases(data, options);
    else lesson(data, options);
  });
}
