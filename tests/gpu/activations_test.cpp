// Activations as parts of the products before them: right in every form, by the library and by weft's kernels, and only where the library's
// are what was asked for.

#include <algorithm>
#include <cmath>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/lowered.h"
#include "weft/tests/gpu/nets.h"

using namespace weft;

namespace {

/// Eighths, none of them twice in a row, which bf16 has.
std::vector<float> numbers(const Shape& shape, int seed) {
  std::vector<float> all;
  for (int64_t i = 0; i < shape.numel(); ++i) all.push_back(static_cast<float>((i * 7 + seed * 5 + i * i / 3) % 17 - 8) / 8);
  return all;
}

struct Layer {
  Dims rows = {9};
  int64_t k = 5, n = 16;
  bool bias = true;
  std::string approximate = "tanh";
  bool trains = false;
};

using Values = std::map<std::string, std::vector<float>>;

/// gelu(x w + b), or what a step of training with it makes of the parameters: as much is added to them as the gradients are.
Values results(const Layer& l, const Target& target) {
  Graph g("layer");
  Dims x_shape = l.rows, y_shape = l.rows;
  x_shape.push_back(l.k), y_shape.push_back(l.n);
  const auto parameter = [](const char* name, const Shape& shape, int seed) { return Parameter(name, shape, numbers(shape, seed)); };
  std::vector<Parameter> all{parameter("w", {l.k, l.n}, 1), parameter("b", {l.n}, 2), parameter("v", {l.n, l.n}, 3)};
  const Tensor x = g.input("x", f32, Shape(x_shape)), product = matmul(reshape(x, {-1, l.k}), all[0]);
  const Tensor y = gelu(reshape(l.bias ? product + all[1] : product, y_shape), l.approximate);
  const std::vector<float> fed = numbers(Shape(x_shape), 0);
  Values values;
  if (!l.trains) {
    g.output("y", y);
    Step step = compile(g, target);
    values["y"] = step({{"x", fed}})["y"].values<float>();
    return values;
  }
  const Tensor c = g.input("c", f32, Shape(y_shape)), z = reshape(matmul(reshape(y, {-1, l.n}), all[2]), y_shape);
  const std::vector<float> fed_c = numbers(Shape(y_shape), 4);
  if (!l.bias) all.erase(all.begin() + 1);
  optim::SGD sgd({.lr = 1});
  Step step = compile(training_step(g, g.output("loss", sum(z * c)), all, sgd), target);
  step({{"x", fed}, {"c", fed_c}});
  for (const Parameter& p : all) values[p.name()] = p.values<float>();
  return values;
}

/// bf16 has 8 bits, and so much is lost at each of a few places.
void check_near(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (const auto& [name, values] : want) {
    INFO(name);
    const std::vector<float>& other = got.at(name);
    REQUIRE(other.size() == values.size());
    float most = 0;
    for (const float x : values) most = std::max(most, std::abs(x));
    int wrong = 0;
    for (size_t i = 0; i < values.size(); ++i) wrong += !(std::abs(other[i] - values[i]) <= 0x1p-6F * most);
    CHECK(wrong == 0);
  }
}

size_t activations(const Layer& layer, const test::FakeCuda& gpu, cuda::Options options = {.autocast = bf16}) {
  const size_t before = gpu.report().activations;
  check_near(results(layer, gpu.target_with_libraries(options)), results(layer, Target::reference()));
  return gpu.report().activations - before;
}

}  // namespace

TEST_CASE("gpu: a GELU is a part of the product before it", "[activations]") {
  const test::FakeCuda gpu;
  for (const bool bias : {true, false})
    for (const Dims& rows : {Dims{9}, Dims{2, 3}})
      for (const int64_t n : {16, 7}) {
        const Layer layer{.rows = rows, .n = n, .bias = bias};
        INFO("bias " << bias << ", " << rows.size() << " axes of rows, n " << n);
        CHECK(activations(layer, gpu) == 1);
        check_near(results(layer, gpu.target({.autocast = bf16})), results(layer, Target::reference()));
      }
  const Layer cut_along_k{.rows = {3}, .k = 700, .trains = true};
  check_near(results(cut_along_k, gpu.target({.autocast = bf16})), results(cut_along_k, Target::reference()));
}

TEST_CASE("gpu: a GELU and its gradient are parts of products in training", "[activations]") {
  const test::FakeCuda gpu;
  for (const Dims& rows : {Dims{9}, Dims{2, 3}}) {
    const Layer layer{.rows = rows, .trains = true};
    INFO(rows.size() << " axes of rows");
    CHECK(activations(layer, gpu) == 2);
    check_near(results(layer, gpu.target({.autocast = bf16})), results(layer, Target::reference()));
  }
  // A matrix beside the result has columns of 8 elements, or several 8.
  CHECK(activations({.n = 12, .trains = true}, gpu) == 0);
}

