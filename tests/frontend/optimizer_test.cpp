// Optimizers as the user holds them: numbers that change freely, switches that do not, shared state.

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

namespace {

/// minimize sum(w * x) with x = 1: every gradient is 1.
struct Slope {
  Parameter w{"w", {1.0, 2.0}};
  std::vector<float> x{1, 1};

  Step compile_with(const optim::Optimizer& optimizer, int64_t batch = 1) {
    Graph g("slope");
    Tensor loss = g.output("loss", mean(sum(w * g.input("x", f32, {batch, 2}), 1)));
    return compile(training_step(g, loss, {w}, optimizer), Target::reference());
  }
};

}  // namespace

TEST_CASE("numbers change between steps without compiling") {
  Slope slope;
  optim::SGD sgd({.lr = 0.5});
  Step step = slope.compile_with(sgd);
  step({{"x", slope.x}});
  CHECK(slope.w.values<float>() == std::vector<float>{0.5, 1.5});
  sgd.lr = 0.25;
  step({{"x", slope.x}});
  CHECK(slope.w.values<float>() == std::vector<float>{0.25, 1.25});
  sgd.lr *= 2;
  CHECK(sgd.lr == 0.5);
  const double as_number = sgd.lr;
  CHECK(as_number == 0.5);
}

TEST_CASE("every number that is on changes without compiling, a group's and the clipping's too") {
  Slope slope;
  Parameter v("v", {3.0});
  optim::SGD sgd({.lr = 0.5, .momentum = 0.9, .weight_decay = 0.1}), head({.lr = 1});
  sgd.add_group("head", {v}, head);
  sgd.clip_value = 0.5, sgd.clip_norm = 10;
  nn::Dropout drop(0.5);
  Graph g("slope");
  Tensor loss = g.output("loss", sum(slope.w * g.input("x", f32, {2})) + sum(v) + 0.0 * sum(drop(ones({2}))));
  Step step = compile(training_step(g, loss, {slope.w, v}, sgd), Target::reference());
  const int64_t programs = compiled_programs();
  step({{"x", slope.x}});
  CHECK(v.array().at(0) == 2.5);  // clipped by value
  sgd.lr = 0.25, sgd.momentum = 0.5, sgd.weight_decay = 0.2, sgd.dampening = 0.1, head.lr = 2, drop.p = 0.25;
  sgd.clip_value = 4, sgd.clip_norm = std::sqrt(3.0) / 2;
  step({{"x", slope.x}});
  CHECK(v.array().at(0) == Approx(2.5 - 2 * 0.5));  // clipped by the norm of all three gradients
  CHECK(compiled_programs() == programs);

  head.weight_decay = 0.1;
  CHECK_THROWS_WITH(step({{"x", slope.x}}), contains_text("sgd.weight_decay is 0.1, but it was 0 when the step was recorded"));
  head.weight_decay = 0, head.clip_norm = 1;
  CHECK_THROWS_WITH(step({{"x", slope.x}}), contains_text("sgd.clip_norm is 1, but it was 0"));
}

TEST_CASE("clipping that was off when recorded cannot be set later") {
  Slope slope;
  optim::Adam adam;
  Step step = slope.compile_with(adam);
  adam.clip_norm = 1;
  CHECK_THROWS_WITH(step({{"x", slope.x}}),
                    contains_text("adam.clip_norm is 1, but it was 0 when the step was recorded, so the gradients are not clipped"));
  adam.clip_norm = 0, adam.clip_value = 2;
  CHECK_THROWS_WITH(step({{"x", slope.x}}), contains_text("adam.clip_value is 2"));
  CHECK_THROWS_WITH(adam.clip_norm = -1, contains_text("adam.clip_norm must lie in [0, inf]"));
}

