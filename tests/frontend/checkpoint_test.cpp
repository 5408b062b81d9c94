// Checkpoints: what is in them, what does not fit them, and training that goes on from them.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <tuple>

#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;

namespace {

struct Model {
  /// With running statistics, or without.
  explicit Model(bool normed = false)
      : net(normed ? nn::Sequential(nn::Linear(4, 8), nn::Tanh(), nn::Dropout(0.3), nn::Linear(8, 3), nn::BatchNorm1d(3))
                   : nn::Sequential(nn::Linear(4, 8), nn::Tanh(), nn::Dropout(0.3), nn::Linear(8, 3))) {}
  nn::Sequential net;
  optim::Adam adam{{.lr = 1e-2, .weight_decay = 1e-3}};
};

Dataset points(int64_t count) {
  Array x(f32, {count, 4}), y(i64, {count});
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < 4; ++j) x.set(4 * i + j, std::sin(static_cast<double>(7 * i + 3 * j)));
    y.set(i, static_cast<double>(i % 3));
  }
  return {.inputs = std::move(x), .targets = std::move(y), .name = "points"};
}

/// 11 batches an epoch, the last one smaller.
FitOptions shuffled(int64_t max_steps) {
  FitOptions options{.epochs = 100, .batch = 8, .seed = 5, .data = {.shuffle = true}, .stop = {.max_steps = max_steps}, .log = "none"};
  options.program.target = Target::cpu({.threads = 1});
  return options;
}

/// Parameters and running statistics.
std::vector<double> weights(const Model& m) {
  std::vector<double> all;
  for (const auto& [name, p] : m.net.state_dict())
    for (int64_t i = 0; i < p.shape().numel(); ++i) all.push_back(p.array().at(i));
  return all;
}

