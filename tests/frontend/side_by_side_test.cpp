// Several models trained side by side: what each learns, shares, writes and goes on from.

#include <cmath>
#include <filesystem>

#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using test::TempDir;
using weft::testing::line_of;
using weft::testing::points;

namespace {

using Trainers = std::vector<std::pair<std::string, Trainer>>;

/// Two classifiers with weights of their own, the same at each call.
Trainers classifiers() {
  manual_seed(1);
  optim::Adam adam({.lr = 1e-2});
  optim::SGD sgd({.lr = 0.1, .momentum = 0.9});
  nn::Sequential masked(nn::Linear(2, 8), nn::ReLU(), nn::Dropout(0.3), nn::Linear(8, 2)),
      plain(nn::Linear(2, 6), nn::Tanh(), nn::Linear(6, 2));
  return {{"masked", Trainer(masked, cross_entropy, adam)}, {"plain", Trainer(plain, cross_entropy, sgd)}};
}

const Dataset train = points(50), tests = points(20, 500);

FitOptions shuffled(int64_t max_steps = 0) {
  return {.epochs = 3,
          .batch = 16,
          .seed = 5,
          .data = {.shuffle = true},
          .stop = {.max_steps = max_steps},
          .log = "none",
          .program = {.target = Target::reference()}};
}

void check_equal(const History& a, const History& b) {
  CHECK(a.steps == b.steps);
  REQUIRE(a.epochs.size() == b.epochs.size());
  for (size_t i = 0; i < a.epochs.size(); ++i) {
    CHECK(a.epochs[i].train_loss == b.epochs[i].train_loss);
    CHECK(a.epochs[i].test_loss == b.epochs[i].test_loss);
    CHECK(a.epochs[i].test_accuracy() == b.epochs[i].test_accuracy());
  }
}

Trainer line_trainer(const Parameter& w, double lr) {
  optim::SGD sgd({.lr = lr});
  return Trainer([w](Tensor x) { return x * w; }, mse_loss, sgd);
}

}  // namespace

TEST_CASE("side by side, models learn what each learns alone") {
  const Runs together = fit_side_by_side(classifiers(), train, tests, shuffled());
  Trainers apart = classifiers();
  REQUIRE(together.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(together[i].first == apart[i].first);
    CHECK(together[i].second.steps == 3 * 4);
    check_equal(together[i].second, apart[i].second.fit(train, tests, shuffled()));
  }
}

TEST_CASE("models that share a parameter train it in turns, batch by batch") {
  Parameter w("w", {0.0});
  const Dataset data = line_of(3);
  FitOptions options{.batch = 4, .log = "none", .program = {.target = Target::reference()}};
  fit_side_by_side({{"a", line_trainer(w, 0.1)}, {"b", line_trainer(w, 0.02)}}, data, data, options);
  double by_hand = 0;
  for (int64_t first : {0, 4})
    for (double lr : {0.1, 0.02}) {
      double slope = 0;
      for (int64_t i = first; i < first + 4; ++i) slope += 2 * (by_hand - 3) * data.inputs.at(i) * data.inputs.at(i) / 4;
      by_hand -= lr * slope;
    }
  CHECK(w.array().at(0) == Approx(by_hand).epsilon(1e-6));
}

TEST_CASE("a model whose patience ends stops alone, with its best weights") {
  // The slow one is on its way from 0 to 3 all the time and passes 1, where the test loss is smallest, at another epoch.
  Parameter fast("fast", {0.0}), slow("slow", {0.0}), alone("alone", {0.0});
  const Dataset data = line_of(3), other = line_of(1);
  const FitOptions options{.epochs = 100, .batch = 8, .stop = {.patience = 2}, .log = "none", .program = {.target = Target::reference()}};
  const Runs runs = fit_side_by_side({{"fast", line_trainer(fast, 0.05)}, {"slow", line_trainer(slow, 0.01)}}, data, other, options);
  const History &a = runs[0].second, &b = runs[1].second;
  REQUIRE(a.best_epoch > 0);
  REQUIRE(b.best_epoch > a.best_epoch + 2);
  CHECK(std::ssize(a.epochs) == a.best_epoch + 2);
  CHECK(std::ssize(b.epochs) == b.best_epoch + 2);
  line_trainer(alone, 0.05).fit(data, other, options);
  CHECK(fast.array().at(0) == alone.array().at(0));
}

TEST_CASE("training numbers are measured after the epoch, in eval mode, if asked for") {
  Trainers all = classifiers();
  FitOptions options = shuffled();
  options.measure.training_set = options.data.drop_last = true;
  const Runs runs = fit_side_by_side(all, train, tests, options);
  for (size_t i = 0; i < 2; ++i) {
    const Evaluation now = all[i].second.evaluate(train, {.batch = options.batch, .log = "none", .program = options.program});
    CHECK(runs[i].second.last().train_loss == now.loss);
    CHECK(runs[i].second.last().train_accuracy() == now.accuracy());
    CHECK(runs[i].second.steps == 3 * 3);  // what is left out of training is measured all the same
  }
}

