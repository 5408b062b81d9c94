// A call of the device that fails after it was asked for is found: what was asked is done again, call by call, and the one that fails is
// named by op, layer and line. Where the context is lost, as after an address that is not there, in a new one.

#include "weft/tests/catch.h"
#include "weft/tests/error_of.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/weft.h"

using namespace weft;
using test::error_of;

namespace {

constexpr int illegal_instruction = 715, out_of_resources = 701;

struct Net : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(8, 8));
  nn::Linear fc2 = add("fc2", nn::Linear(8, 8));
  Tensor forward(Tensor x) { return fc2(exp(fc1(x))); }
};

struct Training {
  Net net;
  optim::SGD sgd{{.lr = 0.1}};
  std::optional<Step> step;

  explicit Training(const Target& target) {
    Graph g("net");
    const Tensor x = g.input("x", f32, {4, 8});
    const Tensor loss = g.output("loss", mean(square(net.forward(x))));
    step = compile(training_step(g, loss, net.parameters(), sgd), target);
  }
  Results run() { return (*step)({{"x", std::vector<float>(32, 0.5f)}}); }
  /// The first kernel of a launch, as the list of calls names it: "matmul ... by NAME", or "NAME (f32[8]) -> ...".
  std::string kernel_of(size_t call) const {
    const std::string text = step->calls()[call];
    const size_t by = text.find(" by "), at = by == std::string::npos ? 0 : by + 4;
    return text.substr(at, text.find_first_of(" ,", at) - at);
  }
};

}  // namespace

TEST_CASE("gpu: whichever kernel reads what is not there is named, in the first step and in a graph's launch") {
  size_t calls = 0;
  {
    const test::FakeCuda gpu;
    calls = Training(gpu.target()).step->calls().size();
  }
  REQUIRE(calls > 3);
  for (size_t call = 0; call < calls; ++call)
    for (const int steps_before : {0, 4}) {
      const test::FakeCuda gpu;
      Training training(gpu.target());
      for (int i = 0; i < steps_before; ++i) training.run();
      const std::string kernel = training.kernel_of(call);
      INFO(call << " " << steps_before << " " << training.step->calls()[call]);
      REQUIRE_FALSE(kernel.empty());
      size_t first = call;  // that runs this kernel
      while (first > 0 && training.kernel_of(first - 1) == kernel) --first;
      gpu->fault_in(kernel.c_str());
      const std::string error = error_of([&] { training.run()["loss"].item(); });
      CHECK_THAT(error, contains_text(fmt::format("launch {} of {}, {}", first, calls, training.step->calls()[first])) &&
                            contains_text("Done again call by call in a new context, with parameters as the host had them last") &&
                            contains_text("this one fails") && contains_text("what lies on the device is lost"));
      CHECK_THAT(error, contains_text("failed_calls_test.cpp:"));
      // It stays lost, which is said without doing anything again.
      const std::string later = error_of([&] { training.run()["loss"].item(); });
      CHECK_THAT(later, !contains_text("Done again"));
      gpu->fault_in("");
    }
}

TEST_CASE("gpu: a parameter that is read after a failed step tells of the call, too") {
  const test::FakeCuda gpu;
  Training training(gpu.target());
  training.run();
  gpu->fault_in(training.kernel_of(0).c_str());
  training.run();
  CHECK_THAT(error_of([&] { training.net.fc1.weight.values<float>(); }),
             contains_text("launch 0 of ") && contains_text("matmul") && contains_text("(fc1)"));
}

TEST_CASE("gpu: where the driver makes no other context, that is said") {
  const test::FakeCuda gpu;
  Training training(gpu.target());
  gpu->refuse_contexts(true);
  gpu->fault_in(training.kernel_of(1).c_str());
  CHECK_THAT(error_of([&] { training.run()["loss"].item(); }),
             contains_text("cannot be done again one by one in a new context: cuCtxCreate") && contains_text("WEFT_CUDA_CHECK=1"));
}

TEST_CASE("gpu: a graph that is refused is done again call by call where it is, and what the step updates is put back") {
  const test::FakeCuda gpu;
  Training training(gpu.target());
  for (int i = 0; i < 4; ++i) training.run();
  const std::vector<float> before = training.net.fc2.weight.values<float>();
  gpu->fail("cuGraphLaunch", out_of_resources, 0);
  gpu->fail("cuLaunchKernel", out_of_resources, 2);
  const std::string error = error_of([&] { training.run(); });
  CHECK_THAT(error, contains_text("cuGraphLaunch: error 701") &&
                        contains_text("Done again call by call, this one fails: cuLaunchKernel of ") && contains_text("launch ") &&
                        contains_text("failed_calls_test.cpp:") && !contains_text("is lost"));
  CHECK(training.net.fc2.weight.values<float>() == before);
  training.run();  // the context works
  CHECK(training.net.fc2.weight.values<float>() != before);
}

TEST_CASE("gpu: a failure that does not come again is said to be none of the calls'") {
  const test::FakeCuda gpu;
  Training training(gpu.target());
  training.run();
  gpu->fail("cuStreamSynchronize", illegal_instruction, 0);
  CHECK_THAT(error_of([&] { training.net.fc1.weight.values<float>(); }),
             contains_text("error 715") && contains_text("Done again call by call, nothing failed") && contains_text("WEFT_CUDA_CHECK=1"));
}

TEST_CASE("gpu: a launch that is refused at once is named as it is") {
  const test::FakeCuda gpu;
  Training training(gpu.target());
  gpu->fail("cuLaunchKernel", out_of_resources, 1);
  const std::string error = error_of([&] { training.run(); });
  CHECK_THAT(error, contains_text("cuLaunchKernel of ") && contains_text("launch ") && contains_text("failed_calls_test.cpp:") &&
                        !contains_text("Done again"));
}

TEST_CASE("gpu: a program that is gone is not done again") {
  const test::FakeCuda gpu;
  Training other(gpu.target());
  {
    Training training(gpu.target());
    gpu->fault_in(training.kernel_of(0).c_str());
    training.run();
  }
  CHECK_THAT(error_of([&] { other.run()["loss"].item(); }), contains_text("was told to go wrong") && !contains_text("Done again"));
}
