// Schedules against torch.optim.lr_scheduler: tests/expected/schedules.json.

#include <cmath>
#include <map>

#include "weft/frontend/optim/schedule.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"

using namespace weft;
using testing::json;

namespace {

using Made = std::shared_ptr<optim::Schedule>;

/// The schedule that a case names.
Made made(const std::string& name, const json& o, const optim::Optimizer& sgd) {
  using namespace optim;
  if (name == "StepLR") return std::make_shared<StepLR>(sgd, StepOptions{o["step_size"], o.value("gamma", 0.1)});
  if (name == "MultiStepLR") return std::make_shared<MultiStepLR>(sgd, MultiStepOptions{o["milestones"], o["gamma"]});
  if (name == "ConstantLR")
    return std::make_shared<ConstantLR>(sgd, ConstantOptions{o.value("factor", 1.0 / 3), o.value("total_iters", 5)});
  if (name == "LinearLR")
    return std::make_shared<LinearLR>(
        sgd, LinearOptions{o.value("start_factor", 1.0 / 3), o.value("end_factor", 1.0), o.value("total_iters", 5)});
  if (name == "ExponentialLR") return std::make_shared<ExponentialLR>(sgd, ExponentialOptions{o["gamma"]});
  if (name == "PolynomialLR")
    return std::make_shared<PolynomialLR>(sgd, PolynomialOptions{o.value("total_iters", 5), o.value("power", 1.0)});
  if (name == "CosineAnnealingLR") return std::make_shared<CosineAnnealingLR>(sgd, CosineOptions{o["T_max"], o.value("eta_min", 0.0)});
  if (name == "CosineAnnealingWarmRestarts")
    return std::make_shared<CosineAnnealingWarmRestarts>(sgd, WarmRestartOptions{o["T_0"], o.value("T_mult", 1), o.value("eta_min", 0.0)});
  if (name == "OneCycleLR")
    return std::make_shared<OneCycleLR>(sgd, OneCycleOptions{.max_lr = o["max_lr"],
                                                             .total_steps = o["total_steps"],
                                                             .pct_start = o.value("pct_start", 0.3),
                                                             .anneal_strategy = o.value("anneal_strategy", "cos"),
                                                             .cycle_momentum = o.value("cycle_momentum", true),
                                                             .div_factor = o.value("div_factor", 25.0),
                                                             .final_div_factor = o.value("final_div_factor", 1e4),
                                                             .three_phase = o.value("three_phase", false)});
  if (name == "CyclicLR") {
    CyclicOptions c{.base_lr = o["base_lr"],
                    .max_lr = o["max_lr"],
                    .step_size_up = o["step_size_up"],
                    .mode = o.value("mode", "triangular"),
                    .gamma = o.value("gamma", 1.0),
                    .cycle_momentum = o.value("cycle_momentum", true)};
    if (o.contains("step_size_down")) c.step_size_down = o["step_size_down"].get<int64_t>();
    return std::make_shared<CyclicLR>(sgd, c);
  }
  REQUIRE(name == "LambdaLR");
  return std::make_shared<LambdaLR>(sgd, [](int64_t count) { return std::pow(0.95, static_cast<double>(count)); });
}

}  // namespace

TEST_CASE("schedules give torch's rates and momenta over 100 steps") {
  const json all = testing::read_expected("schedules");
  std::set<std::string> names;
  for (const json& c : all["cases"]) {
    const std::string name = c["schedule"];
    names.insert(name);
    INFO(name << " " << c["options"].dump());
    optim::SGD sgd({.lr = 0.5, .momentum = 0.9});
    Made schedule;
    std::unique_ptr<optim::SequentialLR> sequence;
    std::unique_ptr<optim::ReduceLROnPlateau> plateau;
    if (name == "SequentialLR") {
      // In one list, the parts are made in this order.
      std::vector<Made> parts{std::make_shared<optim::LinearLR>(sgd, optim::LinearOptions{.start_factor = 0.1, .total_iters = 20}),
                              std::make_shared<optim::CosineAnnealingLR>(sgd, optim::CosineOptions{.t_max = 40}),
                              std::make_shared<optim::ExponentialLR>(sgd, optim::ExponentialOptions{.gamma = 0.9})};
      sequence = std::make_unique<optim::SequentialLR>(parts, std::vector<int64_t>{20, 60});
    } else if (name == "ReduceLROnPlateau") {
      const json& o = c["options"];
      plateau = std::make_unique<optim::ReduceLROnPlateau>(sgd, optim::PlateauOptions{.mode = o.value("mode", "min"),
                                                                                      .factor = o.value("factor", 0.1),
                                                                                      .patience = o.value("patience", 10),
                                                                                      .threshold = o.value("threshold", 1e-4),
                                                                                      .threshold_mode = o.value("threshold_mode", "rel"),
                                                                                      .cooldown = o.value("cooldown", 0),
                                                                                      .min_lr = o.value("min_lr", 0.0)});
    } else {
      schedule = made(name, c["options"], sgd);
    }
    for (size_t i = 0; i < c["rates"].size(); ++i) {
      INFO("after " << i << " steps");
      CHECK(sgd.lr == Approx(c["rates"][i].get<double>()).epsilon(1e-10).margin(1e-16));
      if (c.contains("momenta")) CHECK(sgd.momentum == Approx(c["momenta"][i].get<double>()).epsilon(1e-10));
      if (i == all["metrics"].size()) break;
      if (sequence) sequence->step();
      else if (plateau) plateau->step(all["metrics"][i].get<double>());
      else schedule->step();
    }
  }
  CHECK(names.size() == 13);
}

