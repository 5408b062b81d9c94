// What a Trainer's losses and accuracies are means over: what counts, over all batches at once.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

namespace {

const FitOptions quiet{.batch = 4, .log = "none", .program = {.target = Target::reference()}};

/// Ten samples of three numbers, which the model passes on, and their classes.
Dataset samples(const std::vector<int64_t>& classes) {
  const auto n = static_cast<int64_t>(classes.size());
  Array x(f32, {n, 3}), y(i64, {n});
  for (int64_t i = 0; i < 3 * n; ++i) x.set(i, static_cast<double>(i * 7 % 11) / 4);
  for (int64_t i = 0; i < n; ++i) y.set(i, static_cast<double>(classes[static_cast<size_t>(i)]));
  return {.inputs = std::move(x), .targets = std::move(y), .name = "samples"};
}

const std::vector<int64_t> partly{0, -100, 2, 1, -100, -100, -100, -100, 1, 0};  // the second batch counts nothing

/// The identity, with a parameter to train.
struct Pass : nn::Module {
  Parameter scale = add("scale", Parameter("scale", {1.0}));
  Tensor forward(Tensor x) override { return x * scale; }
};

template <class Loss>
Evaluation evaluated(const Loss& loss, const Dataset& data, int64_t batch) {
  optim::SGD sgd({.lr = 0});
  return Trainer(Pass(), loss, sgd).evaluate(data, {.batch = batch, .log = "none", .program = quiet.program});
}

}  // namespace

TEST_CASE("a loss over batches is that of all of them at once") {
  const auto weights = [] { return testing::tensor({1, 5, 10}, {3}); };
  const auto check = [&](const char* name, const auto& loss) {
    INFO(name);
    const Evaluation whole = evaluated(loss, samples(partly), 10);
    REQUIRE(std::isfinite(whole.loss));
    for (const int64_t batch : {1, 3, 4, 7}) {
      const Evaluation got = evaluated(loss, samples(partly), batch);
      CHECK(got.loss == Approx(whole.loss).epsilon(1e-6));
      CHECK(got.accuracy() == whole.accuracy());
    }
  };
  check("ignored", nn::CrossEntropyLoss({.ignore_index = -100}));
  check("ignored and smoothed", nn::CrossEntropyLoss({.ignore_index = -100, .label_smoothing = 0.2}));
  check("class weights", [&](Tensor p, Tensor y) { return cross_entropy(p, y, {.weight = weights(), .ignore_index = -100}); });
  check("mask", [](Tensor p, Tensor y) {
    const Tensor counts = cast(y != -100, f32);
    return sum(cross_entropy(p, select(y == -100, 0, y), {.reduction = "none"}) * counts) / clamp(sum(counts), 1);
  });
  check("several", [](Tensor p, Tensor y) {
    return 0.5 * cross_entropy(p, y, {.ignore_index = -100}) + mean(square(p)) - nll_loss(p, y, {.ignore_index = -100});
  });
  check("mean", [](Tensor p, Tensor) { return mean(square(p)); });
}

TEST_CASE("a training epoch's loss counts targets, and goes on after a batch that counts none") {
  optim::SGD sgd({.lr = 0});
  const History h = Trainer(Pass(), nn::CrossEntropyLoss({.ignore_index = -100}), sgd).fit(samples(partly), samples(partly), quiet);
  CHECK(h.steps == 3);
  CHECK(h.last().train_loss == Approx(h.last().test_loss));
  CHECK(h.last().train_accuracy() == h.last().test_accuracy());

  nn::Linear net(3, 3);
  optim::Adam adam;
  Trainer(net, nn::CrossEntropyLoss({.ignore_index = -100}), adam).fit(samples(partly), quiet);
  for (const float w : net.weight.values<float>()) CHECK(std::isfinite(w));
  Trainer(net, nn::CrossEntropyLoss({.ignore_index = -100}), adam).fit(samples(partly), [] {
    FitOptions o = quiet;
    o.accumulate = 3;
    return o;
  }());
  for (const float w : net.weight.values<float>()) CHECK(std::isfinite(w));
}

