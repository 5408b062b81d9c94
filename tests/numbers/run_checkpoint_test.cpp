// weft run: a training step goes on from a checkpoint as the program that saved it does.

#include "weft/runtime/data/npy.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using weft::test::TempDir;

namespace {

struct Net : nn::Module {
  nn::Linear body = add("body", nn::Linear(6, 5)), head = add("head", nn::Linear(5, 3));
  Tensor forward(Tensor x) override { return head(tanh(body(x))); }
};

/// A net in training, by an optimizer with a group of its own.
struct Training {
  explicit Training(const TempDir& dir) {
    manual_seed(3);
    adam.add_group("head", net.head.parameters(), slow);
    Graph g("net");
    const Tensor x = g.input("x", f32, {4, 6}), y = g.input("y", i64, {4});
    const Tensor loss = g.output("loss", cross_entropy(net(x), y));
    step.emplace(compile(training_step(g, loss, net.parameters(), adam), Target::cpu({.threads = 1}), {.dump_ir = dir / "ir"}));
    for (int64_t i = 0; i < 24; ++i) xs.set(i, static_cast<double>(i % 5) - 2);
    for (int64_t i = 0; i < 4; ++i) ys.set(i, static_cast<double>(i % 3));
    write_npy(dir / "x.npy", xs), write_npy(dir / "y.npy", ys);
  }
  double run() { return (*step)({{"x", xs}, {"y", ys}})["loss"].item(); }

  Net net;
  optim::AdamW adam{{.lr = 0.05}}, slow{{.lr = 0.01}};
  std::optional<Step> step;
  Array xs = Array(f32, {4, 6}), ys = Array(i64, {4});
};

test::Ran weft_run(const TempDir& dir, const std::string& options) {
  return test::run_command(WEFT_TOOL " run '" + dir / "ir/net/00-recorded.weft" + "' --input x=" + dir / "x.npy" +
                           " --input y=" + dir / "y.npy" + " --output-dir " + dir / "out" + options);
}

}  // namespace

TEST_CASE("weft run: a checkpoint brings the optimizer's state, numbers and counts", "[tool]") {
  const TempDir dir;
  Training training(dir);
  for (int i = 0; i < 5; ++i) training.run();
  training.adam.lr = 0.03;
  Checkpoint(training.net).add(training.adam).save(dir / "run.safetensors");
  const double loss = training.run();
  const test::Ran ran = weft_run(dir, " --weights " + dir / "run.safetensors");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(read_npy(dir / "out/loss.npy").at(0) == loss);
  for (const auto& [name, parameter] : training.net.named_parameters())
    CHECK(read_npy(dir / "out/" + name + ".npy").values<float>()[0] == parameter.values<float>()[0]);
  CHECK(read_npy(dir / "out/adamw.step.npy").values<int64_t>()[0] == 6);
  // What is set has the last word, and may be set by a part of its name.
  REQUIRE(weft_run(dir, " --weights " + dir / "run.safetensors" + " --set '*.lr=0'").code == 0);
  Net before;
  Checkpoint(before).load(dir / "run.safetensors");
  CHECK(read_npy(dir / "out/head.bias.npy").values<float>()[0] == before.head.bias.values<float>()[0]);
}

TEST_CASE("weft run: beside parameters alone an optimizer is new, with its defaults", "[tool]") {
  const TempDir dir;
  Training training(dir);
  Checkpoint(training.net).save(dir / "net.safetensors");
  training.adam.lr = 1e-3, training.slow.lr = 1e-3;  // the default
  const double loss = training.run();
  const test::Ran ran = weft_run(dir, " --weights " + dir / "net.safetensors");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(read_npy(dir / "out/loss.npy").at(0) == loss);
  CHECK(read_npy(dir / "out/body.weight.npy").values<float>()[0] == training.net.body.weight.values<float>()[0]);
  CHECK(read_npy(dir / "out/adamw.step.npy").values<int64_t>()[0] == 1);
}

TEST_CASE("weft run: what no checkpoint fits is refused", "[tool]") {
  const TempDir dir;
  Training training(dir);
  training.run();
  Net other;
  optim::SGD sgd;
  Graph g("net");
  const Tensor loss = g.output("loss", cross_entropy(other(g.input("x", f32, {4, 6})), g.input("y", i64, {4})));
  compile(training_step(g, loss, other.parameters(), sgd), Target::cpu({.threads = 1}))({{"x", training.xs}, {"y", training.ys}});
  Checkpoint(other).add(sgd).save(dir / "sgd.safetensors");
  const test::Ran ran = weft_run(dir, " --weights " + dir / "sgd.safetensors");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("--weights: '" + dir / "sgd.safetensors" + "': it keeps the optimizer \"sgd\", not adamw"));
  Checkpoint(training.net).add(training.adam).save(dir / "run.safetensors");
  const test::Ran range = weft_run(dir, " --weights " + dir / "run.safetensors" + " --set adamw.beta1=2");
  CHECK(range.code == 1);
  CHECK_THAT(range.err, contains_text("--set adamw.beta1: it must lie in"));
  CHECK_THAT(weft_run(dir, " --zeros --set '*.p=2'").err, contains_text("--set: the program reads no hyper-parameter like '*.p'"));
  CHECK_THAT(weft_run(dir, " --zeros --set '*.lr=2' --set 'adamw.l*=2'").err, contains_text("'adamw.lr' is set twice"));
}
