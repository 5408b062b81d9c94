// bf16 as PyTorch has it: what consists of several ops computes in f32 and rounds its results once.

#include <fstream>
#include <functional>
#include <map>

#include <nlohmann/json.hpp>

#include "weft/tests/frontend/support.h"

using namespace weft;
using namespace weft::testing;

namespace {

constexpr int64_t count = 240;
using Function = std::function<Tensor(const Tensor& x)>;
using Formula = std::function<double(int64_t i)>;

/// The operands of tests/expected/low_precision.py, exact in bf16.
double row(int64_t i) { return static_cast<double>(i * 37 % 101 - 50) / 16; }
double shifted(int64_t i) { return 100 + static_cast<double>(i * 37 % 101 - 50) / 2; }
double probability(int64_t i) { return static_cast<double>(i * 37 % 101 + 10) / 128; }
double weight(int64_t i) { return static_cast<double>(i * 29 % 83 - 41) / 32; }
double scale(int64_t i) { return static_cast<double>(i * 11 % 23 + 3) / 16; }
/// The rows in reverse.
double flipped(int64_t i) { return probability((5 - i / 40) * 40 + i % 40); }

Tensor filled(const Formula& f, Shape shape, DType dtype) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.numel(); ++i) values.push_back(f(i));
  return tensor(values, shape, dtype);
}

/// The value and the gradient of what the weights make of it.
std::pair<Array, Array> value_and_gradient(const Function& f, const Formula& operand, DType dtype, const Target& target) {
  Graph g("g");
  const Tensor x = g.input("x", dtype, {6, 40}), y = g.output("y", f(x));
  const Tensor loss = y.shape() == x.shape() ? sum(y * filled(weight, {6, 40}, dtype)) : sum(y);
  g.output("dx", gradients<1>(loss, {x})[0]);
  Step step = compile(g, target);
  Array values(dtype, {6, 40});
  for (int64_t i = 0; i < count; ++i) values.set(i, operand(i));
  const Results r = step({{"x", values}});
  return {r["y"].array(), r["dx"].array()};
}

/// In units of one rounding to bf16 of the largest value.
double error(const Array& got, const Array& want) {
  double largest = 0, worst = 0;
  for (int64_t i = 0; i < want.shape().numel(); ++i) {
    largest = std::max(largest, std::abs(want.at(i)));
    worst = std::max(worst, std::abs(got.at(i) - want.at(i)));
  }
  return worst / largest * 256;
}

}  // namespace

TEST_CASE("low precision: activations, softmax, norms, losses and their gradients are as exact as PyTorch's, or within one rounding") {
  const auto of_type = [](const Formula& f, Shape shape) { return [=](const Tensor& x) { return filled(f, shape, x.dtype()); }; };
  const auto affine = of_type(scale, {40}), targets = of_type(weight, {6, 40}), chances = of_type(flipped, {6, 40});
  const auto labels = [] { return tensor({0, 7, 14, 21, 28, 35}, {6}, i64); };
  struct Case {
    Function f;
    Formula operand;
  };
  const std::map<std::string, Case> cases{
      {"layer_norm", {[](const Tensor& x) { return layer_norm(x, {40}); }, shifted}},
      {"layer_norm_affine", {[=](const Tensor& x) { return layer_norm(x, {40}, affine(x), affine(x)); }, row}},
      {"group_norm", {[](const Tensor& x) { return group_norm(x, 4); }, shifted}},
      {"batch_norm", {[](const Tensor& x) { return standardize(x, {0}); }, shifted}},
      {"softmax", {[](const Tensor& x) { return softmax(x, 1); }, row}},
      {"log_softmax", {[](const Tensor& x) { return log_softmax(x, 1); }, row}},
      {"gelu", {[](const Tensor& x) { return gelu(x); }, row}},
      {"gelu_tanh", {[](const Tensor& x) { return gelu(x, "tanh"); }, row}},
      {"silu", {[](const Tensor& x) { return silu(x); }, row}},
      {"mish", {[](const Tensor& x) { return mish(x); }, row}},
      {"softplus", {[](const Tensor& x) { return softplus(x); }, row}},
      {"sigmoid", {[](const Tensor& x) { return sigmoid(x); }, row}},
      {"tanh", {[](const Tensor& x) { return tanh(x); }, row}},
      {"logsigmoid", {[](const Tensor& x) { return logsigmoid(x); }, row}},
      {"hardswish", {[](const Tensor& x) { return hardswish(x); }, row}},
      {"elu", {[](const Tensor& x) { return elu(x); }, row}},
      {"cross_entropy", {[=](const Tensor& x) { return cross_entropy(x, labels(), {.reduction = "sum"}); }, row}},
      {"mse_loss", {[=](const Tensor& x) { return mse_loss(x, targets(x), {.reduction = "sum"}); }, row}},
      {"bce", {[=](const Tensor& x) { return binary_cross_entropy(x, chances(x), {.reduction = "none"}); }, probability}},
  };
  const auto stored = nlohmann::json::parse(std::ifstream(WEFT_SOURCE_DIR "/tests/expected/low_precision.json"));
  for (const auto& [name, c] : cases) {
    INFO(name);
    const auto [y, dx] = value_and_gradient(c.f, c.operand, f64, Target::reference());
    const auto [low_y, low_dx] = value_and_gradient(c.f, c.operand, bf16, Target::cpu());
    CHECK(low_y.dtype() == bf16);
    CHECK(low_dx.dtype() == bf16);
    CHECK(error(low_y, y) <= 1);
    CHECK(error(low_dx, dx) <= std::max(1.0, stored.at(name)[1].get<double>()));
  }
}