TEST_CASE("accuracy is a fraction of the targets that count, however many a sample has") {
  // Scores that are right for even places, in the layout of the loss.
  const int64_t n = 6, t = 5, c = 5;
  for (const bool last : {false, true})
    for (const bool ignoring : {false, true}) {
      INFO(last << ignoring);
      Array x(f32, last ? Shape{n, t, c} : Shape{n, c, t}), y(i64, {n, t});
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < t; ++j) {
          const int64_t right = (i + 2 * j) % c, best = j % 2 == 0 ? right : (right + 1) % c;
          y.set(i * t + j, static_cast<double>(ignoring && j == 1 ? -100 : right));
          for (int64_t k = 0; k < c; ++k) x.set(last ? (i * t + j) * c + k : (i * c + k) * t + j, k == best);
        }
      const Dataset data{.inputs = std::move(x), .targets = std::move(y), .name = "tokens"};
      const double want = ignoring ? 3.0 / 4 : 3.0 / 5;
      const auto loss = [last](Tensor p, Tensor target) {
        return last ? cross_entropy(flatten(p, 0, 1), flatten(target, 0), {.ignore_index = -100})
                    : cross_entropy(p, target, {.ignore_index = -100});
      };
      CHECK(evaluated(loss, data, 4).accuracy() == Approx(want));
      if (last) continue;
      // A loss of one's own says nothing of classes: they lie along axis 1, or else the last.
      const auto own = [](Tensor p, Tensor target) { return mean(square(p)) + 0.0 * sum(cast(target, f32)); };
      CHECK(evaluated(own, data, 4).accuracy() == Approx(want));
    }
}

TEST_CASE("a target that the loss does not take is named, with its sample and what it takes") {
  optim::SGD sgd;
  const auto refused = [&](auto loss, Dataset data, const std::string& what) {
    nn::Linear net(3, 3);
    CHECK_THROWS_WITH(Trainer(net, loss, sgd).fit(data, quiet), contains_text(what) && contains_text("computed at"));
  };
  const Dataset bad = samples({0, -100, 2, 1, 0, 7, 1, 1, 1, 0});
  const std::string sample = "sample 5 of data set 'samples' has the class 7, but the model gives 3 classes";
  refused(nn::CrossEntropyLoss({.ignore_index = -100}), bad, sample + ", so that it takes indices below 3 (or -100); the loss");
  refused(nn::NLLLoss({.ignore_index = -100}), bad, sample + ", so that it takes indices below 3 (or -100); the loss");
  refused([](Tensor p, Tensor y) { return cross_entropy(p, y, {.weight = testing::tensor({1, 2, 3}, {3}), .ignore_index = -100}); }, bad,
          sample);
  refused(nn::MultiMarginLoss(), samples({0, 1, 2, 1, 0, 7, 1, 1, 1, 0}), sample + "; the loss");
  refused(nn::CrossEntropyLoss(), bad, "sample 1 of data set 'samples' has the class -100");
  refused([](Tensor p, Tensor y) { return cross_entropy(p, y - 1); }, samples({1, 2, 3, 0}),
          "sample 3 of data set 'samples' has the class 0");

  Array x(f32, {4, 3}), y(f32, {4, 3});
  y.set(7, 1.5);
  refused([](Tensor p, Tensor t) { return binary_cross_entropy(sigmoid(p), t); },
          {.inputs = std::move(x), .targets = std::move(y), .name = "fractions"},
          "sample 2 of data set 'fractions' has the target 1.5, but the loss takes numbers from 0 to 1");
}

TEST_CASE("a step checks what it is fed, ignored and moved labels too") {
  Graph g("g");
  Tensor s = g.input("s", f32, {2, 3}), y = g.input("y", i64, {2}), z = g.input("z", i64, {2}), p = g.input("p", f32, {2});
  g.output("a", cross_entropy(s, y, {.ignore_index = -100}));
  g.output("b", multi_margin_loss(s, z - 1));
  g.output("c", binary_cross_entropy(sigmoid(sum(s, 1)), p));
  Step step = compile(g, Target::reference());
  const std::vector<float> scores(6, 0.5f);
  const auto run = [&](std::vector<int64_t> a, std::vector<int64_t> b, std::vector<float> c) {
    step({{"s", scores}, {"y", a}, {"z", b}, {"p", c}});
  };
  CHECK_NOTHROW(run({2, -100}, {1, 3}, {0, 1}));
  CHECK_THROWS_WITH(run({2, 3}, {1, 3}, {0, 1}),
                    contains_text("input 'y'") && contains_text("holds indices below 3 (or -100), but element 1 is 3"));
  CHECK_THROWS_WITH(run({2, -1}, {1, 3}, {0, 1}), contains_text("element 1 is -1"));
  CHECK_THROWS_WITH(run({2, 0}, {0, 3}, {0, 1}), contains_text("holds indices from 1 to below 4, but element 0 is 0"));
  CHECK_THROWS_WITH(run({2, 0}, {1, 3}, {0, 1.25f}),
                    contains_text("input 'p'") && contains_text("holds numbers from 0 to 1, but element 1"));
  CHECK_THROWS_WITH(run({2, 0}, {1, 3}, {0, NAN}), contains_text("element 1"));
}
