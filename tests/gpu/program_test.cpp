// Programs for a GPU by themselves: from a text, over memory of the host, as data that may be wrong.

#include "weft/backends/cuda/exec/program.h"
#include "weft/backends/cuda/cuda.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/weft.h"

using namespace weft;

namespace {

/// A parameter that two inputs change.
ProgramData walking() {
  Parameter w("w", {1.0, 2.0, 3.0});
  Graph g("walk");
  const Tensor x = g.input("x", f32, {3});
  g.output("y", w * x);
  g.update(w, w + x);
  ir::Module module = Recorded(g).module.clone();
  passes::run(module, passes::pipeline("compile"), cuda::target());
  return cuda::lower(module, "sm_80");
}

std::unique_ptr<Program> load(ProgramData data) { return cuda::load_program(std::move(data), {.driver = test::FakeCuda::file()}); }

}  // namespace

TEST_CASE("gpu: over memory of the host, an input that is replaced is replaced there") {
  const test::FakeCuda gpu;
  const std::unique_ptr<Program> program = load(walking());
  std::vector<float> w = {1, 2, 3}, x = {1, 0, -1};
  std::vector<std::byte*> inputs;
  for (const Port& port : program->inputs()) inputs.push_back(reinterpret_cast<std::byte*>(port.name == "x" ? x.data() : w.data()));
  for (int n = 0; n < 5; ++n) {
    program->run(inputs);
    CHECK(w == std::vector<float>{2.0f + n, 2, 2.0f - n});
  }
}

TEST_CASE("gpu: constants and slices are where kernels look for them") {
  const test::FakeCuda gpu;
  std::vector<std::vector<float>> all;
  for (const Target& target : {Target::cpu(), gpu.target()}) {
    Graph g("pieces");
    const Tensor x = g.input("x", f32, {40, 3});
    std::vector<float> numbers;
    for (int i = 0; i < 120; ++i) numbers.push_back(static_cast<float>(i * i % 37));
    const Tensor c = constant(Array::of({40, 3}, numbers));
    const Tensor product = matmul(x, transpose(c));
    g.output("y", sum(slice(product, 0, 7, 33) * slice(product, 0, 3, 29) + sum(slice(x * c, 0, 1, 27)), Dims{1}));
    Step step = compile(g, target);
    std::vector<float> fed;
    for (int i = 0; i < 120; ++i) fed.push_back(static_cast<float>(i % 5) - 2);
    all.push_back(step({{"x", fed}})["y"].values<float>());
  }
  CHECK(all[0] == all[1]);  // whole numbers: no rounding
}

TEST_CASE("gpu: a program that is fed nothing runs") {
  const test::FakeCuda gpu;
  Graph g("nothing");
  const Tensor x = cast(arange(40), f32);
  g.output("y", sum(exp(x * -1.0) * x));
  g.output("z", x + 1.0);
  Step here = compile(g, Target::cpu()), there = compile(g, gpu.target());
  for (int n = 0; n < 4; ++n) {
    const Results want = here(), got = there();
    CHECK(got["y"].item() == want["y"].item());
    CHECK(got["z"].values<float>() == want["z"].values<float>());
  }
}

TEST_CASE("gpu: data that contradict themselves are refused with the reason") {
  const test::FakeCuda gpu;
  const auto refusal = [](const std::function<void(ProgramData&)>& damage) -> std::string {
    ProgramData data = walking();
    damage(data);
    try {
      load(std::move(data));
      return "";
    } catch (const Error& e) {
      return e.what();
    }
  };
  CHECK(refusal([](ProgramData&) {}) == "");
  const auto field = [](ProgramData& data, const char* name) -> CallDescriptor::Value& { return data.calls[0].fields.find(name)->second; };
  CHECK_THAT(refusal([](ProgramData& d) { d.calls.pop_back(); }), contains_text("launches, but says what"));
  CHECK_THAT(refusal([](ProgramData& d) { d.calls[0].call = "matmul"; }), contains_text("there is no call 'matmul' of a GPU"));
  CHECK_THAT(refusal([&](ProgramData& d) { field(d, "names") = std::string("nothing"); }),
             contains_text("there is no code of the kernel 'nothing'"));
  CHECK_THAT(refusal([&](ProgramData& d) { field(d, "blocks") = Dims{0}; }), contains_text("a kernel of 0 blocks: a GPU launches 1 to"));
  CHECK_THAT(refusal([&](ProgramData& d) { field(d, "threads") = Dims{4096}; }), contains_text("4096 threads of a block"));
  CHECK_THAT(refusal([&](ProgramData& d) { field(d, "threads") = Dims{1, 1}; }),
             contains_text("says the blocks of 1 and the threads of 2"));
  CHECK_THAT(refusal([&](ProgramData& d) { std::get<Dims>(field(d, "pointers"))[0] = 99; }),
             contains_text("buffer 99, which is not there"));
  CHECK_THAT(refusal([&](ProgramData& d) { std::get<Dims>(field(d, "pointers"))[1] = 1 << 20; }), contains_text("which is not there"));
  CHECK_THAT(refusal([](ProgramData& d) { d.list.launches[0].buffers[0].position = 77; }), contains_text("does not lie where"));
  CHECK_THAT(refusal([](ProgramData& d) { d.code[0].image.resize(d.code[0].image.size() / 2); }),
             contains_text("the driver does not compile"));
  CHECK_THAT(refusal([](ProgramData& d) { d.code.clear(); }), contains_text("the program has no code"));
}
