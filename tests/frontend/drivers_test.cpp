// L-BFGS and averages of weights against PyTorch's: tests/expected/drivers.json, in f64.

#include <fmt/ranges.h>

#include "weft/tests/close.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"
#include "weft/tests/process.h"

using namespace weft;
using testing::json;

namespace {

/// The stored net and its data.
struct Problem {
  explicit Problem(const json& file)
      : net(nn::Linear(3, 4, {.dtype = f64}), nn::Tanh(), nn::Linear(4, 1, {.dtype = f64})), x(file["x"].get<std::vector<double>>()),
        y(file["y"].get<std::vector<double>>()), loss(mse_loss(net(graph.input("x", f64, {8, 3})), graph.input("y", f64, {8, 1}))) {
    int64_t next = 0;
    for (Parameter& p : parameters)
      for (int64_t i = 0; i < p.shape().numel(); ++i) p.array().set(i, file["start"][static_cast<size_t>(next++)].get<double>());
  }

  nn::Sequential net;
  std::vector<double> x, y;
  Graph graph{"net"};
  Tensor loss;
  std::vector<Parameter> parameters = net.parameters();
};

std::vector<double> flat(const std::vector<Parameter>& parameters) {
  std::vector<double> all;
  for (const Parameter& p : parameters)
    for (double v : p.values<double>()) all.push_back(v);
  return all;
}

void check_close(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  INFO(fmt::format("{} where {} is wanted", got, want));
  CHECK(test::relative_difference(got, want) <= tolerance);
}

}  // namespace

TEST_CASE("L-BFGS is PyTorch's, with and without line search") {
  const json file = testing::read_expected("drivers");
  for (const json& setting : file["lbfgs"]) {
    const json& o = setting["options"];
    INFO(o.dump());
    Problem p(file);
    LbfgsOptions options{.lr = o.value("lr", 1.0),
                         .max_iter = o.value("max_iter", 20),
                         .history_size = o.value("history_size", 100),
                         .line_search_fn = o.value("line_search_fn", ""),
                         .maximize = o.value("maximize", false)};
    if (o.contains("max_eval")) options.max_eval = o["max_eval"].get<int64_t>();
    LBFGS lbfgs(p.graph, options.maximize ? -p.loss : p.loss, p.parameters, options, Target::reference());
    std::vector<double> losses;
    for (int64_t i = 0; i < file["steps"]; ++i) losses.push_back(lbfgs.step({{"x", p.x}, {"y", p.y}}));
    check_close(losses, setting["losses"], 1e-9);
    check_close(flat(p.parameters), setting["parameters"], 1e-7);
    CHECK(lbfgs.evaluations() == setting["evaluations"]);
  }
}

TEST_CASE("L-BFGS refuses what it cannot do, and stops where there is nothing to gain") {
  const json file = testing::read_expected("drivers");
  Problem p(file);
  CHECK_THROWS_WITH(LBFGS(p.graph, p.loss, {}), contains_text("there are no parameters to train, at " + testing::line()));
  CHECK_THROWS_WITH(LBFGS(p.graph, p.loss, p.parameters, {.lr = -1}), contains_text("lbfgs.lr"));
  Graph g("flat");
  Parameter w("w", {1.0, -1.0});
  LBFGS lbfgs(g, sum(0.0 * w), {w}, {}, Target::reference());
  CHECK(lbfgs.step() == 0);
  CHECK(lbfgs.evaluations() == 1);
  CHECK(lbfgs.iterations() == 0);
  Graph other("other");
  CHECK_THROWS_WITH(LBFGS(other, sum(w * w), {w}, {.line_search_fn = "armijo"}), contains_text("\"strong_wolfe\" or empty"));
}

TEST_CASE("averages of weights are PyTorch's") {
  const json file = testing::read_expected("drivers");
  const Target target = GENERATE(Target::reference(), Target::cpu({.threads = 1}));
  Problem p(file);
  optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
  p.graph.output("loss", p.loss);
  Step step = compile(training_step(p.graph, p.loss, p.parameters, sgd), target);
  AveragedWeights swa(p.parameters, {.target = target}), ema(p.parameters, {.decay = 0.5, .target = target});
  const int64_t programs = compiled_programs();
  ema.decay = file["averages"]["decay"].get<double>();
  for (int64_t i = 0; i < file["steps"]; ++i) {
    step({{"x", p.x}, {"y", p.y}});
    swa.update();
    ema.update();
  }
  CHECK(compiled_programs() == programs);
  CHECK(swa.count() == file["steps"]);
  check_close(flat(p.parameters), file["averages"]["parameters"], 1e-12);
  check_close(flat(swa.averages()), file["averages"]["swa"], 1e-12);
  check_close(flat(ema.averages()), file["averages"]["ema"], 1e-12);
  const auto trained = flat(p.parameters);
  ema.swap();
  check_close(flat(p.parameters), file["averages"]["ema"], 1e-12);
  CHECK(flat(ema.averages()) == trained);
  CHECK_THROWS_WITH(ema.update(), contains_text("swap() back first"));
  ema.swap();
  CHECK(flat(p.parameters) == trained);
}

