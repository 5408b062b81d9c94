// What is missing is said exactly, what fails is named, and nothing is left behind.

#include "weft/tests/catch.h"
#include "weft/tests/error_of.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/nets.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using test::error_of;

namespace {

constexpr int illegal_instruction = 715, unknown = 999;

Step doubling(const Target& target, int64_t elements = 8) {
  Graph g("double");
  g.output("y", g.input("x", f32, {elements}) * 2.0);
  return compile(g, target);
}

}  // namespace

TEST_CASE("gpu: without a driver, or a device of that number, it is said what is missing") {
  CHECK_THAT(error_of([] { doubling(Target::cuda({.driver = "/nowhere/libcuda.so.1"})); }),
             contains_text("there is no CUDA driver on this machine") && contains_text("/nowhere/libcuda.so.1") &&
                 contains_text("install NVIDIA's driver"));
  const test::FakeCuda gpu;
  CHECK_THAT(error_of([&] { doubling(gpu.target({.device = 3})); }), contains_text("there is no CUDA device 3: the driver finds 1"));
  CHECK_THAT(error_of([] { Target::cuda({.device = -1}); }), contains_text(".device must not be negative"));
  CHECK_THAT(error_of([] { Target::cuda({.arch = "sm_12"}); }), contains_text("unknown GPU architecture 'sm_12'"));
  CHECK_THAT(error_of([] { Target::from_name("cuda:x"); }), contains_text("'cuda:x' is no device"));
  CHECK(Target::from_name("cuda:1").name() == "cuda");
}

TEST_CASE("gpu: a library that is no driver is refused with what it lacks") {
  CHECK_THAT(error_of([] { doubling(Target::cuda({.driver = "libm.so.6"})); }), contains_text("'libm.so.6' has no cuInit"));
}

TEST_CASE("gpu: code for newer GPUs than the device is refused, with both") {
  const test::FakeCuda gpu;
  gpu->set_capability(7, 5);
  CHECK_THAT(error_of([&] { doubling(gpu.target({.arch = "sm_90"})); }),
             contains_text("the program has code for sm_90 and newer") && contains_text("is sm_75"));
  Step step = doubling(gpu.target());  // the device's own
  CHECK(step({{"x", std::vector<float>(8, 1)}})["y"].values<float>()[7] == 2);
}

TEST_CASE("gpu: code with a letter behind its number is for that GPU alone") {
  for (const int major : {8, 9, 10, 12}) {
    INFO(major);
    const test::FakeCuda gpu;
    gpu->set_capability(major, 0);
    const std::string error = error_of([&] { doubling(gpu.target({.arch = "sm_90a"})); });
    if (major == 9) CHECK(error.empty());
    else CHECK_THAT(error, contains_text("the program has code for sm_90a alone; CUDA device"));
  }
}

TEST_CASE("gpu: WEFT_CUDA_CHECK is 0 or 1") {
  const test::FakeCuda gpu;
  setenv("WEFT_CUDA_CHECK", "yes", 1);
  const std::string error = error_of([&] { doubling(gpu.target()); });
  unsetenv("WEFT_CUDA_CHECK");
  CHECK(error == "WEFT_CUDA_CHECK must be 0 or 1, not 'yes'");
}

TEST_CASE("gpu: too little memory is said with what it was for, and nothing stays allocated") {
  const test::FakeCuda gpu;
  gpu->limit_memory(1 << 16);
  CHECK_THAT(error_of([&] {
               Step step = doubling(gpu.target(), 1 << 15);
               step({{"x", std::vector<float>(1 << 15, 1)}});
             }),
             contains_text("has no 131072 bytes") && contains_text("65536 bytes"));
}

TEST_CASE("gpu: whichever call of the driver fails, it is named, and nothing is left behind") {
  for (const char* function :
       {"cuDeviceGetCount", "cuDevicePrimaryCtxRetain", "cuStreamCreate", "cuMemAlloc_v2", "cuMemHostAlloc", "cuModuleLoadDataEx",
        "cuModuleGetFunction", "cuEventCreate", "cuMemcpyHtoDAsync_v2", "cuLaunchKernel", "cuEventRecord", "cuStreamWaitEvent",
        "cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch", "cuMemcpyDtoHAsync_v2",
        "cuStreamSynchronize", "cuEventSynchronize"})
    for (const int after : {0, 1}) {
      INFO(function << " after " << after);
      const test::FakeCuda gpu;
      gpu->fail(function, unknown, after);
      const std::string error = error_of([&] {
        test::NetTraining net(test::net_named("temperature"), gpu.target());
        for (int n = 0; n < 4; ++n) net.train(n);
      });
      gpu->fail(function, unknown, -1);
      if (after == 0) CHECK_THAT(error, contains_text("error 999"));
    }
}

TEST_CASE("gpu: a kernel that goes wrong is named with its line when launches are checked") {
  for (const bool check : {false, true}) {
    const test::FakeCuda gpu;
    Graph g("fails");
    g.output("y", exp(g.input("x", f32, {8})));
    Step step = compile(g, gpu.target({.check = check}));
    gpu->fail("cuStreamSynchronize", illegal_instruction, 0);
    const std::string error = error_of([&] { step({{"x", std::vector<float>(8, 1)}})["y"].values<float>(); });
    CHECK_THAT(error, contains_text("error 715"));
    if (check) CHECK_THAT(error, contains_text("exp") && contains_text("driver_test.cpp"));
    else CHECK_THAT(error, contains_text("WEFT_CUDA_CHECK=1"));
  }
}

TEST_CASE("gpu: a profile says where the device's time goes, launch by launch") {
  const test::FakeCuda gpu;
  test::NetTraining net(test::net_named("fashion, Adam"), gpu.target());
  net.training_step().start_profile(2);
  for (int n = 0; n < 3; ++n) net.train(n);
  const test::TempDir dir;
  net.training_step().trace(dir / "trace.json");
  const std::string trace = test::read_file(dir / "trace.json");
  CHECK_THAT(trace, contains_text("\"device\"") && contains_text("\"step 1\"") && !contains_text("\"step 2\""));
  double total = 0;
  for (const ProfileRow& call : net.training_step().profile().calls) total += call.microseconds;
  CHECK(total > 0);
}