TEST_CASE("low precision: what a composite computes in f32 is in no buffer of f32") {
  // The row statistics aside, 48 numbers: everything of 240 elements stays in registers or is bf16.
  for (const Function& f : {Function([](const Tensor& x) { return softmax(x, 1); }), Function([](const Tensor& x) { return gelu(x); }),
                            Function([](const Tensor& x) { return layer_norm(x, {40}); })}) {
    Graph g("g");
    const Tensor x = g.input("x", bf16, {6, 40});
    const Tensor y = f(x * x);
    g.output("y", y);
    g.output("dx", gradients<1>(sum(y * filled(weight, {6, 40}, bf16)), {x})[0]);
    const std::string planned = compile(g, Target::cpu()).ir("plan");
    INFO(planned);
    CHECK(planned.find("-> f32[6,40]") == std::string::npos);
  }
}

TEST_CASE("low precision: an update is within one rounding of the exact one") {
  const auto updated = [](optim::Optimizer optimizer, DType dtype, const Target& target) {
    Array values(dtype, {40});
    for (int64_t i = 0; i < 40; ++i) values.set(i, row(i));
    Parameter p("p", values);
    Graph g("g");
    Step step = compile(training_step(g, g.output("loss", sum(p * filled(weight, {40}, dtype))), {p}, optimizer), target);
    step();
    return Array(p.array());
  };
  // Numbers that are exact in bf16 where PyTorch casts them to it.
  const std::vector<std::function<optim::Optimizer()>> optimizers{
      [] { return optim::SGD({.lr = 0.125, .momentum = 0.5, .weight_decay = 0.0625}); },
      [] { return optim::Adam({.lr = 0.1, .weight_decay = 0.01}); },
      [] { return optim::AdamW({.lr = 0.1}); },
      [] { return optim::RMSprop({.lr = 0.1, .momentum = 0.9}); },
      [] { return optim::Adadelta({.lr = 1}); },
      [] { return optim::NAdam({.lr = 0.1}); },
  };
  for (const auto& make : optimizers) CHECK(error(updated(make(), bf16, Target::cpu()), updated(make(), f64, Target::reference())) <= 1);
}

TEST_CASE("norms: equal elements become 0, whatever their value and their count") {
  for (const double value : {0.1, 100.1, 2024.3, 123456.7, 1e30})
    for (const int64_t n : {3, 100, 1000, 4097}) {
      Graph g("g");
      const Tensor x = g.input("x", f32, {2, n});
      g.output("layer", max(abs(layer_norm(x, {n}))));
      g.output("group", max(abs(group_norm(reshape(x, {1, 2, n}), 2))));
      g.output("batch", max(abs(standardize(reshape(x, {2, 1, n}), {0, 2}))));
      g.output("var", max(var(x, {1})));
      Step step = compile(g, Target::cpu());
      Array values(f32, {2, n});
      for (int64_t i = 0; i < 2 * n; ++i) values.set(i, value);
      const Results r = step({{"x", values}});
      INFO(value << " " << n);
      for (const char* name : {"layer", "group", "batch", "var"}) CHECK(r[name].item() == 0);
    }
}

TEST_CASE("norms: a mean far from 0 costs nothing but what the operands have lost themselves") {
  const auto outputs = [](DType dtype, const Target& target) {
    Graph g("g");
    const Tensor x = g.input("x", dtype, {4, 1000}), w = filled([](int64_t i) { return static_cast<double>(i) / 4096; }, {4, 1000}, dtype);
    g.output("y", standardize(x, {1}, 0));
    g.output("var", var(x, {1}));
    g.output("dx", gradients<1>(sum(square(standardize(x, {1}, 0)) * w), {x})[0]);
    Step step = compile(g, target);
    // A spread of 100 units in the last place of the mean.
    Array values(dtype, {4, 1000});
    for (int64_t i = 0; i < 4000; ++i) values.set(i, 8192 + static_cast<double>(i * 37 % 101 - 50) / 1024);
    const Results r = step({{"x", values}});
    return std::vector<Array>{r["y"].array(), r["var"].array(), r["dx"].array()};
  };
  const auto got = outputs(f32, Target::cpu()), want = outputs(f64, Target::reference());
  for (size_t i = 0; i < got.size(); ++i) CHECK(error(got[i], want[i]) <= 256 * 5e-6);
}
