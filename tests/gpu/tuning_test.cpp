// Algorithms of the library's that are chosen by measurement, and the choice as a part of the plan.

#include <algorithm>

#include "weft/backends/cuda/exec/program.h"
#include "weft/backends/saved/load_step.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/process.h"
#include "weft/weft.h"

using namespace weft;

namespace {

/// Sums of these differ by the order in which they are added.
std::vector<float> numbers(int64_t count, int seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(1.0F / static_cast<float>(3 + (i * 7 + seed) % 29));
  return all;
}

/// Two products alike, and a third one.
Graph products() {
  Graph g("products");
  const Tensor x = g.input("x", f32, {6, 40}), w = g.input("w", f32, {40, 12});
  g.output("y", matmul(x, w));
  g.output("z", matmul(x * 3.0, w));
  g.output("v", matmul(transpose(x), x));
  return g;
}

std::vector<float> run(Step& step) {
  const std::vector<float> x = numbers(240, 0), w = numbers(480, 1);
  const Results results = step({{"x", x}, {"w", w}});
  std::vector<float> all;
  for (const char* name : {"y", "z", "v"}) {
    const std::vector<float> values = results[name].values<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}
std::vector<float> run(SavedStep& step) {
  const std::vector<float> x = numbers(240, 0), w = numbers(480, 1);
  step({{"x", x}, {"w", w}});
  std::vector<float> all;
  for (const char* name : {"y", "z", "v"}) {
    const std::span<const float> values = step.output(name).values<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::vector<float> compiled(const Target& target) {
  const Graph g = products();
  Step step = compile(g, target);
  return run(step);
}

}  // namespace

TEST_CASE("gpu: the fastest algorithm is taken where that was asked for", "[tuning]") {
  const test::FakeCuda gpu;
  const std::vector<float> first = compiled(gpu.target_with_libraries());
  CHECK(gpu.report().products == 3);
  CHECK(compiled(gpu.target_with_libraries({.tune = true})) == first);  // all take as long
  gpu->set_algorithm_time(1, 2);
  CHECK(compiled(gpu.target_with_libraries()) == first);
  const size_t before = gpu.report().products;
  const std::vector<float> second = compiled(gpu.target_with_libraries({.tune = true}));
  CHECK(second != first);
  // Two kinds of products, two algorithms, each called once to begin with and then 7 times; and the step.
  CHECK(gpu.report().products - before == 2 * 2 * 8 + 3);
  gpu->set_algorithm_time(2, 3);
  CHECK(compiled(gpu.target_with_libraries({.tune = true})) == first);
  CHECK(compiled(gpu.target({.tune = true})) == compiled(gpu.target()));  // no library, nothing to choose
}

TEST_CASE("gpu: what was measured is kept with the program", "[tuning]") {
  const test::FakeCuda gpu;
  const test::TempDir dir;
  gpu->set_algorithm_time(1, 2);
  std::vector<float> tuned;
  std::string text;
  {
    const Graph g = products();
    Step step = compile(g, gpu.target_with_libraries({.tune = true}));
    tuned = run(step);
    text = step.ir("plan");
    step.save(dir / "step.weftprog");
  }
  CHECK_THAT(text, contains_text("algorithm = \"130100 sm_80 "));
  // It is read, not measured again: by now the other one would win.
  gpu->set_algorithm_time(1, 0.5);
  const size_t before = gpu.report().products;
  setenv("WEFT_CUDA_DRIVER", test::FakeCuda::file(), 1);
  SavedStep saved = load_step(dir / "step.weftprog");
  CHECK(run(saved) == tuned);
  unsetenv("WEFT_CUDA_DRIVER");
  CHECK(gpu.report().products - before == 3);
}

TEST_CASE("gpu: an algorithm of another library or device is proposed anew", "[tuning]") {
  const test::FakeCuda gpu;
  const auto loaded = [](const std::string& algorithm) -> std::string {
    Graph g("product");
    g.output("z", matmul(g.input("x", f32, {3, 4}), g.input("y", f32, {4, 5})));
    ir::Module module = Recorded(g).module.clone();
    passes::run(module, passes::pipeline("compile"), cuda::target());
    (*module.graph().ops().begin())->set_attribute("algorithm", algorithm);
    try {
      const auto program = cuda::load_program(cuda::lower(module, "sm_80"), {.driver = test::FakeCuda::file()});
      return program->calls().front();
    } catch (const Error& e) {
      return e.what();
    }
  };
  const std::string words = " 0000000000000001 0 0 0 0 0 0 0";
  for (const std::string library : {"120800 sm_80", "130100 sm_90", "130100 sm_80"})  // the last one's check refuses it
    CHECK_THAT(loaded(library + words), contains_text("by cuBLASLt 13.1"));
  for (const std::string wrong : {" 1 2", " x 0 0 0 0 0 0 0", " 0 0 0 0 0 0 0 0 0", ""})
    CHECK_THAT(loaded("130100 sm_80 " + wrong), contains_text("is no algorithm of a product"));
}
