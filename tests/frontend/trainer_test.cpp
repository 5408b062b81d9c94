// The training loop: what it computes, compiles, writes and says.

#include <cmath>
#include <filesystem>
#include <fstream>

#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line_of;
using weft::testing::points;

namespace {

const FitOptions quiet{.batch = 16, .log = "none", .program = {.target = Target::reference()}};

EvaluateOptions in_batches(int64_t batch) { return {.batch = batch, .log = "none", .program = quiet.program}; }

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
  CHECK(h.last().test_accuracy() > 0.9);
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
    const auto count = [&](const Results& r, int samples) { loss += samples * r["loss"].item(), correct += r["correct"].item(); };
    count(feed(full, train, 0, 8), 8), count(feed(full, train, 8, 8), 8), count(feed(last, train, 16, 4), 4);
    CHECK(got.train_loss == Approx(loss / 20));
    CHECK(got.train_accuracy() == Approx(correct / 20));
    loss = correct = 0;
    Step full_test = program(net, nullptr, 8), last_test = program(net, nullptr, 2);
    count(feed(full_test, test, 0, 8), 8), count(feed(last_test, test, 8, 2), 2);
    CHECK(got.test_loss == Approx(loss / 10));
    CHECK(got.test_accuracy() == Approx(correct / 10));
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
  CHECK(std::isnan(h.last().train_accuracy()));
}

TEST_CASE("the loss on a data set does not depend on how it is cut into batches") {
  nn::Linear net(2, 2);
  Trainer trainer(net, cross_entropy, optim::SGD());
  const Dataset data = points(20);
  const double whole = trainer.evaluate(data, in_batches(20)).loss;
  CHECK(trainer.evaluate(data, in_batches(19)).loss == Approx(whole).epsilon(1e-6));
  CHECK(trainer.evaluate(data, in_batches(8)).loss == Approx(whole).epsilon(1e-6));
}

TEST_CASE("evaluating again compiles nothing, and sees how the model is now") {
  struct Net : nn::Module {
    nn::Linear fc = add("fc", nn::Linear(2, 2));
    nn::Dropout drop = add("drop", nn::Dropout(0.25));
    double scale = 1;
    Tensor forward(Tensor x) override { return drop(fc(x)) * scale; }
  } net, other;
  const auto trainer_of = [](Net& of) {
    return Trainer(of, [&of](const Tensors& batch) { return cross_entropy(of.forward(batch["x"]), batch["y"]); }, optim::SGD());
  };
  Trainer trainer = trainer_of(net);
  const Dataset data = points(20);
  const auto evaluate = [&](int64_t batch) {
    const int64_t before = compiled_programs();
    const double loss = trainer.evaluate(data, {.batch = batch, .log = "none", .program = {.target = Target::cpu({.threads = 1})}}).loss;
    return std::pair(loss, compiled_programs() - before);
  };
  const auto [first, programs] = evaluate(8);
  CHECK(programs == 2);  // batches of 8, and the last of 4
  CHECK(evaluate(8) == std::pair(first, int64_t{0}));
  // A net of its own that is alike runs the same program on its own weights.
  Trainer second = trainer_of(other);
  const int64_t before = compiled_programs();
  const double of_other = second.evaluate(data, {.batch = 8, .log = "none", .program = {.target = Target::cpu({.threads = 1})}}).loss;
  CHECK(of_other != first);
  CHECK(compiled_programs() == before);
  // Weights are what they are now, and so is what forward() does.
  net.fc.weight.set_values(std::vector<float>(4, 0)), net.fc.bias.set_values(std::vector<float>(2, 0));
  CHECK(evaluate(8).first == Approx(std::log(2.0)));
  CHECK(evaluate(8).second == 0);
  net.fc.bias.set_values(std::vector<float>{1, 0});
  const double biased = evaluate(8).first;
  net.scale = 3;
  const auto [scaled, anew] = evaluate(8);
  CHECK(scaled != Approx(biased));
  CHECK(anew == 2);
  CHECK(evaluate(5).second == 1);
}

