// Callbacks of a Trainer: when they are called, what they see, and what they may do.

#include <cmath>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line;
using weft::testing::points;

namespace {

FitOptions options(int64_t epochs = 2) { return {.epochs = epochs, .batch = 8, .log = "none"}; }

}  // namespace

TEST_CASE("callbacks: after steps, evaluations and epochs, in their order") {
  nn::Linear net(2, 2);
  optim::SGD sgd({.lr = 0.1});
  std::vector<std::string> calls;
  Trainer trainer(net, cross_entropy, sgd);
  trainer.after_step([&](TrainingState& t) {
    calls.push_back(fmt::format("step {} of epoch {}", t.step(), t.epoch()));
    CHECK(std::isfinite(t.loss()));
    CHECK_THROWS_WITH(t.evaluation(), contains_text("nothing was evaluated") && contains_text("after_evaluation"));
  });
  trainer.after_step([&](TrainingState&) { calls.emplace_back("second"); });
  trainer.after_epoch([&](TrainingState& t) {
    calls.push_back(fmt::format("epoch {}", t.epoch()));
    CHECK(t.history().last().epoch == t.epoch());
    CHECK(t.history().epochs.size() == static_cast<size_t>(t.epoch()));
  });
  trainer.after_evaluation([&](TrainingState& t) {
    calls.push_back(fmt::format("evaluation at {}", t.evaluation().step));
    CHECK(t.evaluation().metrics["accuracy"] == t.evaluation().accuracy());
  });
  FitOptions o = options();
  o.measure.test_every = 3;
  const History h = trainer.fit(points(16), points(8), o);
  CHECK(calls == std::vector<std::string>{"step 1 of epoch 1", "second", "step 2 of epoch 1", "second", "evaluation at 2", "epoch 1",
                                          "evaluation at 3", "step 3 of epoch 2", "second", "step 4 of epoch 2", "second",
                                          "evaluation at 4", "epoch 2"});
  CHECK(h.steps == 4);
}

TEST_CASE("callbacks: they stop a training after a step or an epoch, and its checkpoint goes on") {
  const test::TempDir folder;
  const Dataset data = points(40);
  const auto run = [&](const std::string& resume, int64_t last_step, int64_t last_epoch) {
    manual_seed(1);
    nn::Linear net(2, 2);
    optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
    Trainer trainer(net, cross_entropy, sgd);
    trainer.after_step([&](TrainingState& t) {
      if (t.step() == last_step) t.stop();
    });
    trainer.after_epoch([&](TrainingState& t) {
      if (t.epoch() == last_epoch) t.stop();
    });
    FitOptions o = options(3);
    o.checkpoints = {.path = folder / "run", .resume = resume};
    const History h = trainer.fit(data, o);
    return std::pair(h, net.weight.values<float>());
  };
  const auto [whole, weights] = run("", 0, 0);
  CHECK(whole.steps == 15);
  CHECK(run("", 7, 0).first.steps == 7);
  const auto [rest, resumed] = run(folder / "run", 0, 0);
  CHECK(rest.steps == 15);
  CHECK(resumed == weights);
  CHECK(rest.last().train_loss == whole.last().train_loss);

  const History one = run("", 0, 1).first;
  CHECK(one.steps == 5);
  CHECK(one.epochs.size() == 1);
  CHECK(run(folder / "run", 0, 0).second == weights);
}

TEST_CASE("callbacks: they set hyper-parameters, and the next step uses them") {
  const auto weights = [](const auto& prepare) {
    manual_seed(2);
    nn::Linear net(2, 2);
    optim::SGD sgd({.lr = 0.1});
    Trainer trainer(net, cross_entropy, sgd);
    optim::StepLR schedule(sgd, {.step_size = 1, .gamma = 0.5});
    prepare(trainer, sgd, schedule);
    trainer.fit(points(40), options());
    return net.weight.values<float>();
  };
  const auto by_schedule = weights([](Trainer& t, auto&, auto& schedule) { t.schedule(schedule, Every::step); });
  const auto by_hand = weights([](Trainer& t, auto& sgd, auto&) { t.after_step([&sgd](TrainingState&) { sgd.lr *= 0.5; }); });
  const auto by_rate = weights([](Trainer& t, auto&, auto&) { t.after_step([](TrainingState& now) { now.learning_rate() *= 0.5; }); });
  const auto as_it_was = weights([](Trainer&, auto&, auto&) {});
  CHECK(by_hand == by_schedule);
  CHECK(by_rate == by_schedule);
  CHECK(as_it_was != by_schedule);
}

