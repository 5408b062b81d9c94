// Metrics over many batches are those of all samples at once, and stand in all that a training writes.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "weft/runtime/columns.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line;
using weft::testing::points;

namespace {

constexpr int64_t samples = 23, classes = 5;

/// Scores as inputs, which Pass hands on, and classes; every seventh target is ignored, equal scores happen, one class never does.
Dataset scored() {
  Array x(f32, {samples, classes}), y(i64, {samples});
  for (int64_t i = 0; i < samples * classes; ++i) x.set(i, static_cast<double>(i * i % 17) / 4);
  for (int64_t i = 0; i < samples; ++i) y.set(i, i % 7 == 3 ? -100 : static_cast<double>(i * 3 % (classes - 1)));
  return {.inputs = std::move(x), .targets = std::move(y), .name = "scored"};
}

Dataset binary() {
  Array x(f32, {samples}), y(i64, {samples});
  for (int64_t i = 0; i < samples; ++i) x.set(i, static_cast<double>(i * 5 % 13) / 4 - 1.5), y.set(i, i * 3 % 7 > 3);
  return {.inputs = std::move(x), .targets = std::move(y), .name = "binary"};
}

struct Pass : nn::Module {
  Parameter scale = add("scale", Parameter("scale", {1.0}));
  Tensor forward(Tensor x) override { return x * scale; }
};

/// What the metric gives for all batch sizes, in whole batches and in parts.
template <class F>
double measured(const Dataset& data, const F& metric) {
  optim::SGD sgd({.lr = 0});
  Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
  trainer.metric("measured", metric);
  const double whole = trainer.evaluate(data, {.batch = samples, .log = "none"}).metrics["measured"];
  for (const int64_t batch : {1, 4, 10})
    CHECK(trainer.evaluate(data, {.batch = batch, .log = "none"}).metrics["measured"] == Approx(whole).epsilon(1e-6));
  const History history = trainer.fit(data, {.batch = 10, .accumulate = 3, .data = {.shuffle = true}, .log = "none"});
  CHECK(history.last().train_metrics["measured"] == Approx(whole).epsilon(1e-6));
  return whole;
}

struct Counts {
  double hits = 0, predicted = 0, actual = 0;
};

/// The first of the largest scores of sample i.
int64_t predicted_class(const Dataset& data, int64_t i) {
  int64_t best = 0;
  for (int64_t c = 1; c < classes; ++c)
    if (data.inputs.at(i * classes + c) > data.inputs.at(i * classes + best)) best = c;
  return best;
}

std::vector<Counts> counts(const Dataset& data) {
  std::vector<Counts> all(classes);
  for (int64_t i = 0; i < samples; ++i) {
    const auto target = static_cast<int64_t>(data.targets.at(i));
    if (target < 0) continue;
    const int64_t best = predicted_class(data, i);
    all[static_cast<size_t>(best)].predicted++, all[static_cast<size_t>(target)].actual++;
    if (best == target) all[static_cast<size_t>(target)].hits++;
  }
  return all;
}

}  // namespace

TEST_CASE("metrics of classes: accuracy and the best few") {
  const Dataset data = scored();
  double right = 0, counted = 0;
  for (const Counts& c : counts(data)) right += c.hits, counted += c.actual;
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::accuracy(p, y); }) == right / counted);
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::accuracy(p, cast(y, i16)); }) == right / counted);
  for (const int64_t k : {1, 2, 3, 5}) {
    double within = 0;
    for (int64_t i = 0; i < samples; ++i) {
      const double target = data.targets.at(i);
      if (target < 0) continue;
      int64_t above = 0;
      for (int64_t c = 0; c < classes; ++c)
        above += data.inputs.at(i * classes + c) > data.inputs.at(i * classes + static_cast<int64_t>(target));
      within += above < k;
    }
    CHECK(measured(data, [k](Tensor p, Tensor y) { return metrics::top_k_accuracy(p, y, k); }) == within / counted);
  }
}

