// Training where parameters, states and results live on a device: the same numbers as on the host, bit for bit, whoever asks for
// them and whenever, and in a steady step nothing is copied but what is fed and what is read.

#include "weft/tests/catch.h"
#include "weft/tests/device/fake_device.h"
#include "weft/tests/process.h"
#include "weft/weft.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(6, 8));
  nn::BatchNorm1d norm = add("norm", nn::BatchNorm1d(8));
  nn::Linear fc2 = add("fc2", nn::Linear(8, 3));
  Tensor forward(Tensor x) override { return fc2(dropout(relu(norm(fc1(x))), 0.25, training())); }
};

/// A net, its optimizer and a step that trains it.
struct Training {
  explicit Training(const Target& target) : adam({.lr = 1e-2}) {
    manual_seed(7);
    net.emplace();
    Graph g("train");
    const Tensor x = g.input("x", f32, {4, 6}), y = g.input("y", i64, {4});
    const Tensor loss = g.output("loss", cross_entropy((*net)(x), y));
    step.emplace(compile(training_step(g, loss, net->parameters(), adam, {.keep = {"fc1.weight.grad"}}), target));
  }

  Results run(int n) {
    std::vector<float> x;
    for (int i = 0; i < 24; ++i) x.push_back(static_cast<float>((i * 7 + n) % 11) / 8 - 0.5f);
    const std::vector<int64_t> y = {n % 3, (n + 1) % 3, 2, 0};
    return (*step)({{"x", x}, {"y", y}});
  }

  std::vector<float> weights() const {
    std::vector<float> all;
    for (const auto& [name, parameter] : net->state_dict())
      for (int64_t i = 0; i < parameter.shape().numel(); ++i) all.push_back(static_cast<float>(parameter.array().at(i)));
    return all;
  }

  optim::Adam adam;
  std::optional<Net> net;
  std::optional<Step> step;
};

std::shared_ptr<test::FakeMemory> new_device() { return std::make_shared<test::FakeMemory>(); }

/// A test's own bytes that were copied since.
struct Copied {
  explicit Copied(const test::FakeMemory& device) : device_(device), in_(device.copied_in()), out_(device.copied_out()) {}
  size_t in() const { return device_.copied_in() - in_; }
  size_t out() const { return device_.copied_out() - out_; }

 private:
  const test::FakeMemory& device_;
  size_t in_, out_;
};

}  // namespace

TEST_CASE("device: training gives the host's numbers, and asks for none of them on the way") {
  const auto device = new_device();
  Training here(Target::cpu()), there(test::fake_target(device));
  for (int i = 0; i < 5; ++i) {
    const double loss = here.run(i)["loss"].item();
    CHECK(there.run(i)["loss"].item() == loss);
  }
  CHECK(there.weights() == here.weights());
}

TEST_CASE("device: in a steady step nothing is copied but what is fed and what is read") {
  const auto device = new_device();
  Training there(test::fake_target(device));
  there.run(0), there.run(1);
  const Copied copied(*device);
  const Results results = there.run(2);
  // x, y, the key, and Adam's four numbers
  CHECK(copied.in() == 24 * 4 + 4 * 8 + 2 * 8 + 4 * 8);
  CHECK(copied.out() == 0);
  results["loss"].item();
  results["loss"].item();
  CHECK(copied.out() == 4);
}

TEST_CASE("device: what the host reads and writes between steps counts") {
  const auto device = new_device();
  Training here(Target::cpu()), there(test::fake_target(device));
  for (Training* t : {&here, &there}) {
    t->run(0);
    std::vector<float> w = t->net->fc1.weight.values<float>();
    for (float& x : w) x *= 0.5f;
    t->net->fc1.weight.set_values(w);
    t->net->fc2.bias.array().set(1, 0.25);
    t->adam.lr = 5e-3;
    t->run(1);
  }
  CHECK(there.weights() == here.weights());
  for (const float x : there.weights()) CHECK(std::isfinite(x));
}