TEST_CASE("callbacks: those of several models side by side") {
  nn::Linear a(2, 2), b(2, 2);
  optim::SGD of_a({.lr = 0.1}), of_b({.lr = 0.1});
  Trainer first(a, cross_entropy, of_a), second(b, cross_entropy, of_b);
  first.after_step([](TrainingState& t) {
    CHECK(t.name() == "first");
    if (t.step() == 3) t.stop();
  });
  int64_t epochs = 0;
  second.after_epoch([&](TrainingState& t) {
    CHECK(t.name() == "second");
    ++epochs;
  });
  const Runs runs = fit_side_by_side({{"first", first}, {"second", second}}, points(16), points(8), options());
  CHECK(runs[0].second.steps == 3);
  CHECK(runs[1].second.steps == 4);
  CHECK(epochs == 2);
}

TEST_CASE("callbacks: what they log stands on a line of its own") {
  const test::TempDir folder;
  nn::Linear net(2, 2);
  optim::SGD sgd;
  Trainer trainer(net, cross_entropy, sgd);
  trainer.after_epoch([](TrainingState& t) { t.log(fmt::format("epoch {} it was", t.epoch())); });
  const auto logged = [&](const std::string& style) {
    std::fflush(stderr);
    const int saved = dup(2);
    REQUIRE(std::freopen((folder / "log").c_str(), "w", stderr));
    FitOptions o = options(1);
    o.log = style;
    trainer.fit(points(8), o);
    std::fflush(stderr);
    dup2(saved, 2);
    close(saved);
    return test::read_file(folder / "log");
  };
  CHECK_THAT(logged("plain"), contains_text("\nepoch 1 it was\n"));
  CHECK_THAT(logged("bar"), contains_text("\nepoch 1 it was\n"));
  CHECK(logged("none").empty());
}

TEST_CASE("callbacks: a null function is refused, and an error passes through") {
  nn::Linear net(2, 2);
  optim::SGD sgd;
  Trainer trainer(net, cross_entropy, sgd);
  CHECK_THROWS_WITH(trainer.after_step(Callback()), contains_text("the callback is a null function, at " + line()));
  CHECK_THROWS_WITH(trainer.after_epoch(nullptr), contains_text("the callback is a null function"));
  CHECK_THROWS_WITH(trainer.after_evaluation(Callback()), contains_text("the callback is a null function"));
  trainer.after_step([](TrainingState&) { throw std::runtime_error("mine"); });
  CHECK_THROWS_WITH(trainer.fit(points(8), options()), "mine");
}

TEST_CASE("what is measured of each step's batch is there for callbacks, and in the loss curve") {
  const test::TempDir folder;
  nn::Linear net(2, 1);
  optim::SGD sgd({.lr = 0});
  Trainer trainer(
      net, [&](const Tensors& batch) -> Measured { return {mean(square(net(batch["x"]))), {{"first, x", batch["x"][{0, 0}]}}}; }, sgd);
  const Dataset data = points(20);
  std::vector<double> seen;
  trainer.after_step([&](TrainingState& now) {
    seen.push_back(now.measured()["first, x"]);
    CHECK_THROWS_WITH(now.measured()["kl"], contains_text("there is no number called 'kl'"));
  });
  FitOptions o = options(1);
  o.files.loss_curve = folder / "curve";
  trainer.fit(data, o);
  CHECK(seen == std::vector<double>{data.inputs.at(0), data.inputs.at(16), data.inputs.at(32)});
  const std::string curve = test::read_file(o.files.loss_curve);
  CHECK(curve.starts_with("step,loss,\"first, x\"\n1,"));
  CHECK_THAT(curve, contains_text(fmt::format(",{}\n2,", seen[0])) && contains_text(fmt::format(",{}\n", seen[2])));
}

TEST_CASE("a number that was not measured is told from those that were") {
  const NamedNumbers none, one({{"accuracy", 1}}), two({{"loss", 1}, {"f1_score", 2}});
  CHECK_THROWS_WITH(none["f1"], contains_text("nothing is measured; Trainer::metric()"));
  CHECK_THROWS_WITH(one["f1"], contains_text("there is no number called 'f1'") && contains_text("there is 'accuracy'"));
  CHECK_THROWS_WITH(two["kl"], contains_text("there are 'loss', 'f1_score'"));
  CHECK_THROWS_WITH(two["f1_scor"], contains_text("did you mean 'f1_score'"));
}
