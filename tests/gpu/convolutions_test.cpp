// Convolutions that cuDNN carries out: right in every form, in whole steps, and replaced by weft's kernels where there is no library.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "weft/backends/cuda/exec/convolution_plan.h"
#include "weft/runtime/memory_space.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/lowered.h"
#include "weft/tests/gpu/nets.h"

using namespace weft;

namespace {

constexpr int dnn_internal_error = 4000;

struct Form {
  Shape x, w;
  ConvolutionOptions options = {};
  DType dtype = f32;
};

/// Whole numbers, so small that every type holds their products' sums.
std::vector<float> numbers(const Shape& shape, int seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < shape.numel(); ++i) all.push_back(static_cast<float>((i * 7 + seed * 3 + i * i) % 5) - 2);
  return all;
}

struct Ran {
  std::vector<float> elements;
  std::vector<std::string> calls;
};

/// y and both gradients, of three runs.
Ran results(const Form& f, const Target& target) {
  Graph g("convolution");
  Parameter x("x", Array(f32, f.x)), w("w", Array(f32, f.w));
  const Tensor fed_x = g.input("fed_x", f32, f.x), fed_w = g.input("fed_w", f32, f.w);
  const Tensor all_x = x + fed_x, all_w = w + fed_w, left = cast(all_x, f.dtype), right = cast(all_w, f.dtype);
  const Tensor y = cast(f.x.rank() == 3 ? conv1d(left, right, f.options) : conv2d(left, right, f.options), f32);
  const Shape shape = y.shape();
  const Tensor weights = g.input("weights", f32, shape);
  const auto [dx, dw] = gradients<2>(sum(y * weights), {x, w});
  g.output("y", y), g.output("dx", dx), g.output("dw", dw);
  Step step = compile(g, target);
  Ran ran;
  for (int n = 0; n < 3; ++n) {
    const Results got = step({{"fed_x", numbers(f.x, n)}, {"fed_w", numbers(f.w, n + 1)}, {"weights", numbers(shape, n + 2)}});
    for (const char* name : {"y", "dx", "dw"}) {
      const std::vector<float> values = got[name].values<float>();
      ran.elements.insert(ran.elements.end(), values.begin(), values.end());
    }
  }
  ran.calls = step.calls();
  return ran;
}

int calls_of(const Ran& ran, const std::string& library) {
  return static_cast<int>(std::ranges::count_if(ran.calls, [&](const std::string& c) { return c.find(library) != c.npos; }));
}

const Form simple{{2, 4, 5, 6}, {6, 4, 3, 3}, {.padding = 1}};

}  // namespace

TEST_CASE("gpu: convolutions of every form and their gradients, by the library and by weft's kernels") {
  std::vector<Form> forms = {
      simple,
      {{2, 3, 7, 6}, {4, 3, 3, 2}, {.stride = {2, 3}, .padding = {1, 0}}},
      {{2, 3, 9, 8}, {2, 3, 3, 3}, {.padding = {2, 1}, .dilation = {2, 1}}},
      {{2, 4, 5, 5}, {6, 2, 3, 3}, {.padding = 1, .groups = 2}},
      {{2, 3, 5, 5}, {3, 1, 3, 3}, {.padding = 1, .groups = 3}},
      {{2, 3, 5, 5}, {2, 3, 2, 4}, {.padding = "same"}},  // more behind than before
      {{3, 2, 4, 4}, {3, 2, 1, 1}},
      {{2, 3, 11}, {4, 3, 4}, {.stride = 2, .padding = 1}},
      {{2, 4, 9}, {4, 2, 3}, {.padding = 2, .dilation = 2, .groups = 2}},
      {{1, 1, 1, 1}, {1, 1, 1, 1}},
  };
  for (size_t i = 0, count = forms.size(); i < count; ++i) forms.push_back(forms[i]), forms.back().dtype = bf16;
  for (const Form& form : forms) {
    INFO(name_of(form.dtype) << " " << to_string(form.x) << " " << to_string(form.w));
    const test::FakeCuda gpu;
    const Ran want = results(form, Target::reference());
    const Ran kernels = results(form, gpu.target());
    CHECK(gpu.report().convolutions == 0);
    CHECK(kernels.elements == want.elements);
    CHECK(calls_of(kernels, "cuDNN") == 0);
    const Ran library = results(form, gpu.target_with_libraries());
    CHECK(library.elements == want.elements);
    CHECK(calls_of(library, "by cuDNN 9.28") == 3);
    CHECK(gpu.report().convolutions == 9);
  }
}