TEST_CASE("evaluating and looking for a rate refuse what they are given wrong, by their names") {
  nn::Linear net(2, 2);
  Trainer trainer(net, cross_entropy, optim::SGD());
  CHECK_THROWS_WITH(trainer.evaluate(points(4), {.batch = 0}), contains_text("Trainer::evaluate: .batch (0) must be positive"));
  CHECK_THROWS_WITH(trainer.evaluate(points(4), {.workers = 0}), contains_text("Trainer::evaluate: .workers (0) must be positive"));
  CHECK_THROWS_WITH(trainer.evaluate(points(4), {.log = "loud"}), contains_text("not \"loud\""));
  CHECK_THROWS_WITH(trainer.evaluate(points(0)), contains_text("Trainer::evaluate: the data set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.find_lr(points(4), {.batch = 2, .accumulate = 3}),
                    contains_text("Trainer::find_lr: .accumulate (3) must be positive and not above .batch (2)"));
  CHECK_THROWS_WITH(trainer.find_lr(points(4), {.data = {.overfit = -1}}), contains_text(".data.overfit (-1) must not be negative"));
  CHECK_THROWS_WITH(trainer.find_lr(points(0)), contains_text("Trainer::find_lr: the training set 'points' is empty"));
  CHECK_THROWS_WITH(trainer.find_lr(points(4), {.log = "loud"}), contains_text("not \"loud\""));
  const ProgramOptions no_threads{.target = Target::reference(), .threads = 2};
  const std::string words = "the target 'reference' has no threads: 2 of them would have no effect";
  CHECK_THROWS_WITH(trainer.evaluate(points(4), {.program = no_threads}), words);
  CHECK_THROWS_WITH(trainer.find_lr(points(4), {.program = no_threads}), words);
  CHECK_THROWS_WITH(trainer.fit(points(4), {.program = no_threads}), words);
}

TEST_CASE("modules that a function calls are evaluated in eval mode too, and trained in training mode") {
  manual_seed(3);
  nn::Sequential net(nn::Linear(2, 8), nn::BatchNorm1d(8), nn::Dropout(0.5), nn::Linear(8, 2));
  net.eval();
  optim::SGD sgd({.lr = 0.1});
  Trainer trainer([&](Tensor x) { return net(x); }, cross_entropy, sgd);
  const auto running_mean = [&] {
    for (const auto& [name, buffer] : net.named_buffers())
      if (name == "1.running_mean") return std::as_const(buffer).array().at(0);
    return std::nan("");
  };
  trainer.fit(points(32), quiet);
  const double trained = running_mean();
  CHECK(trained != 0);
  const double loss = trainer.evaluate(points(20, 500), {.batch = 16, .seed = 1, .log = "none"}).loss;
  CHECK(trainer.evaluate(points(20, 500), {.batch = 16, .seed = 2, .log = "none"}).loss == loss);
  CHECK(running_mean() == trained);
  CHECK(!net.training());
  net.train();
  CHECK(trainer.evaluate(points(20, 500), {.batch = 16, .log = "none"}).loss == loss);
  CHECK(net.training());
}

TEST_CASE("it stops after max_steps") {
  nn::Linear net(2, 2);
  optim::SGD sgd;
  const History h = Trainer(net, cross_entropy, sgd).fit(points(100), with([](FitOptions& o) { o.epochs = 5, o.stop.max_steps = 9; }));
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
    options.data.shuffle = true;
    options.seed = seed;
    options.epochs = 2;
    return Trainer(net, cross_entropy, sgd).fit(points(50), options).last().train_loss;
  };
  CHECK(final_loss(3) == final_loss(3));
  CHECK(final_loss(3) != final_loss(4));
}

TEST_CASE("metrics are one line of JSON per epoch") {
  const test::TempDir folder;
  nn::Linear net(2, 2);
  optim::SGD sgd;
  FitOptions options = quiet;
  options.epochs = 2;
  options.files.metrics = folder / "m.jsonl";
  const History h = Trainer(net, cross_entropy, sgd).fit(points(40), points(20), options);
  std::ifstream file(options.files.metrics);
  std::string text;
  for (const EpochResult& epoch : h.epochs) {
    REQUIRE(std::getline(file, text));
    const auto j = testing::json::parse(text);
    CHECK(j.size() == 9);
    CHECK(j["lr"] == 1e-3);
    CHECK(j["epoch"] == epoch.epoch);
    CHECK(j["train_loss"] == epoch.train_loss);
    CHECK(j["train_accuracy"] == epoch.train_accuracy());
    CHECK(j["test_loss"] == epoch.test_loss);
    CHECK(j["test_accuracy"] == epoch.test_accuracy());
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
                    "Test Error: \n Accuracy: {:.1f}%, Avg loss: 0.693147 \n\nDone!\n",
                    100 * h.last().test_accuracy()));
}

