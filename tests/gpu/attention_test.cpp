// Attention on a GPU: by weft's kernels in every type, and of bf16 by cuDNN where it can.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "weft/backends/cuda/exec/attention.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/lowered.h"
#include "weft/tests/gpu/nets.h"

using namespace weft;

namespace {

struct Form {
  int64_t heads = 2, queries = 5, keys = 6, width = 8, value_width = 16;
  bool causal = false;
  int64_t group = 1;
  DType dtype = bf16;
  bool joined = false;  // queries, keys and values of a token lie side by side
  bool masked = false;
};

std::vector<float> numbers(const Shape& shape, int seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < shape.numel(); ++i) all.push_back(static_cast<float>((i * 7 + seed * 3 + i * i) % 13 - 6) / 8);
  return all;
}

Tensor attended(Graph& g, const Form& f, std::map<std::string, Shape>& fed) {
  const auto input = [&](const std::string& name, const Shape& shape) {
    fed[name] = shape;
    return cast(g.input(name, f32, shape), f.dtype);
  };
  AttentionOptions options{.is_causal = f.causal, .enable_gqa = f.group > 1};
  if (f.masked) options.attn_mask = g.input("mask", f32, {f.queries, f.keys}) > 0.0, fed["mask"] = {f.queries, f.keys};
  if (!f.joined)
    return scaled_dot_product_attention(input("q", {2, f.heads, f.queries, f.width}), input("k", {2, f.heads / f.group, f.keys, f.width}),
                                        input("v", {2, f.heads / f.group, f.keys, f.value_width}), options);
  const Tensor all = reshape(input("qkv", {2, f.queries, 3 * f.heads * f.width}), {2, f.queries, 3, f.heads, f.width});
  const auto part = [&](int64_t i) { return transpose(reshape(slice(all, 2, i, i + 1), {2, f.queries, f.heads, f.width}), 1, 2); };
  return reshape(transpose(scaled_dot_product_attention(part(0), part(1), part(2), options), 1, 2), {2, f.queries, f.heads * f.width});
}

struct Ran {
  std::vector<float> elements;
  std::vector<std::string> calls;
  int by_library() const {
    return static_cast<int>(std::ranges::count_if(calls, [](const std::string& c) { return c.find("by cuDNN 9.28") != c.npos; }));
  }
};

/// The result of three runs.
Ran results(const Form& f, const Target& target) {
  Graph g("attention");
  std::map<std::string, Shape> fed;
  g.output("y", cast(attended(g, f, fed), f32));
  Step step = compile(g, target);
  Ran ran;
  for (int n = 0; n < 3; ++n) {
    std::map<std::string, std::vector<float>> values;
    for (const auto& [name, shape] : fed) values[name] = numbers(shape, n);
    std::vector<Feed> feeds;
    for (const auto& [name, all] : values) feeds.push_back({name, all});
    const std::vector<float> got = step.run(feeds)["y"].values<float>();
    ran.elements.insert(ran.elements.end(), got.begin(), got.end());
  }
  ran.calls = step.calls();
  return ran;
}

/// A block of a GPT whose tokens are more than all else that it has.
struct LongGpt : nn::Module {
  static constexpr int64_t vocabulary = 11, width = 32, heads = 2;

  explicit LongGpt(int64_t tokens) : tokens(tokens), position(add("position", nn::Embedding(tokens, width))) {}

  Tensor forward(Tensor x) override {
    const int64_t samples = x.shape()[0];
    x = token(x) + position(arange(tokens));
    const Tensor all = reshape(qkv(norm1(x)), {samples, tokens, 3, heads, width / heads});
    const auto part = [&](int64_t i) { return transpose(reshape(slice(all, 2, i, i + 1), {samples, tokens, heads, width / heads}), 1, 2); };
    const Tensor mixed = scaled_dot_product_attention(part(0), part(1), part(2), {.is_causal = true});
    x = x + out(reshape(transpose(mixed, 1, 2), {samples, tokens, width}));
    x = x + down(gelu(up(norm2(x))));
    return reshape(head(x), {samples * tokens, vocabulary});
  }