TEST_CASE("a gradient that is not a number stays one when it is clipped") {
  Slope slope;
  optim::SGD sgd({.lr = 1});
  sgd.clip_value = 1, sgd.clip_norm = 1;
  Step step = slope.compile_with(sgd);
  const std::vector<float> bad{1, std::nanf("")};
  step({{"x", bad}});
  CHECK(std::isnan(slope.w.array().at(0)));  // the norm is nan, and with it all gradients, as in torch
  CHECK(std::isnan(slope.w.array().at(1)));
}

TEST_CASE("a group may have another rule; its state is the optimizer's") {
  Slope slope;
  Parameter v("v", {3.0});
  optim::SGD sgd({.lr = 0.5});
  sgd.add_group("adam", {v}, optim::Adam({.lr = 0.25}));
  Graph g("two");
  Tensor loss = g.output("loss", sum(slope.w) + sum(v));
  Step step = compile(training_step(g, loss, {slope.w, v}, sgd), Target::reference());
  step();
  CHECK(slope.w.values<float>() == std::vector<float>{0.5, 1.5});
  CHECK(v.array().at(0) == Approx(2.75));
  CHECK(sgd.state("v", "exp_avg").at(0) == Approx(0.1));
  CHECK(sgd.steps() == 1);
  CHECK_THROWS_WITH(sgd.add_group("adam", {}, optim::SGD()), contains_text("there is a group 'adam' already"));
  CHECK_THROWS_WITH(sgd.add_group("b", {v}, optim::SGD()), contains_text("'v' is in the group 'adam' already"));
  CHECK_THROWS_WITH(sgd.add_group("lr", {}, optim::SGD()), contains_text("'lr' is no name for a group"));
  CHECK_THROWS_WITH(sgd.add_group("c", {}, sgd), contains_text("needs an optimizer of its own"));
  optim::SGD clips;
  clips.clip_norm = 1;
  CHECK_THROWS_WITH(sgd.add_group("c", {}, clips), contains_text("cannot clip on its own"));
}

TEST_CASE("a schedule moves every group from its own base rate") {
  optim::SGD sgd({.lr = 1}), slow({.lr = 0.1});
  sgd.add_group("slow", {Parameter("v", {3.0})}, slow);
  optim::StepLR schedule(sgd, {.step_size = 1, .gamma = 0.5});
  schedule.step();
  CHECK(sgd.lr == 0.5);
  CHECK(slow.lr == 0.05);
  CHECK(schedule.last_lr() == 0.5);
  optim::ReduceLROnPlateau plateau(sgd, {.patience = 0});
  plateau.step(1), plateau.step(1);
  CHECK(slow.lr == Approx(0.005));
}

TEST_CASE("assigning one optimizer's number to another copies the number") {
  optim::SGD a({.lr = 0.5}), b({.lr = 0.1});
  b.lr = a.lr;
  a.lr = 0.9;
  CHECK(b.lr == 0.5);
}

TEST_CASE("what was off when recorded cannot be set later") {
  Slope slope;
  optim::SGD sgd({.lr = 0.5});
  Step step = slope.compile_with(sgd);
  step({{"x", slope.x}});
  sgd.momentum = 0.9;
  CHECK_THROWS_WITH(step({{"x", slope.x}}),
                    contains_text("step 'slope': sgd.momentum is 0.9, but it was 0 when the step was recorded, so the update "
                                  "was built without it; record and compile again"));
  CHECK(slope.w.values<float>() == std::vector<float>{0.5, 1.5});

  Step with_momentum = slope.compile_with(sgd);
  with_momentum({{"x", slope.x}});
  sgd.momentum = 0.5;
  with_momentum({{"x", slope.x}});
  CHECK(sgd.state("w", "momentum_buffer").at(0) == 1 + 0.5 * (1 + 0.9 * 0));
}