TEST_CASE("several schedules of one optimizer chain as torch's do") {
  const json all = testing::read_expected("chains");
  for (const json& c : all["cases"]) {
    INFO(c["schedules"].dump());
    optim::SGD sgd({.lr = 1, .momentum = 0.9});
    std::vector<Made> schedules;
    for (const json& s : c["schedules"]) schedules.push_back(made(s["schedule"], s["options"], sgd));
    for (size_t i = 0; i < c["rates"].size(); ++i) {
      INFO("after " << i << " steps");
      CHECK(sgd.lr == Approx(c["rates"][i].get<double>()).epsilon(1e-10).margin(1e-15));
      for (const Made& schedule : schedules) schedule->step();
    }
  }
}

TEST_CASE("a Trainer moves schedules one after the other") {
  optim::SGD sgd({.lr = 1});
  optim::LinearLR warm_up(sgd, {.start_factor = 0.25, .total_iters = 3});
  optim::ExponentialLR decay(sgd, {.gamma = 0.5});
  nn::Linear net(2, 2);
  Trainer(net, cross_entropy, sgd).schedule(warm_up).schedule(decay).fit(testing::points(8), {.epochs = 3, .batch = 8, .log = "none"});
  CHECK(sgd.lr == Approx(0.125));
}

TEST_CASE("a group that is added later is moved where its rate follows from the last one") {
  optim::SGD sgd({.lr = 1}), late({.lr = 0.5});
  optim::StepLR step(sgd, {.step_size = 1, .gamma = 0.5});
  optim::LambdaLR lambda(sgd, [](int64_t) { return 1.0; });
  const std::string at = testing::line(-1);
  optim::ReduceLROnPlateau plateau(sgd, {.patience = 0});
  step.step();
  sgd.add_group("late", {Parameter("v", {3.0})}, late);
  step.step();
  CHECK(late.lr == 0.25);
  CHECK(sgd.lr == 0.25);
  CHECK_THROWS_WITH(lambda.step(),
                    contains_text("LambdaLR: the optimizer has got a group since the schedule was made") && contains_text("at " + at));
  CHECK_THROWS_WITH(lambda.step(), contains_text("has got a group"));
  CHECK(late.lr == 0.25);
  plateau.step(1), plateau.step(1);
  CHECK(late.lr == Approx(0.025));
}

TEST_CASE("chained schedules go on from where they were: the rates, too") {
  optim::SGD sgd({.lr = 1}), other({.lr = 1});
  optim::CosineAnnealingLR a(sgd, {.t_max = 7}), b(other, {.t_max = 7});
  optim::ExponentialLR c(sgd, {.gamma = 0.9}), d(other, {.gamma = 0.9});
  for (int i = 0; i < 4; ++i) a.step(), c.step();
  b.restore(a.progress()), d.restore(c.progress());
  CHECK(other.lr == sgd.lr);
  for (int i = 0; i < 9; ++i) {
    a.step(), c.step(), b.step(), d.step();
    CHECK(other.lr == sgd.lr);
  }
  const auto sequence = [](const optim::Optimizer& o) {
    return optim::SequentialLR({std::make_shared<optim::LinearLR>(o, optim::LinearOptions{.total_iters = 3}),
                                std::make_shared<optim::ExponentialLR>(o, optim::ExponentialOptions{.gamma = 0.9})},
                               {3});
  };
  optim::SGD one({.lr = 1}), two({.lr = 1});
  optim::SequentialLR first = sequence(one), second = sequence(two);
  for (int i = 0; i < 5; ++i) first.step();
  second.restore(first.progress());
  for (int i = 0; i < 3; ++i) {
    first.step(), second.step();
    CHECK(one.lr == two.lr);
  }
}

TEST_CASE("a schedule moves a compiled program's rate and compiles nothing") {
  Parameter w("w", {0.0});
  optim::SGD sgd({.lr = 1});
  Graph g("slope");
  Step step = compile(training_step(g, sum(w * g.input("x", f32, {1})), {w}, sgd), Target::cpu());
  optim::StepLR schedule(sgd, {.step_size = 1, .gamma = 0.5});
  const std::vector<float> x{1};
  for (double expected : {-1.0, -1.5, -1.75}) {
    step({{"x", x}});
    CHECK(w.values<float>()[0] == expected);
    schedule.step();
  }
  CHECK(schedule.last_lr() == 0.125);
  schedule.go_to(1);
  CHECK(sgd.lr == 0.5);
}