TEST_CASE("metrics of classes: F1 and intersection over union, averaged in each way") {
  const Dataset data = scored();
  const auto all = counts(data);
  const auto f1 = [](const Counts& c) { return 2 * c.hits / (c.predicted + c.actual); };
  const auto iou = [](const Counts& c) { return c.hits / (c.predicted + c.actual - c.hits); };
  const auto expected = [&](const std::string& average, const auto& score) {
    Counts sums;
    double total = 0, weights = 0;
    for (const Counts& c : all) {
      sums.hits += c.hits, sums.predicted += c.predicted, sums.actual += c.actual;
      if (c.predicted + c.actual == 0) continue;
      const double weight = average == "weighted" ? c.actual : 1;
      total += weight * score(c), weights += weight;
    }
    return average == "micro" ? score(sums) : total / weights;
  };
  for (const char* average : {"macro", "weighted", "micro"}) {
    INFO(average);
    CHECK(measured(data, [&](Tensor p, Tensor y) { return metrics::f1_score(p, y, {.average = average}); }) ==
          Approx(expected(average, f1)));
    CHECK(measured(data, [&](Tensor p, Tensor y) { return metrics::iou(p, y, {.average = average}); }) == Approx(expected(average, iou)));
  }
}

TEST_CASE("metrics of classes: precision and recall, averaged in each way and of each class") {
  const Dataset data = scored();
  const auto all = counts(data);
  const auto precision = [](const Counts& c) { return c.predicted == 0 ? 0 : c.hits / c.predicted; };
  const auto recall = [](const Counts& c) { return c.actual == 0 ? 0 : c.hits / c.actual; };
  const auto check = [&](const auto& score, const auto& metric) {
    double sum = 0, weighted = 0, occur = 0, targets = 0;
    Counts total;
    for (const Counts& c : all) {
      total.hits += c.hits, total.predicted += c.predicted, total.actual += c.actual;
      if (c.predicted + c.actual == 0) continue;
      sum += score(c), weighted += c.actual * score(c), occur += 1, targets += c.actual;
    }
    const auto of = [&](const char* average) {
      return measured(data, [&](Tensor p, Tensor y) { return metric(p, y, {.average = average}); });
    };
    CHECK(of("macro") == Approx(sum / occur));
    CHECK(of("weighted") == Approx(weighted / targets));
    CHECK(of("micro") == Approx(score(total)));
  };
  REQUIRE(all[classes - 1].actual == 0);
  check(precision, metrics::precision);
  check(recall, metrics::recall);

  optim::SGD sgd({.lr = 0});
  Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
  trainer.metric("recall", [](Tensor p, Tensor y) { return metrics::recall(p, y, {.average = "none"}); });
  trainer.metric("of",
                 [](Tensor p, Tensor y) { return metrics::precision(p, y, {.average = "none", .classes = {"a", "b", "c", "d", "e"}}); });
  const NamedNumbers numbers = trainer.evaluate(data, {.batch = 4, .log = "none"}).metrics;
  REQUIRE(metrics::numbers_of(numbers, "recall").size() == classes);
  for (size_t c = 0; c < classes; ++c) {
    INFO(c);
    if (all[c].predicted + all[c].actual == 0) CHECK(std::isnan(numbers[fmt::format("recall.{}", c)]));
    else CHECK(numbers[fmt::format("recall.{}", c)] == Approx(recall(all[c])));
  }
  CHECK(numbers["of.b"] == Approx(precision(all[1])));
  CHECK_THROWS_WITH(metrics::numbers_of(numbers, "precision"), contains_text("no metric of several numbers called 'precision'"));
}

