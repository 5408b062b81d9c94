// Parameters and states live on the GPU between steps; whoever asks for them sees the newest, and what the host writes counts.

#include <cstdlib>
#include <cstring>

#include "weft/backends/saved/load_step.h"
#include "weft/runtime/memory_space.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/nets.h"
#include "weft/tests/process.h"

using namespace weft;
using test::NetTraining;

namespace {

bool near(const std::vector<float>& a, const std::vector<float>& b, float tolerance = 1e-5f) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= tolerance)) return false;
  return true;
}

/// Another device's memory, which takes over what it is asked for.
class OtherMemory final : public MemorySpace {
 public:
  std::string_view name() const override { return "another memory"; }
  std::byte* allocate(size_t bytes) override { return static_cast<std::byte*>(std::malloc(bytes)); }
  void release(std::byte* memory) override { std::free(memory); }
  void copy_in(std::byte* to, const std::byte* host, size_t bytes) override { std::memcpy(to, host, bytes); }
  void copy_out(std::byte* host, const std::byte* from, size_t bytes) override { std::memcpy(host, from, bytes); }
};

const NetTraining::Net& net() { return test::net_named("fashion, Adam"); }

}  // namespace

TEST_CASE("gpu: weights after training are the CPU's, and are copied when somebody asks") {
  const test::FakeCuda gpu;
  NetTraining here(net(), Target::cpu()), there(net(), gpu.target());
  for (int n = 0; n < 5; ++n) here.train(n), there.train(n);
  const size_t before = gpu.report().copied_out;
  const std::vector<float> weights = there.weights();
  CHECK(near(weights, here.weights()));
  CHECK(gpu.report().copied_out == before + 4 * weights.size());
  CHECK(there.weights() == weights);
  CHECK(gpu.report().copied_out == before + 4 * weights.size());  // nothing has changed since
}

TEST_CASE("gpu: what the host writes between steps counts, once the step is a graph too") {
  const test::FakeCuda gpu;
  NetTraining here(net(), Target::cpu()), there(net(), gpu.target());
  for (NetTraining* t : {&here, &there})
    for (int n = 0; n < 8; ++n) {
      t->train(n);
      if (n % 3 != 1) continue;
      Parameter p = t->module().parameters().front();
      std::vector<float> values = p.values<float>();
      for (float& x : values) x *= 0.5f;
      p.set_values(values);
    }
  CHECK(near(there.weights(), here.weights()));
}

TEST_CASE("gpu: a learning rate that changes reaches a captured step") {
  const test::FakeCuda gpu;
  NetTraining one(net(), gpu.target()), other(net(), Target::cpu());
  for (NetTraining* t : {&one, &other}) {
    optim::StepLR schedule(t->optimizer(), {.step_size = 2, .gamma = 0.25});
    for (int n = 0; n < 8; ++n) t->train(n), schedule.step();
  }
  CHECK(near(one.weights(), other.weights()));
}

TEST_CASE("gpu: two programs share parameters, and a parameter that moved is found again") {
  const test::FakeCuda gpu;
  NetTraining t(net(), gpu.target()), host(net(), Target::cpu());
  for (int n = 0; n < 6; ++n) {
    CHECK(std::abs(t.train(n) - host.train(n)) < 1e-5);
    CHECK(std::abs(t.evaluate(n) - host.evaluate(n)) < 1e-5);
    // New memory on the device for the same parameter: the graph that was captured must not go on with the old one.
    if (n == 3) t.module().parameters().front().array().storage().read_in(std::make_shared<OtherMemory>());
  }
  CHECK(near(t.weights(), host.weights()));
}

TEST_CASE("gpu: a checkpoint goes on where it was, on either side") {
  const test::FakeCuda gpu;
  const test::TempDir dir;
  NetTraining t(net(), gpu.target());
  for (int n = 0; n < 4; ++n) t.train(n);
  Checkpoint(t.module()).add(t.optimizer()).save(dir / "half");
  for (int n = 4; n < 7; ++n) t.train(n);
  for (const Target& target : {gpu.target(), Target::cpu()}) {
    NetTraining again(net(), target);
    again.train(9);  // what was there before is replaced
    Checkpoint(again.module()).add(again.optimizer()).load(dir / "half");
    for (int n = 4; n < 7; ++n) again.train(n);
    CHECK(near(again.weights(), t.weights()));
  }
}