std::string errors(Checkpoint& checkpoint, const std::string& path) {
  try {
    checkpoint.load(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("200 steps are 100, a checkpoint, and 100 in a new process, bit for bit") {
  const Dataset train = points(85), test = points(20);
  manual_seed(1);
  Model m(true);
  Trainer trainer(m.net, cross_entropy, m.adam);
  if (const char* path = std::getenv("WEFT_TEST_RESUME")) {  // the new process
    FitOptions options = shuffled(200);
    options.checkpoints.resume = path;
    options.checkpoints.path = std::string(path) + ".after";
    manual_seed(99);  // what it starts with does not matter
    const History h = trainer.fit(train, test, options);
    CHECK(h.steps == 200);
    CHECK(h.epochs.size() == 19);
    return;
  }
  const TempDir dir;
  FitOptions first = shuffled(100);
  first.checkpoints.path = dir / "run";
  trainer.fit(train, test, first);
  const auto ran = test::run_command("WEFT_TEST_RESUME=" + dir / "run" + " " + std::filesystem::read_symlink("/proc/self/exe").string() +
                                     " '200 steps are 100*'");
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);

  manual_seed(1);
  Model straight(true);
  FitOptions all = shuffled(200);
  all.checkpoints.path = dir / "straight";
  const History h = Trainer(straight.net, cross_entropy, straight.adam).fit(train, test, all);
  Checkpoint(m.net).add(m.adam).load(dir / "run.after");
  CHECK(weights(m) == weights(straight));
  CHECK(m.adam.steps() == 200);
  for (const char* state : {"exp_avg", "exp_avg_sq"})
    CHECK(m.adam.state("0.weight", state).values<float>()[5] == straight.adam.state("0.weight", state).values<float>()[5]);
  const auto resumed = read_safetensors(dir / "run.after"), whole = read_safetensors(dir / "straight");
  const auto position = [](const SafeTensors& file) {  // without the epochs: the time of a step is another one each time
    const std::string text = file.metadata.at("weft.training");
    REQUIRE(text.find("\"samples\"") < text.find("\"terms\""));
    return text.substr(text.find("\"samples\""));
  };
  CHECK(position(resumed) == position(whole));
  CHECK(h.epochs.size() == 19);
}

TEST_CASE("a checkpoint has PyTorch's names, and holds all that an optimizer and a schedule are") {
  const TempDir dir;
  const std::string path = dir / "run.safetensors";
  const std::vector<float> x{1, 2, 3, 4};
  const std::vector<int64_t> y{2};
  const auto program = [&](Model& m) {
    Graph g("step");
    Tensor loss = g.output("loss", cross_entropy(m.net(g.input("x", f32, {1, 4})), g.input("y", i64, {1})));
    return compile(training_step(g, loss, m.net.parameters(), m.adam), Target::reference());
  };
  Model a, b;
  optim::SGD extra({.lr = 0.5});
  a.adam.add_group("head", {a.net.parameters()[2]}, extra);
  optim::StepLR schedule(a.adam, {.step_size = 2});
  Step step = program(a);
  for (int i = 0; i < 3; ++i) step({{"x", x}, {"y", y}}), schedule.step();
  a.adam.beta1 = 0.8;
  Checkpoint saved(a.net);
  saved.add(a.adam).add(schedule);
  saved.notes["mine"] = "text";
  saved.save(path);

  const SafeTensors file = read_safetensors(path);
  std::vector<std::string> names;
  for (const auto& [name, array] : file.tensors) names.push_back(name);
  CHECK(names == std::vector<std::string>{"0.bias", "0.weight", "3.bias", "3.weight", "weft.optimizer0/0.bias/exp_avg",
                                          "weft.optimizer0/0.bias/exp_avg_sq", "weft.optimizer0/0.weight/exp_avg",
                                          "weft.optimizer0/0.weight/exp_avg_sq", "weft.optimizer0/3.bias/exp_avg",
                                          "weft.optimizer0/3.bias/exp_avg_sq"});

  optim::SGD other({.lr = 0.1});
  b.adam.add_group("head", {b.net.parameters()[2]}, other);
  optim::StepLR b_schedule(b.adam, {.step_size = 2});
  Checkpoint loaded(b.net);
  loaded.add(b.adam).add(b_schedule);
  const bool before = GENERATE(true, false);  // the program is compiled
  std::optional<Step> b_step;
  if (before) b_step = program(b);
  loaded.load(path);
  if (!before) b_step = program(b);
  CHECK(weights(b) == weights(a));
  CHECK(b.adam.steps() == 3);
  CHECK(b.adam.beta1 == 0.8);
  CHECK(b.adam.lr == a.adam.lr);
  CHECK(other.lr == extra.lr);
  CHECK(b_schedule.count() == 3);
  CHECK(loaded.notes.at("mine") == "text");
  step({{"x", x}, {"y", y}});
  (*b_step)({{"x", x}, {"y", y}});
  CHECK(weights(b) == weights(a));
  b_schedule.step(), schedule.step();
  CHECK(b.adam.lr == a.adam.lr);

  Model alone;  // the weights of a file with more
  Checkpoint(alone.net).load(path);
  CHECK(Checkpoint(alone.net).add(alone.adam).notes.empty());
}

TEST_CASE("everything that does not fit is named at once, and nothing is changed") {
  const TempDir dir;
  Model m;
  const Array weight(f32, {8, 5}), more(i64, {2}), bias(i64, {8});
  write_safetensors(dir / "other",
                    {{"0.weight", &weight}, {"4.weight", &more}, {"0.bias", &bias}, {"3.bias", &m.net.parameters()[3].array()}});
  const auto before = weights(m);
  Checkpoint checkpoint(m.net);
  CHECK(errors(checkpoint, dir / "other") ==
        "'" + dir / "other" +
            "' does not fit:\n  missing: '3.weight' f32[3,8]\n"
            "  unexpected: '4.weight' i64[2]\n  wrong: '0.weight' is f32[8,5] in the file, but f32[8,4] here\n"
            "  wrong: '0.bias' is i64[8] in the file, but f32[8] here");
  CHECK(weights(m) == before);
  Checkpoint(m.net).save(dir / "weights");
  checkpoint.add(m.adam);
  CHECK(errors(checkpoint, dir / "weights") == "'" + dir / "weights" + "': it keeps tensors alone, neither optimizers nor schedules");
  optim::SGD sgd;
  Checkpoint(m.net).add(sgd).save(dir / "sgd");
  CHECK(errors(checkpoint, dir / "sgd") == "'" + dir / "sgd" + "': it keeps the optimizer sgd, not adam");
  optim::StepLR schedule(m.adam, {});
  Checkpoint(m.net).add(m.adam).add(schedule).save(dir / "schedule");
  CHECK(errors(checkpoint, dir / "schedule") == "'" + dir / "schedule" + "': it keeps 1 optimizers and 1 schedules, not 1 and 0");
}

TEST_CASE("a parameter whose name is not UTF-8 has no place in a checkpoint, with an optimizer or without, and is named") {
  const TempDir dir;
  Parameter w("w\xff", {1.0f});
  optim::Adam adam({.lr = 0.1});
  Graph g("step");
  const Tensor loss = g.output("loss", mean(w * g.input("x", f32, {1})));
  Step step = compile(training_step(g, loss, {w}, adam), Target::cpu());
  step({{"x", std::vector<float>{1}}});
  const std::string why = "'w\\xff' is not UTF-8";
  CHECK_THROWS_AS(Checkpoint({{"w\xff", w}}).add(adam).save(dir / "a"), Error);
  CHECK_THROWS_WITH(Checkpoint({{"w\xff", w}}).add(adam).save(dir / "a"), contains_text(why));
  CHECK_THROWS_WITH(Checkpoint({{"w\xff", w}}).save(dir / "a"), contains_text(why));
  CHECK_THROWS_WITH(step.save(dir / "p.weftprog"), contains_text(why));
}

TEST_CASE("element types are converted within floating ones and within integers") {
  const TempDir dir;
  Parameter a("a", Shape{2}, std::vector<double>{0.1, 2});
  Checkpoint({{"a", a}}).save(dir / "f64");
  Parameter b("b", Shape{2}, std::vector<float>{0, 0});
  Checkpoint({{"a", b}}).load(dir / "f64");
  CHECK(b.values<float>() == std::vector<float>{0.1f, 2});
}

TEST_CASE("a trainer keeps the last and the best, and refuses to go on with other data") {
  const TempDir dir;
  const Dataset train = points(85), test = points(20);
  Model m;
  Trainer trainer(m.net, cross_entropy, m.adam);
  FitOptions options = shuffled(0);
  options.epochs = 3;
  options.checkpoints.path = dir / "run.safetensors";
  options.checkpoints.every = 4;
  options.checkpoints.keep_last = 2;
  options.checkpoints.keep_best = true;
  const History h = trainer.fit(train, test, options);
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) files.insert(entry.path().filename());
  CHECK(files == std::set<std::string>{"run.safetensors", "run.best.safetensors", "run.step-32.safetensors", "run.step-33.safetensors"});
  CHECK(test::read_file(dir / "run.safetensors") == test::read_file(dir / "run.step-33.safetensors"));

  Checkpoint(m.net).load(dir / "run.best.safetensors");
  double best = h.epochs[0].test_loss;
  for (const EpochResult& e : h.epochs) best = std::min(best, e.test_loss);
  Graph g("test");
  m.net.eval();
  Tensor loss = cross_entropy(m.net(g.input("x", f32, {20, 4})), g.input("y", i64, {20}));
  g.output("loss", loss);
  const Results r = compile(g, Target::reference())({{"x", test.inputs.values<float>()}, {"y", test.targets.values<int64_t>()}});
  CHECK(r["loss"].item() < 1.1 * best);

  FitOptions other = options;
  other.checkpoints.resume = dir / "run.safetensors";
  other.batch = 16;
  Model untouched;
  const auto before = weights(untouched);
  CHECK_THROWS_WITH(Trainer(untouched.net, cross_entropy, untouched.adam).fit(train, test, other),
                    contains_text(".batch = 8, .shuffle = true") && contains_text("this is 85 examples, .batch = 16"));
  CHECK(weights(untouched) == before);
  Checkpoint(m.net).add(m.adam).save(dir / "mine");
  other.checkpoints.resume = dir / "mine";
  CHECK_THROWS_WITH(trainer.fit(train, test, other), contains_text("was not written by a Trainer"));
  other = options;
  other.checkpoints.path = "";
  CHECK_THROWS_WITH(trainer.fit(train, test, other),
                    contains_text(".checkpoints.every, .keep_last and .keep_best need a .checkpoints.path"));
}

TEST_CASE("early stopping goes on from a checkpoint: its count and its best weights") {
  const TempDir dir;
  const Dataset train = points(85), test = points(20);
  const auto run = [&](const std::string& resume, int64_t epochs) {
    manual_seed(1);
    Model m;
    m.adam.lr = 0.3;  // the test loss goes up soon
    FitOptions options = shuffled(0);
    options.epochs = epochs, options.stop.patience = 4, options.checkpoints.path = dir / "run", options.checkpoints.resume = resume;
    const History h = Trainer(m.net, cross_entropy, m.adam).fit(train, test, options);
    return std::tuple(h.best_epoch, h.epochs.size(), weights(m));
  };
  const auto straight = run("", 40);
  REQUIRE(std::get<1>(straight) < 40);
  run("", std::get<0>(straight) + 2);
  CHECK(run(dir / "run", 40) == straight);
}