TEST_CASE("metrics of classes: a class that neither targets nor predictions have is no 0") {
  Array x = Array::of({3, 3}, std::vector<float>{2, 1, 0, 1, 2, 0, 2, 1, 0}), y = Array::of({3}, std::vector<int64_t>{0, 1, 1});
  const Dataset data{.inputs = x, .targets = y, .name = "two of three"};
  CHECK(measured(data, [](Tensor p, Tensor t) { return metrics::recall(p, t); }) == Approx((1 + 0.5) / 2));
  optim::SGD sgd({.lr = 0});
  Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
  trainer.metric("recall", [](Tensor p, Tensor t) { return metrics::recall(p, t, {.average = "none"}); });
  const std::vector<double> recalls = metrics::numbers_of(trainer.evaluate(data, {.log = "none"}).metrics, "recall");
  CHECK((recalls[0] == 1 && recalls[1] == 0.5 && std::isnan(recalls[2])));
}

TEST_CASE("metrics of classes: a confusion matrix has targets as rows and predictions as columns") {
  const Dataset data = scored();
  std::vector<double> expected(classes * classes, 0);
  for (int64_t i = 0; i < samples; ++i) {
    const auto target = static_cast<int64_t>(data.targets.at(i));
    if (target < 0) continue;
    const int64_t best = predicted_class(data, i);
    expected[static_cast<size_t>(target * classes + best)]++;
  }
  const auto matrix = [&](const Dataset& of, const metrics::ConfusionMatrix& options) {
    optim::SGD sgd({.lr = 0});
    Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
    trainer.metric("confusion", [&](Tensor p, Tensor y) { return metrics::confusion_matrix(p, y, options); });
    return trainer.evaluate(of, {.batch = 10, .log = "none"}).metrics;
  };
  CHECK(metrics::numbers_of(matrix(data, {}), "confusion") == expected);
  const NamedNumbers by_target = matrix(data, {.normalize = "true", .classes = {"a", "b", "c", "d", "e"}});
  const auto row = [&](size_t c) {
    return std::accumulate(expected.begin() + static_cast<std::ptrdiff_t>(c * classes),
                           expected.begin() + static_cast<std::ptrdiff_t>((c + 1) * classes), 0.0);
  };
  CHECK(by_target["confusion.b.c"] == Approx(expected[1 * classes + 2] / row(1)));
  CHECK(std::isnan(by_target["confusion.e.a"]));  // no target is an e
  const NamedNumbers by_prediction = matrix(data, {.normalize = "pred"}), of_all = matrix(data, {.normalize = "all"});
  double column = 0, total = 0;
  for (size_t c = 0; c < classes; ++c) column += expected[c * classes], total += row(c);
  CHECK(by_prediction["confusion.1.0"] == Approx(expected[1 * classes] / column));
  CHECK(of_all["confusion.1.0"] == Approx(expected[1 * classes] / total));

  std::vector<double> of_two(4, 0);
  const Dataset two = binary();
  for (int64_t i = 0; i < samples; ++i) of_two[static_cast<size_t>(2 * two.targets.at(i)) + (two.inputs.at(i) > 0 ? 1 : 0)]++;
  CHECK(metrics::numbers_of(matrix(two, {}), "confusion") == of_two);
}

TEST_CASE("metrics of several numbers are checked") {
  const auto of = [](std::vector<std::string> parts, size_t count) {
    optim::SGD sgd({.lr = 0});
    Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
    trainer.metric("a", [&](Tensor p, Tensor) {
      return Metric::of_sums({sum(p)}, parts, [count](const Metric::State&) { return std::vector<double>(count, 1); });
    });
    return trainer.evaluate(scored(), {.log = "none"}).metrics;
  };
  CHECK(of({"x", "y"}, 2)["a.y"] == 1);
  CHECK_THROWS_WITH(of({"x", "x"}, 2), contains_text("two of the metric's numbers are called 'x'"));
  CHECK_THROWS_WITH(of({"x", ""}, 2), contains_text("one of the metric's numbers has no name"));
  CHECK_THROWS_WITH(of({}, 0), contains_text("a metric of several numbers needs a name for each"));
  CHECK_THROWS_WITH(of({"x", "y"}, 3), contains_text("the metric 'a' gives 3 numbers, and has names for 2"));
  const auto recall = [](const metrics::AverageOverClasses& options) {
    optim::SGD sgd({.lr = 0});
    Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
    trainer.metric("r", [&](Tensor p, Tensor y) { return metrics::recall(p, y, options); });
    trainer.evaluate(scored(), {.log = "none"});
  };
  CHECK_THROWS_WITH(recall({.average = "none", .classes = {"a"}}), contains_text("there are names of 1 classes, and scores of 5"));
  CHECK_THROWS_WITH(recall({.classes = {"a"}}), contains_text("average must be \"none\""));
}