TEST_CASE("state and step count are shared by all programs of one optimizer") {
  Slope slope;
  optim::Adam adam({.lr = 0.1});
  Step one = slope.compile_with(adam, 1), two = slope.compile_with(adam, 2);
  const std::vector<float> x2{1, 1, 1, 1};
  one({{"x", slope.x}});
  two({{"x", x2}});
  one({{"x", slope.x}});
  CHECK(adam.steps() == 3);
  CHECK(adam.state("w", "exp_avg").at(0) == Approx(1 - 0.9 * 0.9 * 0.9));
  CHECK_THROWS_WITH(adam.state("w", "exp_avgs"), contains_text("adam keeps no state 'exp_avgs' of 'w'; did you mean 'exp_avg'"));
  CHECK_THROWS_WITH(adam.state("v", "exp_avg"), contains_text("no state of a parameter 'v'; did you mean 'w'?"));
}

TEST_CASE("a parameter that two optimizers update has a state in each") {
  Slope slope;
  optim::SGD sgd({.lr = 0.5, .momentum = 0.5});
  optim::Adam adam({.lr = 0.1});
  Step by_sgd = slope.compile_with(sgd), by_adam = slope.compile_with(adam);
  by_sgd({{"x", slope.x}});
  by_adam({{"x", slope.x}});
  by_sgd({{"x", slope.x}});
  // 1 - 0.5, less Adam's 0.1, less 0.5 (1 + 0.5 * 1).
  CHECK(slope.w.values<float>()[0] == Approx(0.5 - 0.1 - 0.75));
  CHECK(sgd.state("w", "momentum_buffer").at(0) == 1.5);
  CHECK(adam.state("w", "exp_avg").at(0) == Approx(0.1));
  CHECK((sgd.steps() == 2 && adam.steps() == 1));
}

TEST_CASE("the first momentum step is undamped, later ones are damped") {
  Slope slope;
  optim::SGD sgd({.lr = 1, .momentum = 0.5, .dampening = 0.25});
  Step step = slope.compile_with(sgd);
  step({{"x", slope.x}});
  CHECK(sgd.state("w", "momentum_buffer").at(0) == 1);
  step({{"x", slope.x}});
  CHECK(sgd.state("w", "momentum_buffer").at(0) == Approx(0.5 + 0.75));
}

TEST_CASE("arguments are checked as PyTorch checks them") {
  CHECK_THROWS_WITH(optim::SGD({.lr = -1}), contains_text("sgd.lr must lie in [0, inf], not be -1, at " + line()));
  CHECK_THROWS_WITH(optim::SGD({.momentum = -0.5}), contains_text("sgd.momentum"));
  CHECK_THROWS_WITH(optim::SGD({.weight_decay = -0.5}), contains_text("sgd.weight_decay"));
  CHECK_THROWS_WITH(optim::SGD({.nesterov = true}), contains_text("nesterov needs a momentum and zero dampening, at " + line()));
  CHECK_THROWS_WITH(optim::SGD({.momentum = 0.9, .dampening = 0.1, .nesterov = true}), contains_text("zero dampening"));
  CHECK_THROWS_WITH(optim::Adam({.betas = {0.9, 1.0}}), contains_text("adam.beta2 must lie in [0, 1), not be 1"));
  CHECK_THROWS_WITH(optim::Adam({.eps = -1e-8}), contains_text("adam.eps"));
  optim::Adam adam;
  CHECK_THROWS_WITH(adam.lr = -1, contains_text("adam.lr must lie in"));
  CHECK(adam.lr == 1e-3);
}