TEST_CASE("averages go on from a checkpoint bit for bit, exchanged or not") {
  const test::TempDir dir;
  const json file = testing::read_expected("drivers");
  const bool exponential = GENERATE(true, false), swapped = GENERATE(true, false);
  const auto options = [&] {
    return AverageOptions{.decay = exponential ? std::optional(0.5) : std::nullopt, .target = Target::reference()};
  };
  Problem straight(file), resumed(file);
  AveragedWeights average(straight.parameters, options()), other(resumed.parameters, options());
  const auto train = [](Problem& p, AveragedWeights& a, int64_t steps) {
    for (int64_t i = 0; i < steps; ++i) {
      for (Parameter& w : p.parameters)
        for (int64_t e = 0; e < w.shape().numel(); ++e) w.array().set(e, 0.9 * w.array().at(e) + 0.01);
      a.update();
    }
  };
  train(straight, average, 4);
  if (exponential) average.decay = 0.75;
  if (swapped) average.swap();
  Checkpoint(straight.net).add(average).save(dir / "run");
  Checkpoint(resumed.net).add(other).load(dir / "run");
  CHECK(other.count() == 4);
  CHECK(other.is_swapped() == swapped);
  if (swapped) average.swap(), other.swap();
  train(straight, average, 3), train(resumed, other, 3);
  CHECK(flat(other.averages()) == flat(average.averages()));
  CHECK(flat(resumed.parameters) == flat(straight.parameters));
  Checkpoint without(resumed.net);
  const auto before = flat(resumed.parameters);
  without.load(dir / "run");  // the weights of a file with more
  CHECK(flat(resumed.parameters) != before);
  CHECK_THROWS_WITH(Checkpoint({{"0.weight", straight.parameters[0]}}).add(average),
                    contains_text("AveragedWeights needs '0.bias', which is not among the tensors"));
}

TEST_CASE("a Trainer keeps an average, evaluates with it and goes on with it") {
  const test::TempDir dir;
  const Dataset train = testing::points(40), test_set = testing::points(20, 100);
  const auto run = [&](int64_t epochs, const std::string& resume) {
    manual_seed(4);
    auto net = std::make_unique<nn::Sequential>(nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 2));
    optim::SGD sgd({.lr = 0.5, .momentum = 0.9});
    AveragedWeights average(net->parameters(), {.decay = 0.9, .target = Target::reference()});
    Trainer trainer(*net, cross_entropy, sgd);
    FitOptions options{
        .epochs = epochs, .batch = 8, .data = {.shuffle = true}, .checkpoints = {.path = dir / "run", .resume = resume}, .log = "none"};
    options.program.target = Target::cpu({.threads = 1});
    const History h = trainer.average(average).fit(train, test_set, options);
    CHECK_THROWS_WITH(trainer.average(average), contains_text("there is an average already"));
    CHECK(average.count() == 5 * epochs);
    CHECK_FALSE(average.is_swapped());
    const auto weights = net->parameters()[0].values<float>();
    average.swap();
    CHECK(weights != net->parameters()[0].values<float>());
    CHECK(trainer.evaluate(test_set, {.batch = 8, .log = "none", .program = options.program}).loss == Approx(h.last().test_loss));
    CHECK_THROWS_WITH(trainer.fit(train, test_set, options), contains_text("swap() back"));
    return net->parameters()[0].values<float>();
  };
  const auto straight = run(4, "");
  run(2, "");
  CHECK(run(4, dir / "run") == straight);
}

TEST_CASE("averages that cannot be taken") {
  Parameter w("w", {1.0});
  CHECK_THROWS_WITH(AveragedWeights(std::vector<Parameter>{}), contains_text("no parameters to average, at " + testing::line()));
  CHECK_THROWS_WITH(AveragedWeights({w, w}), contains_text("'w' is given twice"));
  CHECK_THROWS_WITH(AveragedWeights({w}, {.decay = 1.5}), contains_text("decay"));
  AveragedWeights average({w}, {.target = Target::reference()});
  CHECK_THROWS_WITH(average.swap(), contains_text("no average before the first update()"));
}