TEST_CASE("metrics of classes: perplexity is exp of the mean cross entropy") {
  optim::SGD sgd({.lr = 0});
  const double loss = Trainer(Pass(), nn::CrossEntropyLoss({.ignore_index = -100}), sgd).evaluate(scored(), {.log = "none"}).loss;
  CHECK(measured(scored(), [](Tensor p, Tensor y) { return metrics::perplexity(p, y); }) == Approx(std::exp(loss)));
}

TEST_CASE("metrics of pixels: classes along axis 1") {
  Array x(f32, {samples, 3, 2, 2}), y(i64, {samples, 2, 2});
  for (int64_t i = 0; i < x.shape().numel(); ++i) x.set(i, static_cast<double>(i * 7 % 11));
  for (int64_t i = 0; i < y.shape().numel(); ++i) y.set(i, static_cast<double>(i % 3));
  const Dataset data{.inputs = x, .targets = y, .name = "pixels"};
  double right = 0;
  for (int64_t n = 0; n < samples; ++n)
    for (int64_t pixel = 0; pixel < 4; ++pixel) {
      int64_t best = 0;
      for (int64_t c = 1; c < 3; ++c)
        if (x.at((n * 3 + c) * 4 + pixel) > x.at((n * 3 + best) * 4 + pixel)) best = c;
      right += static_cast<double>(best) == y.at(n * 4 + pixel);
    }
  CHECK(measured(data, [](Tensor p, Tensor t) { return metrics::accuracy(p, t); }) == right / (4 * samples));
  CHECK(measured(data, [](Tensor p, Tensor t) { return metrics::f1_score(p, t, {.average = "micro"}); }) == Approx(right / (4 * samples)));
}

TEST_CASE("metrics of two classes by one score") {
  const Dataset data = binary();
  double right = 0, pairs = 0, won = 0;
  Counts c;
  for (int64_t i = 0; i < samples; ++i) {
    const bool predicted = data.inputs.at(i) > 0, actual = data.targets.at(i) > 0;
    right += predicted == actual;
    c.hits += predicted && actual, c.predicted += predicted, c.actual += actual;
    for (int64_t j = 0; j < samples; ++j) {
      if (!actual || data.targets.at(j) > 0) continue;
      pairs++;
      won += data.inputs.at(i) > data.inputs.at(j) ? 1 : data.inputs.at(i) == data.inputs.at(j) ? 0.5 : 0;
    }
  }
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::accuracy(p, y); }) == Approx(right / samples));
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::f1_score(p, y); }) == Approx(2 * c.hits / (c.predicted + c.actual)));
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::iou(p, y); }) == Approx(c.hits / (c.predicted + c.actual - c.hits)));
  CHECK(measured(data, [](Tensor p, Tensor y) { return metrics::auc(p, y); }) == Approx(won / pairs));

  Dataset one_class = data;
  for (int64_t i = 0; i < samples; ++i) one_class.targets.set(i, 1);
  optim::SGD sgd({.lr = 0});
  Trainer trainer(Pass(), [](Tensor p, Tensor) { return mean(p); }, sgd);
  trainer.metric("auc", [](Tensor p, Tensor y) { return metrics::auc(p, y); });
  CHECK(std::isnan(trainer.evaluate(one_class, {.log = "none"}).metrics["auc"]));
}