TEST_CASE("gpu: steps whose convolutions a library runs give the CPU's losses") {
  for (const std::string name : {"cifar, conv", "cifar, challenge"}) {
    INFO(name);
    const test::FakeCuda gpu;
    test::NetTraining here(test::net_named(name), Target::cpu()), there(test::net_named(name), gpu.target_with_libraries());
    test::NetTraining kernels(test::net_named(name), gpu.target());
    for (int n = 0; n < 10; ++n) {
      INFO("step " << n);
      const double want = here.train(n), got = there.train(n), by_kernels = kernels.train(n);
      CHECK(std::abs(got - want) <= 1e-5 * std::max(1.0, std::abs(want)));
      CHECK(std::abs(got - by_kernels) <= 1e-5 * std::max(1.0, std::abs(want)));
    }
    CHECK(gpu.report().convolutions == 10 * 5);  // no gradient of the batch
  }
}

TEST_CASE("gpu: in mixed precision and in TF32 what lies between convolutions has its channels last") {
  const auto text_of = [](const cuda::Options& options) {
    const test::FakeCuda gpu;
    Graph g("two");
    const Tensor x = g.input("x", f32, {2, 3, 8, 8}), v = g.input("v", f32, {8, 3, 3, 3}), w = g.input("w", f32, {16, 8, 3, 3});
    g.output("y", conv2d(relu(conv2d(x, v)), w));
    return compile(g, gpu.target_with_libraries(options)).ir("layout");
  };
  const auto count = [](const std::string& text, const std::string& word) {
    int n = 0;
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++n;
    return n;
  };
  CHECK(count(text_of({}), "_layout") == 0);
  for (const cuda::Options& options : {cuda::Options{.autocast = bf16}, cuda::Options{.tf32 = true}}) {
    const std::string text = text_of(options);
    INFO(text);
    CHECK(count(text, "x_layout = \"acdb\", w_layout = \"acdb\", y_layout = \"acdb\"") == 2);
    // x, v, w and y; none of what the first gives the second.
    CHECK(count(text, "transpose(") == 4);
  }
}

TEST_CASE("gpu: mixed precision with a library's convolutions follows the CPU's f32 losses") {
  const test::FakeCuda gpu;
  test::NetTraining here(test::net_named("cifar, conv"), Target::cpu());
  test::NetTraining there(test::net_named("cifar, conv"), gpu.target_with_libraries({.autocast = bf16}));
  for (int n = 0; n < 10; ++n) {
    INFO("step " << n);
    const double want = here.train(n);
    CHECK(std::abs(there.train(n) - want) <= 2e-2 * std::max(1.0, std::abs(want)));
  }
  CHECK(gpu.report().convolutions > 0);
}

namespace {

/// A sum of 8 factors that TF32 has not: 1 + 2^-12.
float sum_of_long_factors(const Target& target) {
  Graph g("long");
  const Tensor x = g.input("x", f32, {1, 8, 2, 2}), w = g.input("w", f32, {1, 8, 1, 1});
  g.output("y", conv2d(x, w));
  Step step = compile(g, target);
  const std::vector<float> ones(8, 1), more(32, 1 + 0x1p-12f);
  return step({{"x", more}, {"w", ones}})["y"].values<float>()[0];
}

}  // namespace

TEST_CASE("gpu: convolutions in TF32 only where it is asked for by name") {
  const test::FakeCuda gpu;
  CHECK(sum_of_long_factors(gpu.target_with_libraries()) == 8 * (1 + 0x1p-12f));
  CHECK(sum_of_long_factors(gpu.target_with_libraries({.tf32 = true})) == 8);
  CHECK(sum_of_long_factors(gpu.target({.tf32 = true})) == 8 * (1 + 0x1p-12f));
}

TEST_CASE("gpu: where cuDNN does not start or has nothing for a convolution, weft's kernels run") {
  const test::FakeCuda gpu;
  gpu->fail("cudnnCreate", dnn_internal_error, 0);
  const Ran two = results(simple, gpu.target_with_libraries());
  CHECK(two.elements == results(simple, Target::reference()).elements);
  CHECK(calls_of(two, "cuDNN") == 2);
  CHECK(gpu.report().convolutions == 6);

  const Form in_doubles{{2, 4, 5, 6}, {6, 4, 3, 3}, {.padding = 1}, f64};
  const Ran doubles = results(in_doubles, gpu.target_with_libraries());
  CHECK(doubles.elements == results(in_doubles, Target::reference()).elements);
  CHECK(calls_of(doubles, "cuDNN") == 0);
  CHECK(gpu.report().convolutions == 6);
}