TEST_CASE("gpu: a batch is read before the call returns") {
  const test::FakeCuda gpu;
  Graph g("double");
  g.output("y", g.input("x", f32, {3}) * 2.0);
  Step step = compile(g, gpu.target());
  std::vector<float> x = {1, 2, 3};
  for (int n = 0; n < 5; ++n) {
    x = {1.0f + n, 2, 3};
    const Results results = step({{"x", x}});
    x = {-7, -7, -7};
    CHECK(results["y"].values<float>() == std::vector<float>{2.0f + 2 * n, 4, 6});
  }
}

TEST_CASE("gpu: steps from which nobody reads anything are fed what was given to each") {
  const test::FakeCuda gpu;
  std::vector<std::vector<float>> all;
  for (const Target& target : {Target::cpu(), gpu.target()}) {
    Parameter w("w", {0.0, 0.0, 0.0});
    Graph g("sum");
    const Tensor x = g.input("x", f32, {3});
    g.output("y", x + 1.0);
    g.update(w, w * 2.0 + x);
    Step step = compile(g, target);
    for (int n = 0; n < 9; ++n) step({{"x", std::vector<float>{1.0f + n, 2, -1.0f * n}}});
    all.push_back(w.values<float>());
  }
  CHECK(all[0] == all[1]);
}

TEST_CASE("gpu: what a step that failed half way still reads is not copied over") {
  const test::FakeCuda gpu;
  gpu->copy_early(true);
  Parameter w("w", {0.0, 0.0, 0.0});
  Graph g("sum");
  const Tensor x = g.input("x", f32, {3}), m = g.input("m", f32, {3, 2}), sum = w + x;
  g.update(w, sum);
  g.output("z", matmul(reshape(sum, {1, 3}), m));
  Step step = compile(g, gpu.target());
  const std::vector<float> ones(6, 1);
  constexpr int invalid_value = 1;
  gpu->fail("cuLaunchKernel", invalid_value, 1);  // the update has been asked for, the product fails
  CHECK_THROWS_WITH(step({{"x", std::vector<float>{1, 2, 3}}, {"m", ones}}), contains_text("cuLaunchKernel"));
  for (int n = 1; n < 4; ++n) step({{"x", std::vector<float>(3, static_cast<float>(10 * n))}, {"m", ones}});
  CHECK(w.values<float>() == std::vector<float>{61, 62, 63});
}

TEST_CASE("gpu: the same seed gives the CPU's dropout masks") {
  const test::FakeCuda gpu;
  std::vector<std::vector<float>> all;
  for (const Target& target : {Target::cpu(), gpu.target()}) {
    manual_seed(3);
    Graph g("masks");
    g.output("y", dropout(g.input("x", f32, {1000}), 0.3, true));
    Step step = compile(g, target);
    all.emplace_back();
    for (int n = 0; n < 4; ++n)
      for (const float v : step({{"x", std::vector<float>(1000, 1)}})["y"].values<float>()) all.back().push_back(v);
  }
  CHECK(all[0] == all[1]);
}

TEST_CASE("gpu: a saved step trains there as the compiled one, without the compiler") {
  const test::FakeCuda gpu;
  const test::TempDir dir;
  setenv("WEFT_CUDA_DRIVER", test::FakeCuda::file(), 1);
  NetTraining compiled(net(), gpu.target());
  Checkpoint(compiled.module()).save(dir / "start");
  compiled.training_step().save(dir / "step.weftprog");
  SavedStep saved = load_step(dir / "step.weftprog");
  saved.load(dir / "start");
  for (int n = 0; n < 6; ++n) {
    const std::vector<float> x(8 * 64, 0.1f * static_cast<float>(n));
    const std::vector<int64_t> y(8, n);
    const double want = compiled.training_step()({{"x", x}, {"y", y}})["loss"].item();
    saved({{"x", x}, {"y", y}});
    CHECK(saved.item("loss") == want);
  }
  unsetenv("WEFT_CUDA_DRIVER");
}