TEST_CASE("metrics of one's own: means, sums and all elements") {
  const Dataset data = binary();
  double absolute = 0, square_sum = 0, largest = -100, positive = 0, count = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const double x = data.inputs.at(i);
    absolute += std::abs(x), square_sum += x * x, largest = std::max(largest, x);
    if (data.targets.at(i) > 0) positive += x, count++;
  }
  CHECK(measured(data, [](Tensor p, Tensor) { return abs(p); }) == Approx(absolute / samples));
  CHECK(measured(data, [](Tensor p, Tensor) { return mean(abs(p)); }) == Approx(absolute / samples));
  CHECK(measured(data, [](Tensor p, Tensor y) { return Metric::mean(p, y > 0); }) == Approx(positive / count));
  CHECK(measured(data, [](Tensor p, Tensor) {
          return Metric::of_sums({sum(square(p))}, [](const Metric::State& s) { return std::sqrt(s[0][0]); });
        }) == Approx(std::sqrt(square_sum)));
  CHECK(measured(data, [](Tensor p, Tensor) {
          return Metric::of_all({p}, [](const Metric::State& s) { return *std::max_element(s[0].begin(), s[0].end()); });
        }) == Approx(largest));
  CHECK(measured(data, l1_loss) > 0);
}

TEST_CASE("metrics stand in the history, the lines of JSON, TensorBoard's file and the epoch's line") {
  const test::TempDir folder;
  manual_seed(1);
  nn::Linear net(2, 2);
  optim::SGD sgd({.lr = 0.5});
  Trainer trainer(net, cross_entropy, sgd);
  trainer.metric("top 2", [](Tensor p, Tensor y) { return metrics::top_k_accuracy(p, y, 2); });
  trainer.metric("f1", [](Tensor p, Tensor y) { return metrics::f1_score(p, y); });
  FitOptions options{.epochs = 2, .batch = 16, .measure = {.test_every = 2}, .log = "plain"};
  options.files = {.metrics = folder / "m.jsonl", .tensorboard = folder / "tb"};
  std::fflush(stderr);
  const int saved = dup(2);
  REQUIRE(std::freopen((folder / "log").c_str(), "w", stderr));
  const History h = trainer.fit(points(40), points(20, 40), options);
  std::fflush(stderr);
  dup2(saved, 2);
  close(saved);

  std::ifstream file(options.files.metrics);
  std::string text;
  for (const EpochResult& epoch : h.epochs) {
    CHECK(epoch.train_metrics["top 2"] == 1);
    CHECK(epoch.test_metrics["f1"] > 0);
    REQUIRE(std::getline(file, text));
    const auto j = nlohmann::json::parse(text);
    CHECK(j["train_f1"] == epoch.train_metrics["f1"]);
    CHECK(j["test_f1"] == epoch.test_metrics["f1"]);
    CHECK(j["test_top 2"] == 1.0);
    CHECK(j["test_accuracy"] == epoch.test_accuracy());
  }
  REQUIRE(h.evaluations.size() == 3);
  CHECK(h.evaluations[0].metrics["top 2"] == 1);
  const std::string log = test::read_file(folder / "log");
  CHECK_THAT(log, contains_text("f1 " + number_text(h.epochs[1].test_metrics["f1"])) && contains_text("step 2  test loss") &&
                      contains_text("test f1 " + number_text(h.evaluations[0].metrics["f1"])));
  std::string events;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "tb")) events += test::read_file(entry.path());
  CHECK_THAT(events, contains_text("f1/train") && contains_text("f1/test") && contains_text("top 2/test"));
  CHECK_THROWS_WITH(h.last().test_metrics["f2"], contains_text("no number called 'f2'") && contains_text("did you mean 'f1'"));
}