  int64_t tokens;
  nn::Embedding token = add("token", nn::Embedding(vocabulary, width)), position;
  nn::LayerNorm norm1 = add("norm1", nn::LayerNorm({width})), norm2 = add("norm2", nn::LayerNorm({width}));
  nn::Linear qkv = add("qkv", nn::Linear(width, 3 * width)), out = add("out", nn::Linear(width, width));
  nn::Linear up = add("up", nn::Linear(width, 2 * width)), down = add("down", nn::Linear(2 * width, width));
  nn::Linear head = add("head", nn::Linear(width, vocabulary));
};

test::NetTraining::Net long_gpt(int64_t tokens) {
  return {"long gpt",
          {{"x", i64, {2, tokens}, 0, LongGpt::vocabulary}, {"y", i64, {2, tokens}, 0, LongGpt::vocabulary}},
          [tokens](nn::Module& net, std::span<const Tensor> in) { return cross_entropy(net(in[0]), reshape(in[1], {2 * tokens})); },
          [tokens] { return nn::AnyModule(LongGpt(tokens)); }};
}

double difference(const Ran& a, const Ran& b) {
  double largest = a.elements.size() == b.elements.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.elements.size(), b.elements.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.elements[i]) - static_cast<double>(b.elements[i])));
  return largest;
}

}  // namespace

TEST_CASE("gpu: attention of every form, by the library and by weft's kernels") {
  const std::vector<Form> forms = {{},
                                   {.causal = true},
                                   {.queries = 7, .keys = 3, .causal = true},
                                   {.heads = 4, .causal = true, .group = 2},
                                   {.queries = 1, .keys = 1},
                                   {.keys = 5, .value_width = 8, .joined = true},
                                   {.keys = 5, .value_width = 8, .causal = true, .joined = true}};
  for (const Form& form : forms) {
    INFO(form.heads << " heads, " << form.queries << " queries, " << form.keys << " keys" << (form.causal ? ", causal" : ""));
    const test::FakeCuda gpu;
    const Ran want = results(form, Target::reference());
    const Ran kernels = results(form, gpu.target());
    CHECK(gpu.report().attentions == 0);
    CHECK(kernels.by_library() == 0);
    CHECK(difference(kernels, want) <= 0x1p-8);
    const Ran library = results(form, gpu.target_with_libraries());
    CHECK(library.by_library() == 1);
    CHECK(gpu.report().attentions == 3);
    CHECK(difference(library, want) <= 0x1p-8);
  }
}

TEST_CASE("gpu: attention that is none of the library's") {
  std::vector<Form> forms(4);
  forms[0].dtype = f32;
  forms[1].masked = true;
  forms[2].width = 12;  // rows that do not begin at multiples of 16 bytes
  forms[3].value_width = 4;
  for (const Form& form : forms) {
    const test::FakeCuda gpu;
    const Ran want = results(form, Target::reference()), got = results(form, gpu.target_with_libraries());
    CHECK(got.by_library() == 0);
    CHECK(gpu.report().attentions == 0);
    CHECK(difference(got, want) <= (form.dtype == f32 ? 1e-6 : 0x1p-8));
  }
}

TEST_CASE("gpu: training a transformer whose attention a library runs follows the CPU's f32 losses") {
  const test::FakeCuda gpu;
  test::NetTraining here(test::net_named("gpt"), Target::cpu()),
      there(test::net_named("gpt"), gpu.target_with_libraries({.autocast = bf16}));
  for (int n = 0; n < 10; ++n) {
    INFO("step " << n);
    const double want = here.train(n);
    CHECK(std::abs(there.train(n) - want) <= 2e-2 * std::max(1.0, std::abs(want)));
  }
  CHECK(gpu.report().attentions == 10);
}