TEST_CASE("device: results are the step's, whatever happens to what they replaced") {
  const auto device = new_device();
  Training here(Target::cpu()), there(test::fake_target(device));
  std::vector<std::vector<float>> got;
  for (Training* t : {&here, &there}) {
    t->run(0);
    const Results r = t->run(1);
    const Result gradient = r["fc1.weight.grad"], weight = r["fc1.weight"];
    t->net->fc1.weight.set_values(std::vector<float>(48, 1.0f));  // the result is from before
    got.push_back(weight.values<float>());
    for (const float x : gradient.values<float>()) got.back().push_back(x);
    CHECK(weight.array().at(0) != 1);
  }
  CHECK(got[0] == got[1]);
}

TEST_CASE("device: programs of both kinds share parameters") {
  const auto device = new_device();
  std::vector<std::vector<float>> logits;
  for (const bool on_device : {false, true}) {
    Training t(on_device ? test::fake_target(device) : Target::cpu());
    t.net->eval();
    Graph g("predict");
    g.output("logits", (*t.net)(g.input("x", f32, {2, 6})));
    t.net->train();
    Step on_host = compile(g, Target::cpu());
    Step beside = compile(g, on_device ? test::fake_target(device) : Target::cpu());
    const std::vector<float> x(12, 0.5f);
    logits.emplace_back();
    for (int i = 0; i < 3; ++i) {
      t.run(i);
      for (Step* step : {&on_host, &beside})
        for (const float v : (*step)({{"x", x}})["logits"].values<float>()) logits.back().push_back(v);
    }
  }
  CHECK(logits[0] == logits[1]);
}

TEST_CASE("device: a step may be fed its own results and parameters") {
  const auto device = new_device();
  std::vector<std::vector<float>> all;
  for (const Target& target : {Target::cpu(), test::fake_target(device)}) {
    Parameter w("w", Array::of({3}, std::vector<float>{1, 2, 3}));
    Graph g("feed");
    const Tensor x = g.input("x", f32, {3});
    g.output("y", x * 2.0 + w);
    g.update(w, w + x);
    Step step = compile(g, target);
    step({{"x", w.array()}});
    const Results first = step({{"x", w.array()}});
    const auto y = first["y"];
    const Results second = step({{"x", y.view<float>()}});
    all.push_back(second["y"].values<float>());
    for (const float v : w.values<float>()) all.back().push_back(v);
  }
  CHECK(all[0] == all[1]);
}

TEST_CASE("device: checkpoints are the host's, and go on on either side") {
  const auto device = new_device();
  const test::TempDir dir;
  const auto save = [](const Training& t, const std::string& path) { Checkpoint(*t.net).add(t.adam).save(path); };
  Training here(Target::cpu()), there(test::fake_target(device));
  for (int i = 0; i < 3; ++i) here.run(i), there.run(i);
  save(here, dir / "here"), save(there, dir / "there");
  CHECK(test::read_file(dir / "here") == test::read_file(dir / "there"));
  for (int i = 3; i < 6; ++i) here.run(i);
  for (const Target& target : {test::fake_target(device), Target::cpu()}) {
    Training again(target);
    again.run(9);  // what was there before is replaced
    Checkpoint(*again.net).add(again.adam).load(dir / "there");
    for (int i = 3; i < 6; ++i) again.run(i);
    CHECK(again.weights() == here.weights());
  }
}

TEST_CASE("device: averages, LBFGS and schedules see the newest numbers") {
  const auto device = new_device();
  std::vector<std::vector<float>> all;
  for (const Target& target : {Target::cpu(), test::fake_target(device)}) {
    Training t(target);
    AveragedWeights average(t.net->parameters());
    optim::StepLR schedule(t.adam, {.step_size = 1, .gamma = 0.5});
    for (int i = 0; i < 4; ++i) {
      t.run(i);
      average.update();
      schedule.step();
    }
    all.push_back(t.weights());
    for (const Parameter& p : average.averages())
      for (const float x : p.values<float>()) all.back().push_back(x);
    Parameter w("w", {3.0, -2.0});
    Graph g("lbfgs");
    const Tensor loss = g.output("loss", sum(square(w - 1.0)));
    LBFGS lbfgs(g, loss, {w}, {}, target);
    lbfgs.step();
    for (const float x : w.values<float>()) all.back().push_back(x);
  }
  CHECK(all[0] == all[1]);
}
