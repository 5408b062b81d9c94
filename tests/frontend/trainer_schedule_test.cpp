// Schedules that a Trainer moves on.

#include <cmath>
#include <map>
#include <memory>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::points;

namespace {

const FitOptions quiet{.epochs = 3, .batch = 16, .data = {.shuffle = true}, .log = "none", .program = {.target = Target::reference()}};

nn::Linear seeded() {
  manual_seed(1);
  return {2, 2};
}

struct Net {
  nn::Linear net = seeded();
  optim::Adam adam{{.lr = 0.1}};
};

std::vector<float> weights(const nn::Linear& net) {
  const auto all = std::as_const(net.weight).values<float>();
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("a trainer moves a schedule after epochs or after steps, as a loop written out does") {
  for (const Every every : {Every::epoch, Every::step}) {
    Net a, b;
    optim::ExponentialLR of_a(a.adam, {.gamma = 0.9}), of_b(b.adam, {.gamma = 0.9});
    Trainer(a.net, cross_entropy, a.adam).schedule(of_a, every).fit(points(40), quiet);

    const Dataset data = points(40);
    Batcher batcher(data, {.batch = 16, .shuffle = true, .seed = quiet.seed});
    std::map<int64_t, Step> steps;
    for (const int64_t size : {16, 8}) {
      Graph g("by_hand");
      Tensor x = g.input("x", f32, {size, 2}), y = g.input("y", i64, {size});
      steps.emplace(size, compile(training_step(g, cross_entropy(b.net(x), y), b.net.parameters(), b.adam), Target::reference()));
    }
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      batcher.start_epoch(epoch);
      while (const Batch* batch = batcher.next()) {
        steps.at(batch->size)({{"x", batch->inputs}, {"y", batch->targets}});
        if (every == Every::step) of_b.step();
      }
      if (every == Every::epoch) of_b.step();
    }
    CHECK(of_a.count() == (every == Every::epoch ? 3 : 9));
    CHECK(a.adam.lr == Approx(0.1 * std::pow(0.9, of_a.count())));
    CHECK(weights(a.net) == weights(b.net));
  }
}

TEST_CASE("a trainer gives ReduceLROnPlateau the test loss") {
  Net n;
  n.adam.lr = 1e-9;  // so that the loss stays where it is
  optim::ReduceLROnPlateau plateau(n.adam, {.factor = 0.5, .patience = 0, .eps = 0});
  Trainer trainer(n.net, cross_entropy, n.adam);
  trainer.schedule(plateau).fit(points(40), points(20, 500), quiet);
  CHECK(n.adam.lr == Approx(0.25e-9));  // not after the first epoch, whose loss is the best so far
  CHECK_THROWS_WITH(trainer.fit(points(40), quiet), contains_text("a ReduceLROnPlateau watches the test loss, but there is no test set"));
  CHECK_THROWS_WITH(trainer.schedule(plateau, Every::step), contains_text("so that it moves after epochs"));
}

TEST_CASE("a trainer refuses the schedule of another optimizer") {
  Net n;
  optim::SGD other;
  optim::StepLR schedule(other, {.step_size = 1});
  CHECK_THROWS_WITH(Trainer(n.net, cross_entropy, n.adam).schedule(schedule),
                    contains_text("moves the learning rate of another optimizer"));
}

TEST_CASE("a trainer's checkpoints keep its schedules' progress, in the midst of an epoch too") {
  const weft::test::TempDir dir;
  const auto run = [&](int64_t max_steps, const std::string& from) {
    Net n;
    optim::LinearLR linear(n.adam, {.start_factor = 1, .end_factor = 0.1, .total_iters = 10});
    FitOptions options = quiet;
    options.stop.max_steps = max_steps;
    options.checkpoints.path = dir / "c.safetensors";
    options.checkpoints.resume = from;
    Trainer(n.net, cross_entropy, n.adam).schedule(linear, Every::step).fit(points(40), options);
    return std::pair(weights(n.net), linear.count());
  };
  const auto straight = run(8, "");
  CHECK(straight.second == 8);
  run(4, "");
  CHECK(run(8, dir / "c.safetensors") == straight);
}

TEST_CASE("a schedule that counts steps is moved after steps, unless the trainer is told otherwise") {
  const auto moved = [](const auto& make, std::optional<Every> every = {}) {
    Net n;
    const auto schedule = make(n.adam);
    Trainer(n.net, cross_entropy, n.adam).schedule(*schedule, every).fit(points(32), quiet);  // 3 epochs of 2 steps
    return schedule->count();
  };
  using optim::LambdaLR, optim::Schedule;
  const auto warm_up = [](const optim::Adam& adam) {
    return std::unique_ptr<LambdaLR>(new LambdaLR(optim::cosine_with_warmup(adam, {.warmup_steps = 2, .total_steps = 6})));
  };
  CHECK(moved(warm_up) == 6);
  CHECK(moved(warm_up, Every::epoch) == 3);
  CHECK(moved([](const auto& a) {
          return std::unique_ptr<LambdaLR>(new LambdaLR(optim::linear_with_warmup(a, {.warmup_steps = 2, .total_steps = 6})));
        }) == 6);
  CHECK(moved([](const auto& a) { return std::unique_ptr<LambdaLR>(new LambdaLR(optim::constant_with_warmup(a, 4))); }) == 6);
  CHECK(moved([](const auto& a) { return std::make_unique<optim::OneCycleLR>(a, optim::OneCycleOptions{.total_steps = 6}); }) == 6);
  CHECK(moved([](const auto& a) { return std::make_unique<optim::CyclicLR>(a, optim::CyclicOptions{}); }) == 6);
  CHECK(moved([](const auto& a) { return std::make_unique<LambdaLR>(a, [](int64_t) { return 1.0; }, Every::step); }) == 6);
  const auto in_a_row = [](bool cycle) {
    return [cycle](const optim::Adam& adam) {
      std::vector<std::shared_ptr<Schedule>> all{std::make_shared<optim::ConstantLR>(adam)};
      if (cycle) all.push_back(std::make_shared<optim::OneCycleLR>(adam, optim::OneCycleOptions{.total_steps = 6}));
      else all.push_back(std::make_shared<optim::ExponentialLR>(adam, optim::ExponentialOptions{}));
      return std::make_unique<optim::SequentialLR>(all, std::vector<int64_t>{2});
    };
  };
  CHECK(moved(in_a_row(true)) == 6);
  CHECK(moved(in_a_row(false)) == 3);
  CHECK(moved([](const auto& a) { return std::make_unique<LambdaLR>(a, [](int64_t) { return 1.0; }); }) == 3);
  CHECK(moved([](const auto& a) { return std::make_unique<optim::CosineAnnealingLR>(a, optim::CosineOptions{.t_max = 3}); }) == 3);
}

TEST_CASE("the learning rate of an epoch's last step stands in the history and in the lines of JSON, and a checkpoint keeps it") {
  const test::TempDir dir;
  const auto train = [&](int64_t epochs, const std::string& resume) {
    Net n;
    optim::StepLR schedule(n.adam, {.step_size = 1, .gamma = 0.5});
    FitOptions options = quiet;
    options.epochs = epochs;
    options.checkpoints = {.path = dir / "run", .resume = resume};
    options.files.metrics = dir / "metrics";
    return Trainer(n.net, cross_entropy, n.adam).schedule(schedule).fit(points(32), options);
  };
  train(2, "");
  const History history = train(3, dir / "run");
  REQUIRE(history.epochs.size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(history.epochs[i].learning_rate == Approx(0.1 * std::pow(0.5, static_cast<double>(i))));
  CHECK_THAT(test::read_file(dir / "metrics"), contains_text("\"lr\":0.025"));
}