namespace {

/// The history of a small classifier, the same each time but for the options.
History classifier(const FitOptions& options, const Dataset& train = points(50)) {
  manual_seed(1);
  nn::Sequential net(nn::Linear(2, 8), nn::ReLU(), nn::Linear(8, 2));
  optim::Adam adam({.lr = 1e-2});
  return Trainer(net, cross_entropy, adam).fit(train, points(20, 500), options);
}

}  // namespace

TEST_CASE("patience stops training when the test loss gets worse, and brings the best weights back") {
  Parameter w("w", {0.0});
  optim::SGD sgd({.lr = 0.02});
  Trainer trainer([&](Tensor x) { return x * w; }, mse_loss, sgd);
  // Training goes from 0 towards 3 and passes 1, where the test loss is smallest.
  const Dataset train = line_of(3), test = line_of(1);
  const History h = trainer.fit(train, test, with([](FitOptions& o) { o.epochs = 100, o.stop.patience = 2; }));
  REQUIRE(h.best_epoch > 1);
  REQUIRE(std::ssize(h.epochs) == h.best_epoch + 2);
  const double best = h.epochs[static_cast<size_t>(h.best_epoch) - 1].test_loss;
  for (const EpochResult& epoch : h.epochs) CHECK(epoch.test_loss >= best);
  double loss = 0;
  for (int64_t i = 0; i < 8; ++i) loss += std::pow((w.array().at(0) - 1) * test.inputs.at(i), 2) / 8;
  CHECK(loss == Approx(best).epsilon(1e-4));
  CHECK(h.kept().test_loss == best);
}

TEST_CASE("overfit trains on the first examples alone") {
  const FitOptions some = with([](FitOptions& o) { o.epochs = 3, o.data.overfit = 20; });
  const History a = classifier(some), b = classifier(with([](FitOptions& o) { o.epochs = 3; }), points(20));
  CHECK(a.steps == 3 * 2);
  CHECK(a.last().train_loss == b.last().train_loss);
  CHECK(a.last().test_loss == b.last().test_loss);
}

TEST_CASE("drop_last leaves the smaller last batch out of training, not out of testing") {
  const History h = classifier(with([](FitOptions& o) { o.epochs = 2, o.data.drop_last = true; }));
  CHECK(h.steps == 2 * 3);
  CHECK(h.last().test_accuracy() * 20 == Approx(std::round(h.last().test_accuracy() * 20)));
}

TEST_CASE("more workers change nothing, transforms included") {
  Dataset images{.inputs = Array(u8, {40, 1, 6, 6}), .targets = Array(i64, {40}), .divisor = 255};
  for (int64_t i = 0; i < images.inputs.shape().numel(); ++i) images.inputs.set(i, static_cast<double>(i * i % 251));
  for (int64_t i = 0; i < 40; ++i) images.targets.set(i, static_cast<double>(i % 2));
  images.transforms = {transforms::random_crop(5, 5, 1), transforms::random_horizontal_flip(), transforms::normalize({0.5f}, {0.25f})};
  const auto losses = [&](int workers, uint64_t seed) {
    manual_seed(1);
    nn::Sequential net(nn::Flatten(), nn::Linear(25, 2));
    optim::SGD sgd({.lr = 0.1});
    FitOptions options = quiet;
    options.epochs = 2, options.data.shuffle = true, options.seed = seed, options.data.workers = workers;
    const History h = Trainer(net, cross_entropy, sgd).fit(images, options);
    return std::pair(h.epochs[0].train_loss, h.epochs[1].train_loss);
  };
  CHECK(losses(4, 2) == losses(1, 2));
  CHECK(losses(1, 3) != losses(1, 2));
}