TEST_CASE("what cannot be trained is refused when it is asked for") {
  Slope slope;
  optim::SGD sgd;
  Graph g("refused");
  Tensor loss = mean(slope.w * g.input("x", f32, {2}));
  Parameter unused("unused", {1.0}), idle("idle", {1.0});
  SECTION("a parameter that the graph does not use") {
    CHECK_THROWS_WITH(
        training_step(g, loss, {slope.w, unused}, sgd),
        contains_text("the graph 'refused' does not use these parameters, so they cannot be trained: 'unused', at " + line()));
  }
  SECTION("a parameter that the loss does not depend on") {
    g.output("doubled", idle * 2);
    const std::string at = line(-1);
    CHECK_THROWS_WITH(compile(training_step(g, loss, {slope.w, idle}, sgd), Target::reference()),
                      contains_text("does not depend differentiably") && contains_text("'idle', at " + at));
  }
  SECTION("a parameter given twice, or updated already") {
    CHECK_THROWS_WITH(training_step(g, loss, {slope.w, slope.w}, sgd), contains_text("given twice") && contains_text("'w'"));
    g.update(slope.w, 0);
    CHECK_THROWS_WITH(training_step(g, loss, {slope.w}, sgd), contains_text("Graph::update"));
  }
  SECTION("no parameters") { CHECK_THROWS_WITH(training_step(g, loss, {}, sgd), contains_text("no parameters to train")); }
  SECTION("a loss that is no scalar, or of another graph") {
    CHECK_THROWS_WITH(training_step(g, slope.w * 2, {slope.w}, sgd),
                      contains_text("the loss must be a floating scalar, not f32[2], at " + line()));
    Graph other("other");
    CHECK_THROWS_WITH(training_step(g, sum(zeros({2})), {slope.w}, sgd),
                      contains_text("the loss belongs to the graph 'other', not to 'refused'"));
  }
  SECTION("a gradient to keep that does not exist") {
    CHECK_THROWS_WITH(compile(training_step(g, loss, {slope.w}, sgd, {.keep = {"v.grad"}}), Target::reference()),
                      contains_text("'v.grad' is to be kept"));
  }
  SECTION("a loss that is no output becomes one") {
    const std::vector<float> x{1, 1};
    CHECK(compile(training_step(g, loss, {slope.w}, sgd), Target::reference())({{"x", x}})["loss"].item() == 1.5);
  }
}

