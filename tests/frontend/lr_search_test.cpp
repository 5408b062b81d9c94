// Looking for a learning rate: what it tries, what it leaves, what it suggests.

#include <cmath>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line_of;
using weft::testing::points;

TEST_CASE("looking for a rate goes through the data as a training does") {
  const auto losses = [](const Dataset& data, const LrSearchOptions& options) {
    manual_seed(1);
    nn::Linear net(2, 2);
    return Trainer(net, cross_entropy, optim::SGD()).find_lr(data, options).losses;
  };
  LrSearchOptions options{.batch = 8, .min_lr = 1e-3, .steps = 5, .log = "none", .program = {.target = Target::reference()}};
  const std::vector<double> of_24 = losses(points(24), options);
  options.data.overfit = 24;
  CHECK(losses(points(32), options) == of_24);
  options.data = {.shuffle = true};
  const std::vector<double> shuffled = losses(points(24), options);
  CHECK(shuffled != of_24);
  options.accumulate = 2;
  const std::vector<double> in_parts = losses(points(24), options);
  for (size_t i = 0; i < 5; ++i) CHECK(in_parts.at(i) == Approx(shuffled.at(i)).epsilon(1e-5));
  options.accumulate = 1;
  options.seed += 1;
  CHECK(losses(points(24), options) != shuffled);
  options.data = {.drop_last = true};
  CHECK(losses(points(30), options) == of_24);
}

TEST_CASE("find_lr follows the loss over growing rates and leaves everything as it was") {
  Parameter w("w", {0.0});
  optim::SGD sgd({.lr = 0.02, .momentum = 0.5});
  Trainer trainer([&](Tensor x) { return x * w; }, mse_loss, sgd);
  const Dataset data = line_of(3);
  trainer.fit(data, {.batch = 4, .log = "none", .program = {.target = Target::reference()}});
  LrSearchOptions options{.batch = 4, .min_lr = 1e-4, .max_lr = 10, .steps = 60, .log = "none"};
  options.program.target = Target::reference();
  const float before = w.values<float>()[0], velocity = sgd.state("w", "momentum_buffer").values<float>()[0];
  const LrSearch found = trainer.find_lr(data, options);
  CHECK(w.values<float>()[0] == before);
  CHECK(sgd.state("w", "momentum_buffer").values<float>()[0] == velocity);
  CHECK(sgd.steps() == 2);
  CHECK(sgd.lr == 0.02);
  REQUIRE(found.losses.size() == found.rates.size());
  REQUIRE(found.losses.size() > 20);
  CHECK(found.losses.size() < 60);  // it diverged
  CHECK(found.rates[0] == Approx(1e-4));
  CHECK(found.rates[1] / found.rates[0] == Approx(std::pow(1e5, 1.0 / 59)));
  // Momentum and noise aside, w x - y shrinks by a factor of 1 - 2 lr mean(x^2) each step, and mean(x^2) is about 1.9.
  CHECK(found.suggestion() > 5e-3);
  CHECK(found.suggestion() < 0.5);
  // The average of one loss is that loss: 9 mean(x^2) (1 - w / 3)^2 over the first batch, x = 1, 1.1, 1.2, 1.3.
  CHECK(found.losses[0] == Approx(std::pow(3 - before, 2) * 1.335).epsilon(1e-4));
  CHECK_THROWS_WITH(trainer.find_lr(data, {.min_lr = 0}), contains_text("0 < .min_lr (0)"));
  CHECK_THROWS_WITH(trainer.find_lr(data, {.batch = 0}), contains_text(".batch (0) must be positive"));
  const LrSearch rising{.rates = std::vector<double>(20, 0.1), .losses = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  CHECK_THROWS_WITH(rising.suggestion(), contains_text("none after the first 10 made the loss smaller"));
}

TEST_CASE("the suggested rate is where the loss falls fastest before its smallest") {
  LrSearch search;
  for (int i = 0; i < 30; ++i) search.rates.push_back(i);
  for (int i = 0; i < 30; ++i) search.losses.push_back(i == 0 ? 99 : i < 15 ? 50 : i < 16 ? 40 : i < 20 ? 39 - i : i < 25 ? 500 : 100);
  CHECK(search.suggestion() == 15);  // not the drop at the start, nor that from 500 to 100
}
