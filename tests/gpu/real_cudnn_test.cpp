// The real cuDNN, where it is installed, plans weft's convolutions for GPUs that are only described to it: for that it needs none.

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "weft/backends/cuda/exec/attention_plan.h"
#include "weft/backends/cuda/exec/convolution_plan.h"
#include "weft/backends/cuda/exec/library_file.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/process.h"
#include "weft/weft.h"

using namespace weft;
using cuda::Wanted;

namespace {

constexpr size_t first_with_devices = 91100;  // the version that takes a device's properties as a text

struct Gpu {
  const char* name;
  int version, multiprocessors, shared_bytes;
};
constexpr Gpu v100{"Tesla V100-SXM2-16GB", 700, 80, 98304}, a100{"NVIDIA A100-SXM4-40GB", 800, 108, 166912},
    h100{"NVIDIA H100 80GB HBM3", 900, 132, 232448};

/// None: it looks for the driver even so, and there is no driver.
std::optional<cuda::DnnObject> properties_of(const Gpu& gpu) {
  const std::string json = fmt::format(
      R"({{"deviceName": "{}", "deviceVer": {}, "multiProcessorCount": {}, "maxSharedMemoryPerBlockOptin": {},
          "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "regsPerBlock": 65536, "warpSize": 32,
          "maxSharedMemoryPerBlock": 49152, "reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "maxCtasPerSM": 32,
          "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1,
          "totalGlobalMem": 17179869184, "smClockRateKHz": 1410000, "memClockRateKHz": 1215000, "l2CacheSize": 6291456,
          "cudaDeviceId": 0, "driverVer": 13000, "smCountOrigin": 0, "oversizedSharedMemoryPerBlock": {},
          "memoryBusWidth": 5120}})",
      gpu.name, gpu.version, gpu.multiprocessors, gpu.shared_bytes, gpu.shared_bytes);
  cuda::DnnObject made(cuda::DnnKind::device_properties);
  made.set(cuda::DnnAttribute::device_json, cuda::DnnType::text, static_cast<int64_t>(json.size()), json.data());
  if (made.try_finalize()) return made;
  WARN("skipped: this cuDNN needs a driver to plan for a GPU that is not there");
  return std::nullopt;
}

struct Geometry {
  int64_t samples, inputs, outputs;
  Dims extents;
  int64_t kernel, stride = 1, low = 0, high = 0, dilation = 1, groups = 1;
};

cuda::ConvolutionSpec spec_of(const Geometry& g, Wanted wanted, DType dtype, bool tf32 = false) {
  cuda::ConvolutionSpec s;
  Dims x{g.samples, g.inputs}, w{g.outputs, g.inputs / g.groups}, y{g.samples, g.outputs};
  for (const int64_t extent : g.extents) {
    const SlidingWindow window{g.kernel, g.stride, g.dilation, g.low, g.high};
    x.push_back(extent), w.push_back(g.kernel), y.push_back(window.positions(extent));
    s.stride.push_back(g.stride), s.dilation.push_back(g.dilation), s.low.push_back(g.low), s.high.push_back(g.high);
  }
  s.x = Shape(x), s.w = Shape(w), s.y = Shape(y), s.groups = g.groups;
  s.wanted = wanted, s.dtype = dtype, s.tf32 = tf32;
  return s;
}

std::vector<int> notes_of(const cuda::DnnPlan& plan) {
  const std::vector<cuda::DnnObject> engine = plan.config.get_objects(cuda::DnnAttribute::config_engine, cuda::DnnKind::engine, 1);
  return engine.front().get_list(cuda::DnnAttribute::engine_numerics, cuda::DnnType::numerical_note, 64);
}

bool has(const std::vector<int>& notes, cuda::DnnNote note) {
  return std::find(notes.begin(), notes.end(), static_cast<int>(note)) != notes.end();
}