TEST_CASE("gpu: the library applies no activation but that which it has", "[activations]") {
  const test::FakeCuda gpu;
  CHECK(activations({.approximate = "none"}, gpu) == 0);
  // In f32, to so many bits as the library likes, only where matrix units may leave out some of the factors'.
  CHECK(activations({}, gpu, {}) == 0);
  CHECK(activations({}, gpu, {.tf32 = true}) == 1);
  CHECK(activations({.trains = true}, gpu, {}) == 0);
  CHECK(activations({.trains = true}, gpu, {.tf32 = true}) == 2);
}

TEST_CASE("gpu: ReLU is no part of a product, since the library's hides a nan", "[activations]") {
  const test::FakeCuda gpu;
  Graph g("relu");
  const Tensor x = g.input("x", f32, {4, 8}), w = g.input("w", f32, {8, 8});
  g.output("relu", relu(matmul(x, w)));
  g.output("gelu", gelu(matmul(x, w * 2.0), "tanh"));
  Step step = compile(g, gpu.target_with_libraries({.autocast = bf16}));
  std::vector<float> some(32, 1);
  some[8] = NAN;
  const Results r = step({{"x", some}, {"w", std::vector<float>(64, 1)}});
  for (const char* name : {"relu", "gelu"}) {
    const std::vector<float> y = r[name].values<float>();
    CHECK(std::isnan(y[8]));
    CHECK(y[0] == (name == std::string("relu") ? 8 : 16));
  }
  CHECK(gpu.report().activations == 1);
}

TEST_CASE("gpu: nets with GELUs in mixed precision follow the CPU's f32 losses", "[activations]") {
  const auto net = [] {
    using namespace nn;
    return AnyModule(Sequential(Linear(24, 32), GELU("tanh"), Linear(32, 16), GELU("tanh"), Flatten(), Linear(48, 10)));
  };
  const test::NetTraining::Net gelus{"gelus",
                                     {{"x", f32, {8, 3, 24}, -1, 1}, {"y", i64, {8}, 0, 10}},
                                     [](nn::Module& m, std::span<const Tensor> in) { return cross_entropy(m(in[0]), in[1]); },
                                     net};
  const test::FakeCuda gpu;
  test::NetTraining here(gelus, Target::cpu()), kernels(gelus, gpu.target({.autocast = bf16})),
      library(gelus, gpu.target_with_libraries({.autocast = bf16}));
  for (int n = 0; n < 20; ++n) {
    INFO("step " << n);
    const double want = here.train(n), bound = 2e-2 * std::max(1.0, std::abs(want));
    CHECK(std::abs(kernels.train(n) - want) <= bound);
    CHECK(std::abs(library.train(n) - want) <= bound);
  }
  CHECK(std::abs(library.evaluate(0) - here.evaluate(0)) <= 2e-2 * std::max(1.0, here.evaluate(0)));
  CHECK(gpu.report().activations == 20 * 4 + 2);
}

TEST_CASE("gpu: what a file says of an activation is checked", "[activations]") {
  const test::FakeCuda gpu;
  const auto refusal = [](const std::string& field, const CallDescriptor::Value& value) -> std::string {
    Graph g("product");
    const Tensor sum = matmul(g.input("x", bf16, {3, 4}), g.input("y", bf16, {4, 8})) + g.input("b", bf16, {8});
    g.output("z", gelu(sum, "tanh"));
    g.output("sum", sum);
    ProgramData data = test::lowered(g);
    CallDescriptor& product = test::call_of(data, "product");
    REQUIRE(product.text("activation") == "gelu");
    REQUIRE(product.flag("keeps_operand"));
    if (!field.empty()) product.fields[field] = value;
    return test::refusal_of(std::move(data));
  };
  CHECK(refusal("", int64_t{0}) == "");
  CHECK_THAT(refusal("activation", std::string("swish")), contains_text("activation 'swish'"));
  CHECK_THAT(refusal("activation", std::string("gelu_gradient")), contains_text("no call of weft is so"));
  CHECK_THAT(refusal("bias_gradient", int64_t{1}), contains_text("no call of weft is so"));
  CHECK_THAT(refusal("keeps_operand", int64_t{0}), contains_text("a product takes 4 buffers, and scratch memory, not 6"));
  CHECK_THAT(refusal("n", int64_t{7}), contains_text("no call of weft is so"));
  CHECK_THAT(refusal("m", int64_t{300}), contains_text("bytes and needs"));
}

// As the products of libraries_test.cpp are.
TEST_CASE("real cuBLASLt: activations are described to it, and run by kernels since it finds no driver", "[.real]") {
  const test::FakeCuda gpu;
  for (const bool bias : {true, false})
    for (const bool trains : {true, false}) {
      const Layer layer{.bias = bias, .trains = trains};
      check_near(results(layer, gpu.target_with_libraries({.autocast = bf16})), results(layer, Target::reference()));
    }
  CHECK(gpu.report().activations == 0);
}
