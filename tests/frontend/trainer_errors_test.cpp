// What a Trainer refuses, and what it says then.

#include <cmath>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;
using weft::testing::points;

namespace {

const FitOptions quiet{.batch = 16, .log = "none", .program = {.target = Target::reference()}};

FitOptions with(void (*change)(FitOptions&)) {
  FitOptions options = quiet;
  change(options);
  return options;
}

}  // namespace

namespace {

/// Forgets to register `b`.
struct Forgetful : nn::Module {
  nn::Linear a = add("a", nn::Linear(2, 2));
  nn::Linear b{2, 2};
  std::string line_of_b;
  Tensor forward(Tensor x) override { return line_of_b = line(), b(a(x)); }
};

}  // namespace

TEST_CASE("a layer that the model uses but has not registered is refused, with its line") {
  const auto net = std::make_shared<Forgetful>();
  CHECK_THROWS_WITH(Trainer(std::shared_ptr<nn::Module>(net), cross_entropy, optim::SGD()).fit(points(8), quiet),
                    contains_text("the model uses 'weight' at " + net->line_of_b) && contains_text("which is none of its parameters()") &&
                        contains_text("with add()"));
}

TEST_CASE("a loss that is not finite stops training, with the step and the loss's line") {
  nn::Linear net(2, 2);
  optim::SGD sgd({.lr = 1e39});
  Trainer trainer(net, cross_entropy, sgd);
  const std::string at = line(-1);
  CHECK_THROWS_WITH(trainer.fit(points(100), quiet), contains_text("the loss is ") && contains_text("at step 2 (epoch 1, batch 2)") &&
                                                         contains_text("it is computed at " + at));
  optim::SGD other({.lr = 1e39});
  std::string in_loss;
  Trainer mine(
      net,
      [&](Tensor p, Tensor y) {
        in_loss = line(1);
        return cross_entropy(p, y);
      },
      other);
  net.weight.set_values(std::vector<float>(4, NAN));
  try {
    mine.fit(points(100), quiet);
    FAIL("must throw");
  } catch (const Error& e) {
    CHECK_THAT(e.what(), contains_text("the loss is nan at step 1") && contains_text("it is computed at " + in_loss));
  }
}

TEST_CASE("where the data are no finite numbers, the sample is named") {
  nn::Linear net(2, 2);
  Trainer trainer(net, cross_entropy, optim::SGD());
  Dataset data = points(40);
  data.inputs.set(2 * 17 + 1, NAN);
  CHECK_THROWS_WITH(trainer.fit(data, quiet),
                    contains_text("at step 2 (") && contains_text("Sample 17 of data set 'points' has inputs that are no finite numbers"));
  nn::Linear other(1, 1);
  Dataset far{.inputs = Array(f32, {4, 1}), .targets = Array(f32, {4, 1}), .name = "far"};
  far.targets.set(3, INFINITY);
  CHECK_THROWS_WITH(Trainer(other, mse_loss, optim::SGD()).fit(far, quiet),
                    contains_text("Sample 3 of data set 'far' has a target that is no finite number"));
}

TEST_CASE("a loss that is no scalar is refused, with its line and type") {
  nn::Linear net(2, 1);
  Dataset data{.inputs = Array(f32, {8, 2}), .targets = Array(f32, {8, 1}), .name = "zeros"};
  std::string at;
  Trainer trainer(net, [&](Tensor p, Tensor y) { return at = line(), square(p - y); }, optim::SGD());
  CHECK_THROWS_WITH(trainer.fit(data, quiet), contains_text("the loss must be a floating scalar, not f32[8,1], at ") &&
                                                  contains_text("reduce it first (mean or sum)"));
  CHECK_THROWS_WITH(trainer.fit(data, quiet), contains_text(at));
}

TEST_CASE("options and data are checked before anything is compiled") {
  nn::Linear net(2, 2);
  optim::SGD sgd;
  Trainer trainer(net, cross_entropy, sgd);
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.epochs = 0; })),
                    contains_text("Trainer::fit: .epochs (0) must be positive"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.log = "loud"; })), contains_text("not \"loud\""));
  CHECK_THROWS_WITH(trainer.fit(points(0), quiet), contains_text("the training set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.fit(points(4), points(0), quiet), contains_text("the test set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.files.metrics = "/nowhere/m.jsonl"; })),
                    contains_text("/nowhere/m.jsonl"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.checkpoints.path = "/nowhere/c.safetensors"; })),
                    contains_text("cannot write the checkpoint '/nowhere/c.safetensors': there is no folder '/nowhere'"));
  CHECK(sgd.steps() == 0);
  Dataset bad = points(4);
  bad.targets.set(2, 7);
  const std::string at = "; the loss is computed at " + line().substr(0, line().rfind(':'));
  CHECK_THROWS_WITH(trainer.fit(bad, quiet),
                    contains_text("sample 2 of data set 'points' has the class 7, but the model gives 2 classes" + at));
  CHECK_THROWS_WITH(trainer.fit(points(4), bad, quiet), contains_text("sample 2 of data set 'points' has the class 7"));
  CHECK_THROWS_WITH(trainer.find_lr(bad, {.batch = 16, .log = "none"}), contains_text("sample 2 of data set 'points' has the class 7"));
  bad.targets.set(2, -100);
  CHECK_THROWS_WITH(trainer.fit(bad, quiet),
                    contains_text("sample 2 of data set 'points' has the class -100, but the model gives 2 classes" + at));
  Dataset many = points(4);
  many.class_names = {"a", "b", "c"};
  CHECK_THROWS_WITH(trainer.fit(many, quiet), contains_text("data set 'points' has 3 classes, but the model gives 2" + at));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.stop.patience = 1; })), contains_text("there is no test set"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.stop.patience = -1; })),
                    contains_text(".stop.max_steps (0) and .patience (-1) must not be negative"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.data.overfit = 5; })),
                    contains_text("has 4 examples, so there are no 5 from 0 on"));
  CHECK_THROWS_WITH(
      trainer.fit(points(4), with([](FitOptions& o) { o.data.drop_last = true; })),
      contains_text("has 4 examples, fewer than a batch of 16, and a smaller batch is left out (.data.drop_last): make the batch smaller"));
  CHECK_THROWS_WITH(trainer.fit(points(4), with([](FitOptions& o) { o.data.workers = 0; })),
                    contains_text(".data.workers (0) must be positive"));
}