const std::vector<Geometry>& geometries() {
  static const std::vector<Geometry> all = {
      {.samples = 2, .inputs = 4, .outputs = 6, .extents = {9, 8}, .kernel = 3, .low = 1, .high = 1},
      {.samples = 64, .inputs = 1, .outputs = 6, .extents = {28, 28}, .kernel = 5, .low = 2, .high = 2},
      {.samples = 64, .inputs = 3, .outputs = 64, .extents = {224, 224}, .kernel = 7, .stride = 2, .low = 3, .high = 3},
      {.samples = 64, .inputs = 64, .outputs = 64, .extents = {56, 56}, .kernel = 3, .low = 1, .high = 1},
      {.samples = 64, .inputs = 128, .outputs = 256, .extents = {28, 28}, .kernel = 3, .stride = 2, .low = 1, .high = 1},
      {.samples = 64, .inputs = 256, .outputs = 64, .extents = {56, 56}, .kernel = 1},
      {.samples = 32, .inputs = 32, .outputs = 64, .extents = {28, 28}, .kernel = 3, .low = 1, .high = 1, .groups = 4},
      {.samples = 32, .inputs = 96, .outputs = 96, .extents = {56, 56}, .kernel = 3, .low = 1, .high = 1, .groups = 96},
      {.samples = 16, .inputs = 16, .outputs = 16, .extents = {32, 32}, .kernel = 3, .low = 2, .high = 2, .dilation = 2},
      {.samples = 16, .inputs = 16, .outputs = 16, .extents = {32, 32}, .kernel = 2, .high = 1},
      {.samples = 16, .inputs = 16, .outputs = 32, .extents = {100}, .kernel = 5, .stride = 2, .low = 2, .high = 2},
      {.samples = 4, .inputs = 8, .outputs = 16, .extents = {16, 16, 16}, .kernel = 3, .low = 1, .high = 1},
  };
  return all;
}

}  // namespace

// Processes of their own, which the last test starts with the library's file in WEFT_CUDNN.
TEST_CASE("real cuDNN: takes every convolution that weft describes", "[.real]") {
  if (!properties_of(h100)) return;
  for (const Geometry& g : geometries())
    for (const Wanted wanted : {Wanted::y, Wanted::x, Wanted::w})
      for (const DType dtype : {f32, bf16}) CHECK_NOTHROW(cuda::convolution_graph(spec_of(g, wanted, dtype), nullptr));
  cuda::ConvolutionSpec wrong = spec_of(geometries().front(), Wanted::y, f32);
  wrong.high[0] += 1;
  CHECK_THROWS_WITH(cuda::convolution_graph(wrong, nullptr), contains_text("CUDNN_STATUS_BAD_PARAM"));
}

TEST_CASE("real cuDNN: has a plan for every convolution on a GPU, within the memory that it may have", "[.real]") {
  for (const Gpu& gpu : {v100, a100, h100}) {
    const std::optional<cuda::DnnObject> properties = properties_of(gpu);
    if (!properties) return;
    for (const Geometry& g : geometries())
      for (const Wanted wanted : {Wanted::y, Wanted::x, Wanted::w})
        for (const auto& [dtype, tf32, as_preferred] :
             {std::tuple(f32, false, false), std::tuple(f32, true, false), std::tuple(f32, true, true), std::tuple(bf16, false, false),
              std::tuple(bf16, false, true)}) {
          cuda::ConvolutionSpec spec = spec_of(g, wanted, dtype, tf32);
          if (as_preferred) spec.layouts = cuda::preferred_layouts(spec);
          INFO(gpu.name << " " << name_of(dtype) << " " << to_string(spec.x) << " " << to_string(spec.w) << " as " << spec.layouts.x.text()
                        << " " << static_cast<int>(wanted));
          const auto plan = cuda::choose_plan(spec, {.properties = &*properties}, cuda::workspace_bytes(spec));
          if (dtype == bf16 && gpu.version < 800) {  // it has no units for bf16, and weft's kernels run
            CHECK(!plan);
            continue;
          }
          REQUIRE(plan);
          CHECK(plan->workspace_bytes <= cuda::workspace_bytes(spec));
          const std::vector<int> notes = notes_of(*plan);
          for (const cuda::DnnNote note : {cuda::DnnNote::nondeterministic, cuda::DnnNote::rounds_inputs, cuda::DnnNote::rounds_sums,
                                           cuda::DnnNote::fft, cuda::DnnNote::winograd})
            CHECK(!has(notes, note));
          if (dtype == f32 && !tf32) CHECK(!has(notes, cuda::DnnNote::tensor_core));
        }
  }
}