TEST_CASE("gpu: training a transformer in bf16 stores no weight of a query and a key, with libraries or with none") {
  constexpr int64_t tokens = 72;
  for (const bool libraries : {false, true}) {
    INFO((libraries ? "with libraries" : "with a driver alone"));
    const test::FakeCuda gpu;
    const auto target = [&] { return libraries ? gpu.target_with_libraries({.autocast = bf16}) : gpu.target({.autocast = bf16}); };
    test::NetTraining here(long_gpt(tokens), Target::cpu()), there(long_gpt(tokens), target());
    for (int n = 0; n < 5; ++n) {
      INFO("step " << n);
      const double want = here.train(n);
      CHECK(std::abs(there.train(n) - want) <= 2e-2 * std::max(1.0, std::abs(want)));
    }
    CHECK(gpu.report().attentions == (libraries ? 5 : 0));
    const MemoryPlan memory = there.training_step().memory();
    REQUIRE(!memory.values.empty());
    for (const PlannedValue& v : memory.values) CHECK_THAT(v.type, !contains_text("72,72]"));
    // Twice the tokens take twice the memory, less than the weights of the two samples alone; these would take four times as much.
    constexpr int64_t many = 32 * tokens;
    test::NetTraining half(long_gpt(many / 2), target()), whole(long_gpt(many), target());
    const int64_t arena = whole.training_step().memory().arena_bytes.value();
    CHECK(arena <= half.training_step().memory().arena_bytes.value() * 21 / 10);
    CHECK(arena < 2 * LongGpt::heads * many * many * 2);
  }
}

TEST_CASE("gpu: attention's call fails by name, and its kernels run where the library has nothing") {
  const test::FakeCuda gpu;
  gpu->fail("cudnnBackendExecute", 4000, 0);
  CHECK_THROWS_WITH(results({}, gpu.target_with_libraries({.check = true})), contains_text("launch") && contains_text("by cuDNN"));
  gpu->fail("cudnnCreate", 1001, 0);
  CHECK(results({}, gpu.target_with_libraries()).by_library() == 0);
}

TEST_CASE("gpu: attention is a descriptor and back, and what a file says of it is checked") {
  const auto refusal = [](const std::function<void(CallDescriptor&)>& damage) -> std::string {
    Graph g("attention");
    std::map<std::string, Shape> fed;
    g.output("y", cast(attended(g, {.causal = true}, fed), f32));
    ProgramData data = test::lowered(g);
    CallDescriptor& call = test::call_of(data, "attention");
    const AttentionCall a = cuda::attention_of(call);
    CHECK(cuda::describe(a, cuda::kernel_call(call, test::launch_of(data, call))) == call);
    CHECK((a.causal && a.queries == 5 && a.keys == 6 && a.width == 8 && a.value_width == 16 && a.dtype == bf16));
    damage(call);
    return test::refusal_of(std::move(data));
  };
  const test::FakeCuda gpu;
  const auto with = [&](const char* field, const CallDescriptor::Value& value) {
    return refusal([&](CallDescriptor& call) { call.fields.find(field)->second = value; });
  };
  CHECK(refusal([](CallDescriptor&) {}) == "");
  for (const auto& [field, value] : std::vector<std::pair<const char*, CallDescriptor::Value>>{{"queries", int64_t{4}},
                                                                                               {"keys", int64_t{0}},
                                                                                               {"width", int64_t{16}},
                                                                                               {"batch", Dims{2}},
                                                                                               {"batch", Dims{2, -2}},
                                                                                               {"group", int64_t{0}},
                                                                                               {"scale", std::string("nan")},
                                                                                               {"mask", std::string("number")},
                                                                                               {"mask", std::string("some")},
                                                                                               {"mask_strides", Dims{1}},
                                                                                               {"places", Dims{}},
                                                                                               {"dtype", std::string("f32")},
                                                                                               {"dtype", std::string("i64")}}) {
    INFO(field);
    CHECK_THAT(with(field, value), contains_text("no call of weft is so"));
  }
  CHECK_THAT(refusal([](CallDescriptor& call) { call.fields.erase("causal"); }), contains_text("causal"));
}