TEST_CASE("gradient norms are those of the gradients, layer by layer") {
  const auto net = [] {
    manual_seed(3);
    return nn::Sequential(nn::Linear(2, 4), nn::Tanh(), nn::Linear(4, 2));
  };
  nn::Sequential a = net(), b = net();
  optim::SGD sgd({.lr = 0.1}), other({.lr = 0.1});
  const Dataset data = points(16);
  const History h = Trainer(a, cross_entropy, sgd).fit(data, with([](FitOptions& o) { o.measure.gradient_norms = true, o.epochs = 2; }));
  REQUIRE(h.gradient_norms.size() == 2);
  CHECK(h.gradient_norms[0].first == "0");
  CHECK(h.gradient_norms[1].first == "2");
  REQUIRE(h.gradient_norms[0].second.size() == 2);

  Graph g("by_hand");
  Tensor loss = cross_entropy(b(g.input("x", f32, {16, 2})), g.input("y", i64, {16}));
  Step step = compile(training_step(g, loss, b.parameters(), other, {.keep = {"0.weight.grad", "0.bias.grad"}}), Target::reference());
  for (int i = 0; i < 2; ++i) {
    const Results r = step({{"x", data.inputs}, {"y", data.targets}});
    double sum = 0;
    for (const char* name : {"0.weight.grad", "0.bias.grad"})
      for (const float x : r[name].values<float>()) sum += double{x} * x;
    CHECK(h.gradient_norms[0].second[static_cast<size_t>(i)] == Approx(std::sqrt(sum)).epsilon(1e-5));
  }
  const Plot plot = gradient_plot(h);
  REQUIRE(plot.series.size() == 2);
  CHECK(plot.series[1].label == "2");
  CHECK(plot.series[1].x == std::vector<double>{1, 2});
  CHECK(plot.series[1].y == h.gradient_norms[1].second);
  CHECK_THROWS_WITH(gradient_plot(History{}), contains_text(".measure.gradient_norms = true"));
}

TEST_CASE("TensorBoard gets losses and accuracies at the steps of the epochs' ends") {
  const test::TempDir dir;
  FitOptions options = quiet;
  options.epochs = 2;
  options.files.tensorboard = dir / "runs";
  classifier(options);
  std::string events;
  for (const auto& file : std::filesystem::directory_iterator(dir / "runs")) events += test::read_file(file.path().string());
  for (const char* tag : {"loss/train", "loss/test", "accuracy/train", "accuracy/test"}) {
    const size_t first = events.find(tag), second = events.find(tag, first + 1);
    REQUIRE(second != std::string::npos);
    CHECK(events.find(tag, second + 1) == std::string::npos);
  }
  CHECK_THAT(events,
             contains_text(std::string("\x10\x04*")) && contains_text(std::string("\x10\x08*")));  // steps 4 and 8, before a summary
  for (const std::string tag : {"loss/step", "accuracy/step", "\x02lr"}) {                         // with its length
    int count = 0;
    for (size_t at = 0; (at = events.find(tag, at)) != std::string::npos; at += tag.size()) ++count;
    CHECK(count == 8);
  }
}

TEST_CASE("curves of several runs have a name each") {
  History with_tests{.epochs = {{.epoch = 1, .train_loss = 2, .test_loss = 3}, {.epoch = 2, .train_loss = 1, .test_loss = 2.5}}};
  History without{.epochs = {{.epoch = 1, .train_loss = 4, .train_metrics = {{{"accuracy", 0.5}}}}}};
  const Plot losses = loss_plot({{"a", with_tests}, {"b", without}});
  REQUIRE(losses.series.size() == 3);
  CHECK(losses.series[0].label == "a, training");
  CHECK(losses.series[1].label == "a, test");
  CHECK(losses.series[1].x == std::vector<double>{1, 2});
  CHECK(losses.series[1].y == std::vector<double>{3, 2.5});
  CHECK(losses.series[2].label == "b, training");
  const Plot accuracies = accuracy_plot({{"", without}});
  REQUIRE(accuracies.series.size() == 1);
  CHECK(accuracies.series[0].label == "training");
  const Plot test_losses = epoch_plot({{"a", with_tests}, {"b", without}}, "test loss", &EpochResult::test_loss);
  CHECK(test_losses.title == "test loss");
  REQUIRE(test_losses.series.size() == 1);
  CHECK(test_losses.series[0].label == "a");
  CHECK(test_losses.series[0].y == std::vector<double>{3, 2.5});
}