TEST_CASE("real cuDNN: matrix units only for bf16, and where TF32 is asked for", "[.real]") {
  for (const Gpu& gpu : {a100, h100}) {
    const std::optional<cuda::DnnObject> properties = properties_of(gpu);
    if (!properties) return;
    const auto uses_units = [&](DType dtype, bool tf32) {
      const cuda::ConvolutionSpec spec = spec_of(geometries()[3], Wanted::y, dtype, tf32);
      return has(notes_of(*cuda::choose_plan(spec, {.properties = &*properties}, int64_t{1} << 40)), cuda::DnnNote::tensor_core);
    };
    CHECK(uses_units(bf16, false));
    CHECK(uses_units(f32, true));
    CHECK(!uses_units(f32, false));
  }
}

TEST_CASE("real cuDNN: has a plan for attention on a GPU, within the memory that it may have", "[.real]") {
  if (cuda::cudnn().version() < cuda::first_with_attention) {
    WARN("skipped: cuDNN " << cuda::cudnn().version() << " has no attention of one operation");
    return;
  }
  const auto call = [](Dims batch, int64_t group, int64_t queries, int64_t keys, int64_t width, bool causal) {
    AttentionCall a{{.batch = batch, .group = group, .queries = queries, .keys = keys, .width = width, .value_width = width}};
    a.causal = causal, a.scale = 0.125, a.dtype = bf16;
    Dims of_queries = batch, of_keys = batch;
    of_queries.insert(of_queries.end(), {queries, width});
    if (!of_keys.empty()) of_keys.back() /= group;
    of_keys.insert(of_keys.end(), {keys, width});
    for (const Dims* shape : {&of_queries, &of_keys, &of_keys, &of_queries}) a.places.push_back(StridedView::dense(Shape(*shape)));
    return a;
  };
  AttentionCall by_token = call({4, 12}, 1, 256, 256, 64, true);
  for (StridedView& view : by_token.places) view.strides = {256 * 3 * 768, 64, 3 * 768, 1};
  const std::vector<AttentionCall> calls = {call({16, 4}, 1, 128, 128, 32, true), call({4, 12}, 1, 1024, 1024, 64, true),
                                            call({2, 8}, 4, 100, 77, 128, false), call({8}, 1, 64, 64, 40, true),
                                            call({}, 1, 1, 1, 8, false),          by_token};
  for (const Gpu& gpu : {a100, h100}) {
    const std::optional<cuda::DnnObject> properties = properties_of(gpu);
    if (!properties) return;
    for (const AttentionCall& a : calls) {
      INFO(gpu.name << " " << a.queries << " queries, " << a.keys << " keys of " << a.width);
      REQUIRE(cuda::is_for_library(a));
      const auto plan = cuda::choose_plan(a, {.properties = &*properties}, cuda::workspace_bytes(a));
      REQUIRE(plan);
      CHECK(has(notes_of(*plan), cuda::DnnNote::tensor_core));
    }
  }
}

TEST_CASE("real cuDNN: finds no GPU, and weft's kernels run", "[.real]") {
  const test::FakeCuda gpu;
  Graph g("convolution");
  g.output("y", conv2d(g.input("x", f32, {1, 1, 2, 2}), g.input("w", f32, {1, 1, 1, 1})));
  Step step = compile(g, gpu.target_with_libraries());
  const std::vector<float> x{1, 2, 3, 4}, w{2};
  CHECK(step({{"x", x}, {"w", w}})["y"].values<float>() == std::vector<float>{2, 4, 6, 8});
  CHECK(gpu.report().convolutions == 0);
}

TEST_CASE("gpu: the real cuDNN plans weft's convolutions") {
  unsetenv("WEFT_REAL_CUDNN");
  const cuda::LibraryFile real = cuda::open_library({"WEFT_REAL_CUDNN", {"libcudnn.so.9"}, {"nvidia/cudnn/lib"}});
  if (!real.handle) {
    WARN("skipped: cuDNN is not installed");
    return;
  }
  if (const auto version = reinterpret_cast<size_t (*)()>(dlsym(real.handle, "cudnnGetVersion"))(); version < first_with_devices) {
    WARN("skipped: cuDNN " << version << " takes no device that is not there");
    return;
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const test::Ran ran = test::run_command("WEFT_CUDNN=" + real.file + " " + self + " 'real cuDNN*'");
  INFO(ran.out << ran.err);
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("All tests passed"));
}
