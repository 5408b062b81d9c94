// The training loop: what it computes, compiles, writes and says.

#include <cmath>
#include <fstream>

#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line;

namespace {

/// `count` points in the plane; the class says on which side of a line they are.
Dataset points(int64_t count, int64_t offset = 0) {
  Array x(f32, {count, 2}), y(i64, {count});
  for (int64_t i = 0; i < count; ++i) {
    const double angle = 2.4 * static_cast<double>(i + offset), radius = 0.3 + 0.1 * static_cast<double>((i + offset) % 9);
    x.set(2 * i, radius * std::cos(angle));
    x.set(2 * i + 1, radius * std::sin(angle));
    y.set(i, std::cos(angle) + 0.5 * std::sin(angle) > 0);
  }
  Dataset data{.inputs = std::move(x), .targets = std::move(y), .name = "points"};
  return data;
}

const FitOptions quiet{.batch = 16, .log = "none", .target = Target::reference()};

FitOptions with(void (*change)(FitOptions&)) {
  FitOptions options = quiet;
  change(options);
  return options;
}

}  // namespace

TEST_CASE("a trainer learns, and evaluates in eval mode") {
  manual_seed(1);
  nn::Sequential net(nn::Linear(2, 16), nn::ReLU(), nn::Dropout(0.1), nn::Linear(16, 2));
  optim::Adam adam({.lr = 1e-2});
  const History h = Trainer(net, cross_entropy, adam).fit(points(100), points(37, 1000), with([](FitOptions& o) { o.epochs = 12; }));
  REQUIRE(h.epochs.size() == 12);
  CHECK(h.steps == 12 * 7);  // 6 full batches and one of 4
  CHECK(h.last().epoch == 12);
  CHECK(h.last().train_loss < 0.5 * h.epochs[0].train_loss);
  CHECK(h.last().test_accuracy > 0.9);
  CHECK(h.last().step_us > 0);
  CHECK(h.compile_ms > 0);
  CHECK(net.training());
}

TEST_CASE("its numbers are those of the steps written out") {
  const Dataset train = points(20), test = points(10, 500);
  const auto run = [&](auto&& body) {
    manual_seed(5);
    nn::Linear net(2, 2);
    optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
    return body(net, sgd);
  };
  const auto program = [](const nn::Linear& net, const optim::SGD* sgd, int64_t batch) {
    Graph g("by_hand");
    Tensor y = g.input("y", i64, {batch}), logits = nn::Linear(net)(g.input("x", f32, {batch, 2}));
    Tensor loss = g.output("loss", cross_entropy(logits, y));
    g.output("correct", sum(argmax(logits, 1) == y));
    return compile(sgd ? training_step(g, loss, net.parameters(), *sgd) : Recorded(g), Target::reference());
  };
  const auto feed = [](Step& step, const Dataset& d, int64_t first, int64_t count) {
    return step({{"x", d.inputs.values<float>().subspan(static_cast<size_t>(2 * first), static_cast<size_t>(2 * count))},
                 {"y", d.targets.values<int64_t>().subspan(static_cast<size_t>(first), static_cast<size_t>(count))}});
  };
  const EpochResult got = run([&](nn::Linear& net, optim::SGD& sgd) {
    return Trainer(net, cross_entropy, sgd).fit(train, test, with([](FitOptions& o) { o.batch = 8; })).last();
  });
  run([&](nn::Linear& net, optim::SGD& sgd) {
    Step full = program(net, &sgd, 8), last = program(net, &sgd, 4);
    double loss = 0, correct = 0;
    const auto count = [&](const Results& r) { loss += r["loss"].item(), correct += r["correct"].item(); };
    count(feed(full, train, 0, 8)), count(feed(full, train, 8, 8)), count(feed(last, train, 16, 4));
    CHECK(got.train_loss == Approx(loss / 3));
    CHECK(got.train_accuracy == Approx(correct / 20));
    loss = correct = 0;
    Step full_test = program(net, nullptr, 8), last_test = program(net, nullptr, 2);
    count(feed(full_test, test, 0, 8)), count(feed(last_test, test, 8, 2));
    CHECK(got.test_loss == Approx(loss / 2));
    CHECK(got.test_accuracy == Approx(correct / 10));
    return 0;
  });
}

TEST_CASE("the model is any function, the loss too; it trains what they use") {
  Parameter w("w", {0.0}), b("b", {0.0});
  Array x(f32, {32, 1}), y(f32, {32, 1});
  for (int64_t i = 0; i < 32; ++i) {
    x.set(i, static_cast<double>(i) / 32);
    y.set(i, 3 * static_cast<double>(i) / 32 - 1);
  }
  const Dataset data{.inputs = std::move(x), .targets = std::move(y)};
  optim::SGD sgd({.lr = 0.3});
  Trainer trainer([&](Tensor t) { return t * w + b; }, [](Tensor p, Tensor t) { return mean(square(p - t)); }, sgd);
  const History h = trainer.fit(data, with([](FitOptions& o) { o.epochs = 200; }));
  CHECK(w.array().at(0) == Approx(3).epsilon(0.01));
  CHECK(b.array().at(0) == Approx(-1).epsilon(0.01));
  CHECK(std::isnan(h.last().test_loss));
  CHECK(std::isnan(h.last().train_accuracy));
}