TEST_CASE("metrics of a batch's loss, and one in the accuracy's place") {
  optim::SGD sgd({.lr = 0});
  nn::Linear net(2, 2);
  Trainer trainer(
      net,
      [&](const Tensors& batch) -> Measured {
        const Tensor p = net(batch["x"]);
        return {cross_entropy(p, batch["y"]), {{"f1", metrics::f1_score(p, batch["y"])}, {"mean", batch["x"]}}};
      },
      sgd);
  const Evaluation e = trainer.evaluate(points(30), {.batch = 7, .log = "none"});
  CHECK(!std::isnan(e.accuracy()));
  CHECK(e.metrics["f1"] > 0);
  CHECK(std::isfinite(e.metrics["mean"]));

  Trainer other(net, cross_entropy, sgd);
  other.metric("accuracy", [](Tensor p, Tensor) { return p * 0.0 + 0.25; });
  CHECK(other.evaluate(points(30), {.log = "none"}).accuracy() == 0.25);
}

TEST_CASE("metrics go on with a checkpoint") {
  const test::TempDir folder;
  const auto run = [&](int64_t max_steps, const std::string& resume, const std::string& name) {
    manual_seed(2);
    nn::Linear net(2, 1);
    optim::SGD sgd({.lr = 0.1});
    Trainer trainer(
        nn::Sequential(net, [](Tensor x) { return x.squeeze(1); }),
        [](Tensor p, Tensor y) { return binary_cross_entropy_with_logits(p, cast(y, f32)); }, sgd);
    trainer.metric("auc", [](Tensor p, Tensor y) { return metrics::auc(p, y); }).metric(name, [](Tensor p, Tensor) { return p; });
    FitOptions options{.epochs = 2, .batch = 8, .data = {.shuffle = true}, .log = "none"};
    options.stop.max_steps = max_steps;
    options.checkpoints = {.path = folder / "run", .resume = resume};
    return trainer.fit(points(50), points(20), options);
  };
  const History whole = run(0, "", "mean");
  run(4, "", "mean");
  const History resumed = run(0, folder / "run", "mean");
  REQUIRE(resumed.epochs.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(resumed.epochs[i].train_metrics == whole.epochs[i].train_metrics);
    CHECK(resumed.epochs[i].test_metrics == whole.epochs[i].test_metrics);
  }
}

TEST_CASE("what is no metric is refused") {
  optim::SGD sgd;
  nn::Linear net(2, 2);
  const auto run = [&](const auto& change) {
    Trainer trainer(net, cross_entropy, sgd);
    change(trainer);
    trainer.evaluate(points(10), {.log = "none"});
  };
  const auto mean_of = [](Tensor p, Tensor) { return mean(p); };
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", mean_of).metric("a", mean_of); }), contains_text("two metrics are called 'a'"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("", mean_of); }), contains_text("a metric needs a name"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("loss", mean_of); }), contains_text("cannot be called 'loss'"));
  using F = std::function<Tensor(Tensor, Tensor)>;
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", F()); }), contains_text("the metric is a null function, at " + line()));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor y) { return metrics::auc(p, y); }); }),
                    contains_text("auc: scores and target must have one shape") && contains_text("metrics_test.cpp"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor) { return metrics::f1_score(p, p.flatten(0)); }); }),
                    contains_text("f1_score: scores must be [N, C, ...]") && contains_text("metrics_test.cpp"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor y) { return metrics::iou(p, y, {.average = "mikro"}); }); }),
                    contains_text("not \"mikro\"") && contains_text("metrics_test.cpp"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor y) { return metrics::top_k_accuracy(p, y, 0); }); }),
                    contains_text("k must be positive, not 0"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor) { return metrics::accuracy(p, p.flatten(0)); }); }),
                    contains_text("scores must be [N, C, ...] and target integers [N, ...]"));
  CHECK_THROWS_WITH(run([&](Trainer& t) { t.metric("a", [](Tensor p, Tensor) { return Metric::of_sums({p}, {}); }); }),
                    contains_text("the value is a null function"));
  Trainer of_batches(net, [&](const Tensors& batch) { return mean(net(batch["x"])); }, sgd);
  CHECK_THROWS_WITH(of_batches.metric("a", mean_of),
                    contains_text("knows of no prediction") && contains_text("return the metric with the loss"));
}