TEST_CASE("gpu: a call of cuDNN that fails is named") {
  const std::pair<const char*, const char*> cases[] = {{"cudnnBackendExecute", "cudnnBackendExecute"},
                                                       {"cudnnSetStream", "cudnnSetStream"},
                                                       {"cudnnBackendSetAttribute", "cuDNN is told attribute"},
                                                       {"cudnnBackendGetAttribute", "cuDNN is asked"},
                                                       {"cudnnBackendCreateDescriptor", "cuDNN makes a descriptor"},
                                                       {"cudnnBackendFinalize", "cuDNN finalizes a descriptor"}};
  for (const auto& [function, said] : cases) {
    INFO(function);
    const test::FakeCuda gpu;
    gpu->fail(function, dnn_internal_error, 0);
    CHECK_THROWS_WITH(results(simple, gpu.target_with_libraries({.check = true})), contains_text(said));
  }
  const test::FakeCuda gpu;
  gpu->fail("cudnnBackendExecute", dnn_internal_error, 0);
  CHECK_THROWS_WITH(results(simple, gpu.target_with_libraries({.check = true})),
                    contains_text("launch") && contains_text("convolutions_test.cpp") && contains_text("by cuDNN"));
}

TEST_CASE("gpu: a convolution is a descriptor and back, and what a file says of it is checked") {
  const test::FakeCuda gpu;
  const auto refusal = [](const std::function<void(CallDescriptor&)>& damage) -> std::string {
    Graph g("convolution");
    g.output("y", conv2d(g.input("x", f32, {2, 4, 5, 6}), g.input("w", f32, {6, 2, 3, 2}), {.stride = {1, 2}, .padding = 1, .groups = 2}));
    ProgramData data = test::lowered(g);
    CallDescriptor& call = test::call_of(data, "convolution");
    const cuda::ConvolutionSpec spec = cuda::convolution_of(call);
    CHECK(cuda::describe(spec, cuda::kernel_call(call, test::launch_of(data, call))) == call);
    CHECK((spec.x == Shape{2, 4, 5, 6} && spec.w == Shape{6, 2, 3, 2} && spec.y == Shape{2, 6, 5, 4}));
    CHECK((spec.groups == 2 && spec.stride == Dims{1, 2} && spec.low == Dims{1, 1} && spec.high == Dims{1, 1}));
    damage(call);
    return test::refusal_of(std::move(data));
  };
  const auto with = [&](const char* field, const CallDescriptor::Value& value) {
    return refusal([&](CallDescriptor& call) { call.fields.find(field)->second = value; });
  };
  CHECK(refusal([](CallDescriptor&) {}) == "");
  for (const auto& [field, value] : std::vector<std::pair<const char*, CallDescriptor::Value>>{{"x", Dims{2, 4, 5, 8}},
                                                                                               {"x", Dims{2, 4, 0, 6}},
                                                                                               {"x", Dims{2, 4, 5}},
                                                                                               {"w", Dims{6, 4, 3, 2}},
                                                                                               {"w", Dims{5, 2, 3, 2}},
                                                                                               {"y", Dims{2, 6, 5, 5}},
                                                                                               {"y", Dims{3, 6, 5, 4}},
                                                                                               {"groups", int64_t{3}},
                                                                                               {"groups", int64_t{0}},
                                                                                               {"stride", Dims{1, 0}},
                                                                                               {"stride", Dims{1}},
                                                                                               {"dilation", Dims{0, 1}},
                                                                                               {"low", Dims{-1, 1}},
                                                                                               {"high", Dims{2, 1}},
                                                                                               {"x_layout", std::string("bacd")},
                                                                                               {"y_layout", std::string("aBcd2b")},
                                                                                               {"dtype", std::string("f64")}}) {
    INFO(field);
    CHECK_THAT(with(field, value), contains_text("no call of weft is so"));
  }
  CHECK_THAT(with("x_layout", std::string("acd")), contains_text("'acd' is no layout of 4 axes"));
  CHECK_THAT(with("w_layout", std::string("aBcd8b")), contains_text("does not fit"));
  CHECK_THAT(with("dtype", std::string("f99")), contains_text("f99"));
  CHECK_THAT(with("x", Dims{int64_t{1} << 40, int64_t{1} << 40, 5, 6}), contains_text("elements"));
  CHECK_THAT(refusal([](CallDescriptor& call) { call.fields.erase("tf32"); }), contains_text("tf32"));
  CHECK_THAT(refusal([](CallDescriptor& call) {
               for (const char* tensor : {"x", "y"}) std::get<Dims>(call.fields.find(tensor)->second)[0] = 3;
             }),
             contains_text("buffer 0 of a convolution has 960 bytes and needs 1440"));
  CHECK_THAT(refusal([](CallDescriptor& call) {
               for (const char* field : {"stride", "low", "high", "dilation"})
                 std::get<Dims>(call.fields.find(field)->second) = {1, 1, 1, 1};
               for (const char* tensor : {"x", "w", "y"}) std::get<Dims>(call.fields.find(tensor)->second) = {1, 1, 1, 1, 1, 1};
             }),
             contains_text("no call of weft is so"));
}