TEST_CASE("it stops after max_steps") {
  nn::Linear net(2, 2);
  optim::SGD sgd;
  const History h = Trainer(net, cross_entropy, sgd).fit(points(100), with([](FitOptions& o) { o.epochs = 5, o.max_steps = 9; }));
  CHECK(h.steps == 9);
  CHECK(h.epochs.size() == 2);
  CHECK(sgd.steps() == 9);
}

TEST_CASE("equal seeds shuffle and drop equally, other seeds do not") {
  const auto final_loss = [](uint64_t seed) {
    manual_seed(1);
    nn::Sequential net(nn::Linear(2, 8), nn::Dropout(0.5), nn::Linear(8, 2));
    optim::SGD sgd({.lr = 0.1});
    FitOptions options = quiet;
    options.shuffle = true;
    options.seed = seed;
    options.epochs = 2;
    return Trainer(net, cross_entropy, sgd).fit(points(50), options).last().train_loss;
  };
  CHECK(final_loss(3) == final_loss(3));
  CHECK(final_loss(3) != final_loss(4));
}

TEST_CASE("a loss that is not finite stops training, with the step and the loss's line") {
  nn::Linear net(2, 2);
  optim::SGD sgd({.lr = 1e39});
  Trainer trainer(net, cross_entropy, sgd);
  const std::string at = line(-1);
  CHECK_THROWS_WITH(trainer.fit(points(100), quiet),
                    contains_text("the loss is ") && contains_text("at step 2 (epoch 1, batch 2)") && contains_text("it is computed at " + at));
  optim::SGD other({.lr = 1e39});
  std::string in_loss;
  Trainer mine(net, [&](Tensor p, Tensor y) { in_loss = line(); return cross_entropy(p, y); }, other);
  net.weight.set_values(std::vector<float>(4, NAN));
  try {
    mine.fit(points(100), quiet);
    FAIL("must throw");
  } catch (const Error& e) {
    CHECK_THAT(e.what(), contains_text("the loss is nan at step 1") && contains_text("it is computed at " + in_loss));
  }
}

TEST_CASE("metrics are one line of JSON per epoch") {
  const test::TempDir folder;
  nn::Linear net(2, 2);
  optim::SGD sgd;
  FitOptions options = quiet;
  options.epochs = 2;
  options.metrics = folder / "m.jsonl";
  const History h = Trainer(net, cross_entropy, sgd).fit(points(40), points(20), options);
  std::ifstream file(options.metrics);
  std::string text;
  for (const EpochResult& epoch : h.epochs) {
    REQUIRE(std::getline(file, text));
    const auto j = testing::json::parse(text);
    CHECK(j.size() == 8);
    CHECK(j["epoch"] == epoch.epoch);
    CHECK(j["train_loss"] == epoch.train_loss);
    CHECK(j["train_accuracy"] == epoch.train_accuracy);
    CHECK(j["test_loss"] == epoch.test_loss);
    CHECK(j["test_accuracy"] == epoch.test_accuracy);
    CHECK(j["step_us"] == epoch.step_us);
    CHECK(j["planned_bytes"] == h.planned_bytes);
    CHECK(j["compile_ms"] == h.compile_ms);
  }
  CHECK_FALSE(std::getline(file, text));
}

TEST_CASE("the classic log prints the lines of PyTorch's quickstart") {
  const test::TempDir folder;
  nn::Linear net(2, 2);
  net.weight.set_values(std::vector<float>(4, 0));
  net.bias.set_values(std::vector<float>(2, 0));
  optim::SGD sgd({.lr = 0});
  std::fflush(stdout);
  const int saved = dup(1);
  REQUIRE(std::freopen((folder / "log").c_str(), "w", stdout));
  FitOptions options = quiet;
  options.batch = 1;
  options.log = "classic";
  const History h = Trainer(net, cross_entropy, sgd).fit(points(101), points(8), options);
  std::fflush(stdout);
  dup2(saved, 1);
  close(saved);
  CHECK(test::read_file(folder / "log") ==
        fmt::format("Epoch 1\n-------------------------------\nloss: 0.693147  [    1/  101]\nloss: 0.693147  [  101/  101]\n"
                    "Test Error: \n Accuracy: {:.1f}%, Avg loss: 0.693147 \n\nDone!\n", 100 * h.last().test_accuracy));
}

TEST_CASE("options and data are checked before anything is compiled") {
  nn::Linear net(2, 2);
  optim::SGD sgd;
  Trainer trainer(net, cross_entropy, sgd);
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.epochs = 0; })), contains_text(".epochs (0) and .batch (16) must be positive"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.log = "loud"; })), contains_text("not \"loud\""));
  CHECK_THROWS_WITH(trainer.fit(points(0), quiet), contains_text("the training set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.fit(points(4), points(0), quiet), contains_text("the test set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.metrics = "/nowhere/m.jsonl"; })), contains_text("/nowhere/m.jsonl"));
  Dataset bad = points(4);
  bad.targets.set(2, 7);
  CHECK_THROWS_WITH(trainer.fit(bad, quiet), contains_text("holds indices below 2, but element 2 is 7"));
}