TEST_CASE("schedules refuse what makes none") {
  optim::SGD plain({.lr = 0.1});
  CHECK_THROWS_WITH(optim::StepLR(plain, {.step_size = 0}), contains_text("step_size must be positive, not 0"));
  CHECK_THROWS_WITH(optim::OneCycleLR(plain, {.total_steps = 10}), contains_text("sgd has no momentum to cycle"));
  CHECK_THROWS_WITH(optim::OneCycleLR(plain, {.total_steps = 10, .anneal_strategy = "cosine", .cycle_momentum = false}),
                    contains_text("\"cos\" or \"linear\", not \"cosine\""));
  CHECK_THROWS_WITH(optim::CyclicLR(plain, {.mode = "square", .cycle_momentum = false}), contains_text("\"exp_range\", not \"square\""));
  CHECK_THROWS_WITH(optim::ReduceLROnPlateau(plain, {.factor = 1}), contains_text("factor must be below 1"));
  CHECK_THROWS_WITH(optim::SequentialLR({}, {}), contains_text("one fewer"));
  CHECK_THROWS_WITH(optim::StepLR(plain, {.gamma = -0.5}),
                    contains_text("StepLR: gamma must not be negative, but it is -0.5, at " + testing::line()));
  CHECK_THROWS_WITH(optim::MultiStepLR(plain, {.milestones = {1}, .gamma = -0.5}), contains_text("gamma must not be negative"));
  CHECK_THROWS_WITH(optim::ExponentialLR(plain, {.gamma = std::nan("")}), contains_text("gamma"));
  CHECK_THROWS_WITH(optim::ConstantLR(plain, {.factor = 1.5}), contains_text("factor must lie in [0, 1], not be 1.5"));
  CHECK_THROWS_WITH(optim::LinearLR(plain, {.start_factor = 0}), contains_text("start_factor must lie in (0, 1]"));
  CHECK_THROWS_WITH(optim::PolynomialLR(plain, {.power = -1}), contains_text("power"));
  CHECK_THROWS_WITH(optim::CosineAnnealingLR(plain, {.t_max = 0}), contains_text("t_max must be positive"));
  CHECK_THROWS_WITH(optim::CosineAnnealingLR(plain, {.t_max = 4, .eta_min = -0.1}), contains_text("eta_min must not be negative"));
  CHECK_THROWS_WITH(optim::CosineAnnealingWarmRestarts(plain, {.t_0 = 0}), contains_text("t_0 and t_mult must be positive"));
  CHECK_THROWS_WITH(optim::OneCycleLR(plain, {.total_steps = 0, .cycle_momentum = false}), contains_text("total_steps must be positive"));
  CHECK_THROWS_WITH(optim::OneCycleLR(plain, {.total_steps = 9, .pct_start = 1.5, .cycle_momentum = false}),
                    contains_text("pct_start must lie in [0, 1]"));
  CHECK_THROWS_WITH(optim::OneCycleLR(plain, {.total_steps = 9, .cycle_momentum = false, .div_factor = 0}), contains_text("div_factor"));
  optim::Adam adam;
  CHECK_THROWS_WITH(optim::OneCycleLR(adam, {.total_steps = 9, .max_momentum = 1}),
                    contains_text("adam.beta1 cannot be 1, at " + testing::line()));
  CHECK_THROWS_WITH(optim::CyclicLR(plain, {.base_lr = -1, .cycle_momentum = false}), contains_text("must not be negative"));
  CHECK_THROWS_WITH(optim::ReduceLROnPlateau(plain, {.patience = -1}), contains_text("patience and cooldown"));
  optim::SGD another({.lr = 0.1});
  CHECK_THROWS_WITH(optim::SequentialLR({std::make_shared<optim::ExponentialLR>(plain, optim::ExponentialOptions{}),
                                         std::make_shared<optim::ExponentialLR>(another, optim::ExponentialOptions{})},
                                        {3}),
                    contains_text("the schedules must be of the same optimizer"));
  CHECK_THROWS_WITH(optim::SequentialLR({nullptr}, {}), contains_text("null"));
  CHECK_THROWS_WITH(optim::LambdaLR(plain, [](int64_t count) { return count == 0 ? 1.0 : -1.0; }).step(),
                    contains_text("LambdaLR: step 1 would make sgd.lr -0.1, at " + testing::line()));
  optim::OneCycleLR cycle(plain, {.total_steps = 1, .pct_start = 1, .cycle_momentum = false});
  cycle.step();
  CHECK_THROWS_WITH(cycle.step(), contains_text("step 2 of a schedule of 1 steps"));
  CHECK(cycle.count() == 1);
}