namespace {

/// Another device's memory, which takes over what it is asked for.
class OtherMemory final : public MemorySpace {
 public:
  std::string_view name() const override { return "another memory"; }
  std::byte* allocate(size_t bytes) override { return static_cast<std::byte*>(std::malloc(bytes)); }
  void release(std::byte* memory) override { std::free(memory); }
  void copy_in(std::byte* to, const std::byte* host, size_t bytes) override { std::memcpy(to, host, bytes); }
  void copy_out(std::byte* host, const std::byte* from, size_t bytes) override { std::memcpy(host, from, bytes); }
};

}  // namespace

TEST_CASE("gpu: a convolution finds a parameter that has moved") {
  const test::FakeCuda gpu;
  Graph g("moving");
  Parameter w("w", Array(f32, {3, 2, 3, 3}));
  const Tensor x = g.input("x", f32, {2, 2, 4, 4});
  g.output("y", conv2d(x, w));
  Step step = compile(g, gpu.target_with_libraries());
  for (int n = 0; n < 6; ++n) {
    // While nothing has been captured yet, and later.
    if (n == 1 || n == 4) w.array().storage().read_in(std::make_shared<OtherMemory>());
    w.set_values(std::vector<float>(54, static_cast<float>(n + 1)));
    CHECK(step({{"x", std::vector<float>(64, 1)}})["y"].values<float>() == std::vector<float>(24, static_cast<float>(18 * (n + 1))));
  }
  CHECK(gpu.report().convolutions == 6);
}