TEST_CASE("every optimizer class trains on the cpu as on the reference") {
  using Make = std::function<std::unique_ptr<optim::Optimizer>()>;
  const std::vector<Make> all = {[] { return std::make_unique<optim::SGD>(optim::SgdOptions{.lr = 0.1, .momentum = 0.9}); },
                                 [] { return std::make_unique<optim::ASGD>(optim::AsgdOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::Rprop>(optim::RpropOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::Adam>(optim::AdamOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::AdamW>(optim::AdamWOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::Adamax>(optim::AdamaxOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::NAdam>(optim::NAdamOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::RAdam>(optim::RAdamOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::Adagrad>(optim::AdagradOptions{.lr = 0.1}); },
                                 [] { return std::make_unique<optim::Adadelta>(); },
                                 [] { return std::make_unique<optim::RMSprop>(optim::RmsPropOptions{.lr = 0.1, .centered = true}); },
                                 [] { return std::make_unique<optim::Lion>(optim::LionOptions{.lr = 0.05}); },
                                 [] { return std::make_unique<optim::LARS>(optim::LarsOptions{.lr = 20}); },
                                 [] { return std::make_unique<optim::Adafactor>(optim::AdafactorOptions{.lr = 0.1}); }};
  std::set<std::string> ops;
  const std::vector<float> x{0.5f, -1, 2, 1, 0.25f, -0.5f}, y{1, 0, -1, 2};
  for (const Make& optimizer : all) {
    std::vector<std::vector<double>> losses;
    for (const Target& target : {Target::cpu(), Target::reference()}) {
      const auto o = optimizer();
      INFO(o->op());
      ops.insert(o->op());
      Parameter w("w", Shape{3, 2}, std::vector<float>{0.5f, -0.25f, 1, 0.75f, -1, 0.125f}), b("b", {0.0, 0.5});
      Graph g("fit");
      Tensor loss = g.output("loss", mse_loss(matmul(g.input("x", f32, {2, 3}), w) + b, g.input("y", f32, {2, 2})));
      Step step = compile(training_step(g, loss, {w, b}, *o), target);
      losses.emplace_back();
      for (int i = 0; i < 12; ++i) losses.back().push_back(step({{"x", x}, {"y", y}})["loss"].item());
      CHECK(losses.back()[11] < losses.back()[0]);
      CHECK(o->steps() == 12);
    }
    for (size_t i = 0; i < 12; ++i) CHECK(losses[0][i] == Approx(losses[1][i]).epsilon(1e-4));
  }
  CHECK(ops.size() == 14);
}

TEST_CASE("muon trains matrices and refuses others, which a group may have") {
  const std::vector<float> x{0.5f, -1, 2, 1, 0.25f, -0.5f}, y{1, 0, -1, 2};
  Parameter w("w", Shape{3, 2}, std::vector<float>{0.5f, -0.25f, 1, 0.75f, -1, 0.125f}), b("b", {0.0, 0.5});
  Graph g("fit");
  Tensor loss = g.output("loss", mse_loss(matmul(g.input("x", f32, {2, 3}), w) + b, g.input("y", f32, {2, 2})));
  CHECK_THROWS_WITH(compile(training_step(g, loss, {w, b}, optim::Muon()), Target::cpu()),
                    contains_text("muon: the parameter must have 2 axes; train others by another rule, as a group"));
  optim::Muon muon({.lr = 0.1});
  muon.add_group("rest", {b}, optim::AdamW({.lr = 0.05}));
  Step step = compile(training_step(g, loss, {w, b}, muon), Target::cpu());
  std::vector<double> losses;
  for (int i = 0; i < 12; ++i) losses.push_back(step({{"x", x}, {"y", y}})["loss"].item());
  CHECK(losses[11] < 0.5 * losses[0]);
  CHECK(muon.state("w", "momentum_buffer").shape() == Shape{3, 2});
  muon.ns_a = 3;  // nothing recompiles
  step({{"x", x}, {"y", y}});
}

TEST_CASE("optimizers refuse numbers as torch does") {
  CHECK_THROWS_WITH(optim::Lion({.betas = {0.9, 1}}), contains_text("lion.beta2 must lie in [0, 1), not be 1, at " + line()));
  CHECK_THROWS_WITH(optim::LARS({.trust_coefficient = -1}), contains_text("lars.trust_coefficient"));
  CHECK_THROWS_WITH(optim::LARS({.momentum = 0, .nesterov = true}), contains_text("nesterov needs a momentum, at " + line()));
  CHECK_THROWS_WITH(optim::Muon({.momentum = -1}), contains_text("muon.momentum must lie in [0, inf], not be -1, at " + line()));
  CHECK_THROWS_WITH(optim::Muon({.adjust_lr_fn = "none"}), contains_text("not \"none\", at " + line()));
  CHECK_THROWS_WITH(optim::Rprop({.etas = {1.5, 1.2}}), contains_text("etaminus"));
  CHECK_THROWS_WITH(optim::Rprop({.etas = {0.5, 1.0}}), contains_text("0 < etas.first < 1 < etas.second, at " + line()));
  CHECK_THROWS_WITH(optim::Adadelta({.rho = 1.5}), contains_text("rho"));
  CHECK_THROWS_WITH(optim::Adafactor({.d = 0.5}), contains_text("adafactor.d"));
  CHECK_THROWS_WITH(optim::NAdam({.momentum_decay = -1}), contains_text("momentum_decay"));
  CHECK_THROWS_WITH(optim::ASGD({.lambd = -1}), contains_text("asgd.lambd must lie in [0, inf], not be -1, at " + line()));
  CHECK_THROWS_WITH(optim::ASGD({.alpha = -1}), contains_text("asgd.alpha must lie in [0, inf], not be -1, at " + line()));
  CHECK_THROWS_WITH(optim::ASGD({.weight_decay = -1}), contains_text("asgd.weight_decay"));
  CHECK_THROWS_WITH(optim::Rprop({.etas = {0, 1.2}}), contains_text("0 < etas.first < 1 < etas.second, at " + line()));
  CHECK_THROWS_WITH(optim::Rprop({.step_sizes = {1, 0.5}}),
                    contains_text("the smallest step size 1 is above the largest 0.5, at " + line()));
  CHECK_THROWS_WITH(optim::Rprop({.step_sizes = {-1, 0.5}}), contains_text("step_size_min"));
  CHECK_THROWS_WITH(optim::SparseAdam({.lr = 0}), contains_text("sparse_adam.lr must not be 0, at " + line()));
  CHECK_THROWS_WITH(optim::SparseAdam({.eps = 0}), contains_text("sparse_adam.eps"));
  CHECK_THROWS_WITH(optim::Adagrad({.lr_decay = -1}), contains_text("lr_decay"));
  CHECK_THROWS_WITH(optim::Adagrad({.initial_accumulator_value = -1}), contains_text("initial_accumulator_value"));
  CHECK_THROWS_WITH(optim::RMSprop({.alpha = -1}), contains_text("alpha"));
  CHECK_THROWS_WITH(optim::Adafactor({.beta2_decay = 0.5}), contains_text("beta2_decay"));
  CHECK_THROWS_WITH(optim::Adafactor({.eps2 = -1}), contains_text("eps2"));
  CHECK_THROWS_WITH(optim::RAdam({.betas = {-0.1, 0.9}}), contains_text("radam.beta1"));
  CHECK_THROWS_WITH(optim::Adamax({.lr = std::nan("")}), contains_text("adamax.lr must lie in [0, inf], not be nan"));
}

TEST_CASE("a group that is added once a step is recorded makes its next call fail, where the step trains its parameters") {
  Slope slope;
  optim::SGD sgd({.lr = 0.5});
  Step step = slope.compile_with(sgd);
  sgd.add_group("other", {Parameter("v", {3.0})}, optim::SGD({.lr = 1}));
  CHECK_NOTHROW(step({{"x", slope.x}}));
  sgd.add_group("slow", {slope.w}, optim::SGD({.lr = 0.125}));
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_WITH(step({{"x", slope.x}}),
                      contains_text("step 'slope'") &&
                          contains_text("'w' is in the group 'slow' of sgd, but was not when the step was recorded") &&
                          contains_text("call add_group() before training_step()"));
  CHECK(slope.w.values<float>() == std::vector<float>{0.5, 1.5});
  slope.compile_with(sgd)({{"x", slope.x}});
  CHECK(slope.w.values<float>() == std::vector<float>{0.375, 1.375});
}

TEST_CASE("the optimizer of a group gets no groups of its own later") {
  optim::SGD sgd, slow;
  sgd.add_group("slow", {}, slow);
  CHECK_THROWS_WITH(slow.add_group("slower", {}, optim::SGD()), contains_text("would know nothing of a group 'slower' of its own"));
}

TEST_CASE("clipping that was on when recorded is not switched off by 0, which would leave no gradient") {
  for (const char* which : {"clip_norm", "clip_value"}) {
    Slope slope;
    optim::SGD sgd({.lr = 0.5});
    Hyper& clip = which == std::string("clip_norm") ? sgd.clip_norm : sgd.clip_value;
    clip = 0.5;
    Step step = slope.compile_with(sgd);
    step({{"x", slope.x}});
    clip = 0;
    CHECK_THROWS_WITH(step({{"x", slope.x}}),
                      contains_text(fmt::format("sgd.{} is 0, to which the step would clip every gradient", which)));
    clip = std::numeric_limits<double>::infinity();
    const float before = slope.w.values<float>()[0];
    step({{"x", slope.x}});
    CHECK(slope.w.values<float>()[0] == before - 0.5f);
  }
}