TEST_CASE("each model has its own checkpoint, to go on from") {
  const TempDir dir;
  const Runs straight = fit_side_by_side(classifiers(), train, tests, shuffled());
  const auto fit = [&](int64_t steps, const std::string& from, const std::string& to) {
    FitOptions options = shuffled(steps);
    options.checkpoints.resume = from, options.checkpoints.path = to;
    return fit_side_by_side(classifiers(), train, tests, options);
  };
  fit(6, "", dir / "six");
  fit(4, "", dir / "four");
  const Runs resumed = fit(0, dir / "six", dir / "all");
  for (size_t i = 0; i < 2; ++i) check_equal(resumed[i].second, straight[i].second);
  // As after a crash between two files: the one behind catches up.
  std::filesystem::copy_file(dir / "six/plain.safetensors", dir / "four/plain.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  const Runs caught_up = fit(0, dir / "four", "");
  for (size_t i = 0; i < 2; ++i) check_equal(caught_up[i].second, straight[i].second);
  std::filesystem::remove(dir / "four/masked.safetensors");
  CHECK_THROWS_WITH(fit(0, dir / "four", ""), contains_text(dir / "four/masked.safetensors"));
  const Runs nothing_left = fit(6, dir / "six", "");
  CHECK(nothing_left[0].second.steps == 6);
  const Runs cut_short = fit(3, "", dir / "three");
  CHECK(cut_short[0].second.last().epoch == 1);
  CHECK_THROWS_WITH(fit(3, dir / "three", "")[0].second.last(), contains_text("3 steps are made, and no more are wanted"));
}

TEST_CASE("each model has its own files, and a name in those that all share") {
  const TempDir dir;
  FitOptions options = shuffled();
  options.files.metrics = dir / "m.jsonl", options.files.loss_curve = dir / "curves", options.files.tensorboard = dir / "tb",
  options.program.dump_ir = dir / "ir";
  const Runs runs = fit_side_by_side(classifiers(), train, tests, options);
  std::istringstream metrics(test::read_file(dir / "m.jsonl"));
  for (size_t epoch = 0; epoch < 3; ++epoch)
    for (const auto& [name, history] : runs) {
      std::string line;
      REQUIRE(std::getline(metrics, line));
      const auto j = testing::json::parse(line);
      CHECK(j["net"] == name);
      CHECK(j["epoch"] == epoch + 1);
      CHECK(j["test_loss"] == history.epochs[epoch].test_loss);
    }
  for (const std::string name : {"masked", "plain"}) {
    const std::string curve = test::read_file(dir / "curves/" + name + ".csv");
    CHECK(curve.starts_with("step,loss,accuracy\n1,"));
    CHECK(std::count(curve.begin(), curve.end(), '\n') == 1 + 3 * 4);
    CHECK(std::distance(std::filesystem::directory_iterator(dir / "tb/" + name), {}) == 1);
    CHECK(std::filesystem::is_directory(dir / "ir/" + name + "/train_16"));
  }
}

TEST_CASE("the classic log of several models is a line for each and epoch") {
  const TempDir dir;
  std::fflush(stdout);
  const int saved = dup(1);
  REQUIRE(std::freopen((dir / "log").c_str(), "w", stdout));
  FitOptions options = shuffled(4);
  options.log = "classic", options.measure.test_every = 3;
  const Runs runs = fit_side_by_side(classifiers(), train, tests, options);
  std::fflush(stdout);
  dup2(saved, 1);
  close(saved);
  std::string expected;
  for (const auto& [name, h] : runs) {
    REQUIRE(h.evaluations.size() == 1);
    expected +=
        fmt::format("step 3  {:6}  test loss {:.4f}  test acc {:.2f}%\n", name, h.evaluations[0].loss, 100 * h.evaluations[0].accuracy());
  }
  for (const auto& [name, h] : runs)
    expected += fmt::format("Epoch: 01 | {:6} | Train Loss: {:.4f} | Train Acc: {:6.2f}% | Test Loss: {:.4f} | Test Acc: {:6.2f}%\n", name,
                            h.last().train_loss, 100 * h.last().train_accuracy(), h.last().test_loss, 100 * h.last().test_accuracy());
  CHECK(test::read_file(dir / "log") == expected);
}

TEST_CASE("what cannot be trained side by side is refused") {
  const Dataset data = line_of(3);
  Parameter w("w", {0.0}), v("v", {0.0});
  const auto fit = [&](const std::string& first, const std::string& second, FitOptions options = {}) {
    options.log = "none", options.batch = 4, options.program.target = Target::reference();
    return fit_side_by_side({{first, line_trainer(w, 0.1)}, {second, line_trainer(w, 0.1)}}, data, data, options);
  };
  CHECK_THROWS_WITH(fit("a", ""), contains_text("'' cannot be a model's name"));
  CHECK_THROWS_WITH(fit("a", "../b"), contains_text("'../b' cannot be a model's name"));
  CHECK_THROWS_WITH(fit("a", "a"), contains_text("two models are called 'a'"));
  CHECK_THROWS_WITH(fit_side_by_side({}, data, data), contains_text("there is nothing to train"));
  CHECK_THROWS_WITH(fit("a", "b", {.stop = {.patience = 1}}), contains_text("'a' and 'b' share 'w', so that with .stop.patience"));
  const TempDir one, two;
  fit("a", "b", {.stop = {.max_steps = 1}, .checkpoints = {.path = one / ""}});
  fit("a", "b", {.stop = {.max_steps = 2}, .checkpoints = {.path = two / ""}});
  std::filesystem::copy_file(two / "b.safetensors", one / "b.safetensors", std::filesystem::copy_options::overwrite_existing);
  CHECK_THROWS_WITH(fit("a", "b", {.checkpoints = {.resume = one / ""}}),
                    contains_text("'a' and 'b' share 'w', but the files in") && contains_text("are of step 1 and of step 2"));
  CHECK_THROWS_WITH(fit("a", "b", {.checkpoints = {.path = "/dev/null/x"}}), contains_text("cannot make the folder '/dev/null/x'"));
  v.set_values(std::vector<float>{NAN});
  const Trainers broken{{"a", line_trainer(w, 0.1)}, {"b", line_trainer(v, 0.1)}};
  CHECK_THROWS_WITH(fit_side_by_side(broken, data, data, {.log = "none", .program = {.target = Target::reference()}}),
                    contains_text("b: the loss is nan at step 1"));
}