TEST_CASE("gpu: what is told wrongly, the tests' cuDNN refuses") {
  const test::FakeCuda gpu;
  const std::shared_ptr<cuda::Context> context = cuda::Context::of(0, test::FakeCuda::file());
  context->with_current([&] {
    const cuda::Cudnn& dnn = cuda::cudnn();
    cuda::DnnHandle* handle = nullptr;
    REQUIRE(dnn.create(&handle) == cuda::dnn_success);
    cuda::ConvolutionSpec spec;
    spec.stride = spec.dilation = {1, 1}, spec.low = spec.high = {0, 0};
    spec.x = {1, 1, 3, 3}, spec.w = {1, 1, 1, 1}, spec.y = {1, 1, 3, 3};
    const auto with = [&](const std::function<void(cuda::ConvolutionSpec&)>& change) {
      cuda::ConvolutionSpec other = spec;
      change(other);
      return cuda::convolution_graph(other, handle);
    };
    CHECK_NOTHROW(with([](cuda::ConvolutionSpec&) {}));
    CHECK_THROWS_WITH(with([](cuda::ConvolutionSpec& s) { s.stride[0] = 2; }), contains_text("SHAPE_MISMATCH"));
    CHECK_THROWS_WITH(with([](cuda::ConvolutionSpec& s) { s.low[1] = 1; }), contains_text("SHAPE_MISMATCH"));
    CHECK_THROWS_WITH(with([](cuda::ConvolutionSpec& s) { s.w = {1, 2, 1, 1}; }), contains_text("SHAPE_MISMATCH"));
    CHECK_THROWS_WITH(with([](cuda::ConvolutionSpec& s) { s.low[1] = -1; }), contains_text("BAD_PARAM"));

    const auto plan = cuda::choose_plan(spec, {.handle = handle}, 1 << 20);
    REQUIRE(plan);
    CHECK(plan->workspace_bytes == 4 * (9 + 1 + 9));
    CHECK(!cuda::choose_plan(spec, {.handle = handle}, plan->workspace_bytes - 1));
    const cuda::DeviceBuffer memory = context->buffer(4096);
    const auto run = [&](const std::vector<int64_t>& ids, std::vector<std::byte*> pointers, std::byte* workspace, bool finalized = true) {
      cuda::DnnObject pack(cuda::DnnKind::variant_pack);
      pack.set(cuda::DnnAttribute::pack_ids, ids);
      pack.set(cuda::DnnAttribute::pack_pointers, cuda::DnnType::pointer, static_cast<int64_t>(pointers.size()), pointers.data());
      pack.set(cuda::DnnAttribute::pack_workspace, cuda::DnnType::pointer, 1, &workspace);
      if (finalized) pack.finalize();
      dnn.check(dnn.set_stream(handle, context->stream()), "stream");
      dnn.check(dnn.execute(handle, plan->plan.get(), pack.get()), "execute");
    };
    std::byte* const at = memory.get();
    CHECK_THROWS_WITH(run({1, 2, 4}, {at, at + 1024, at + 2048}, at + 3072), contains_text("BAD_PARAM"));
    CHECK_THROWS_WITH(run({1, 2}, {at, at + 1024}, at + 3072), contains_text("BAD_PARAM"));
    CHECK_THROWS_WITH(run({1, 2, 3}, {at, at + 1024}, at + 3072), contains_text("BAD_PARAM"));
    CHECK_THROWS_WITH(run({1, 2, 3}, {at, at + 1024, at + 2052}, at + 3072), contains_text("BAD_PARAM"));
    CHECK_THROWS_WITH(run({1, 2, 3}, {at, at + 1024, at + 2048}, nullptr), contains_text("BAD_PARAM"));
    CHECK_THROWS_WITH(run({1, 2, 3}, {at, at + 1024, at + 2048}, at + 3072, false), contains_text("NOT_FINALIZED"));
    cuda::DnnObject tensor(cuda::DnnKind::tensor);
    CHECK_THROWS(tensor.set(cuda::DnnAttribute::tensor_id, cuda::DnnType::data_type, 1));
    CHECK_THROWS(tensor.set(cuda::DnnAttribute::pack_ids, 1));
    CHECK_THROWS(tensor.finalize());  // it has no extents

    // Nobody has written the operands: the fault shows where somebody waits.
    CHECK_NOTHROW(run({1, 2, 3}, {at, at + 1024, at + 2048}, at + 3072));
    CHECK_THROWS_WITH(context->synchronize(), contains_text("unwritten memory: a library reads byte 0"));
    dnn.destroy(handle);
  });
}

TEST_CASE("gpu: what is for cuDNN, and the memory that it may have") {
  const auto spec = [](const Shape& x, const Shape& w, const Shape& y, int64_t padding = 0) {
    const Dims ones(static_cast<size_t>(x.rank()) - 2, 1), zeros(ones.size(), padding);
    cuda::ConvolutionSpec s;
    s.stride = s.dilation = ones, s.low = s.high = zeros, s.x = x, s.w = w, s.y = y;
    return s;
  };
  CHECK(cuda::is_for_library(spec({1, 1, 5, 5}, {1, 1, 1, 1}, {1, 1, 5, 5})));
  CHECK(!cuda::is_for_library(spec({1, 1, 5, 5}, {1, 1, 1, 1}, {1, 1, 3, 3}, -1)));
  CHECK(!cuda::is_for_library(spec({1, 1, 0, 5}, {1, 1, 1, 1}, {1, 1, 0, 5})));
  CHECK(!cuda::is_for_library(spec({int64_t{1} << 31, 1, 1, 1}, {1, 1, 1, 1}, {int64_t{1} << 31, 1, 1, 1})));
  CHECK(!cuda::is_for_library(spec({1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1})));
  CHECK(cuda::workspace_bytes(spec({1, 1, 5, 5}, {1, 1, 1, 1}, {1, 1, 5, 5})) == 4 * 8 * (25 + 1 + 25));
  CHECK(cuda::workspace_bytes(spec({64, 64, 224, 224}, {64, 64, 1, 1}, {64, 64, 224, 224})) == 32 << 20);
  CHECK(cuda::workspace_bytes(spec({1, 1, 5, 5}, {1, 1, 1, 1}, {1, 1, 3, 3}, -1)) == 0);
}
