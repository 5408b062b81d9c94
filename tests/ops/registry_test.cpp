// One walk over the registry that asks every op the same questions.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "weft/ir/builder.h"
#include "weft/ir/definition_problems.h"
#include "weft/ir/equal.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/ir/order.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/autodiff.h"
#include "weft/support/philox.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/samples.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;

namespace {

bool is_differentiable(const ir::OpDef& def) { return def.no_gradient.empty(); }

/// Fixed weights that are not small, as a constant.
ir::Value weights(ir::Builder& b, const ir::Type& type, uint32_t number) {
  std::vector<std::byte> memory(static_cast<size_t>(type.bytes()));
  Tensor t(type);
  for (size_t i = 0; i < t.real.size(); ++i) t.real[i] = 0.5 + uniform_from_bits(random_bits(2, number, 0, i));
  reference::to_memory(t, memory.data());
  return b("constant", {}, {{"value", ir::Dense(type, memory)}});
}

/// The sum of the floating results, weighted.
ir::Value loss_of(ir::Graph& graph) {
  ir::Builder b(graph);
  ir::Value loss = b.splat({f64, {}}, 0);
  uint32_t number = 0;
  for (const ir::Output& output : graph.outputs()) {
    if (!is_floating(output.value.dtype())) continue;
    ir::Value sum = b("mul", {output.value, weights(b, output.value.type(), number++)});
    Dims axes;
    for (int axis = 0; axis < sum.shape().rank(); ++axis) axes.push_back(axis);
    sum = b.sum(sum, axes);
    loss = b("add", {loss, b.cast(sum, f64)});
  }
  return loss;
}

/// The inputs whose gradient is defined.
std::vector<int> differentiable_inputs(const Sample& sample) {
  std::vector<int> all;
  for (int i = 0; i < static_cast<int>(sample.operands.size()); ++i)
    if (is_floating(sample.operands[static_cast<size_t>(i)].dtype) && std::count(sample.constant.begin(), sample.constant.end(), i) == 0)
      all.push_back(i);
  return all;
}

/// `module` with its loss and the gradients of the loss as the only outputs.
void differentiate(ir::Module& module, const std::vector<int>& inputs) {
  ir::Graph& graph = module.graph();
  std::vector<ir::Value> xs;
  for (int i : inputs) xs.push_back(graph.input(i));
  const ir::Value loss = loss_of(graph);
  const std::vector<ir::Value> gradients = passes::gradients(graph, loss, xs);
  graph.set_outputs({});
  graph.add_output({"loss", loss, {}, {}});
  for (size_t i = 0; i < gradients.size(); ++i) graph.add_output({"d" + xs[i].name(), gradients[i], {}, {}});
  ir::verify(module);
}

/// The sample with its op replaced by the op's decomposition.
ir::Module decomposed(const Sample& sample) {
  ir::Module module = testing::module_of(sample);
  ir::Op& op = *module.graph().ops().front();
  ir::Builder builder(module.graph());
  const std::vector<ir::Value> results = ir::decompose(builder, op);
  REQUIRE(results.size() == op.results().size());
  for (size_t i = 0; i < results.size(); ++i) op.result(static_cast<int>(i)).replace_all_uses_with(results[i]);
  module.graph().erase(op);
  return module;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (double v : values) most = std::max(most, std::abs(v));
  return most;
}

void require_close(const std::vector<double>& a, const std::vector<double>& b, double relative, double absolute) {
  REQUIRE(a.size() == b.size());
  const double tolerance = relative * largest(b) + absolute;
  for (size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    if (a[i] == b[i]) continue;  // infinities have no difference
    if (std::isnan(b[i])) REQUIRE(std::isnan(a[i]));
    else REQUIRE(std::abs(a[i] - b[i]) <= tolerance);
  }
}

/// d loss / d inputs[i] by central differences.
std::vector<double> central_differences(const ir::Graph& graph, std::vector<Tensor> values, int input) {
  const auto loss = [&] { return reference::evaluate(graph, values)[0].real[0]; };
  std::vector<double> result;
  for (double& x : values[static_cast<size_t>(input)].real) {
    const double at = x, h = 1e-5 * std::max(1.0, std::abs(at));
    x = at + h;
    const double above = loss();
    x = at - h;
    const double below = loss();
    x = at;
    result.push_back((above - below) / (2 * h));
  }
  return result;
}

/// Central differences need all of the computation in double, and every result a function of the operands' values.
bool has_smooth_double_results(const Sample& sample) {
  if (!is_differentiable(ir::op_def(sample.op)) || !sample.differentiable) return false;
  const ir::Module module = testing::module_of(sample);
  const auto is_exact = [](ir::Value v) { return !is_floating(v.dtype()) || v.dtype() == f64; };
  bool any = false;
  for (const ir::Output& output : module.graph().outputs()) {
    if (!is_exact(output.value)) return false;
    any = any || is_floating(output.value.dtype());
  }
  for (const ir::Input& input : module.graph().inputs())
    if (!is_exact(input.value())) return false;
  return any;
}

}  // namespace

TEST_CASE("every definition is as it must be", "[registry]") {
  for (const ir::OpDef* def : ir::registry().all()) {
    INFO(def->name);
    CHECK(ir::problems_of(*def) == std::vector<std::string>());
  }
}

TEST_CASE("every op has samples, and only ops have", "[registry]") {
  std::set<std::string> sampled, defined;
  for (const Sample& sample : testing::samples()) sampled.insert(sample.op);
  for (const ir::OpDef* def : ir::registry().all()) defined.insert(def->name);
  CHECK(sampled == defined);
}

TEST_CASE("every op has samples with extents of 0 and 1, and of rank 0 where it takes them", "[registry]") {
  std::map<std::string, std::set<int64_t>> extents;
  std::set<std::string> scalar;
  for (const Sample& sample : testing::samples())
    for (const ir::Type& operand : sample.operands) {
      extents[sample.op].insert(operand.shape.begin(), operand.shape.end());
      if (operand.shape.rank() == 0) scalar.insert(sample.op);
    }
  for (const ir::OpDef* def : ir::registry().all()) {
    INFO(def->name);
    if (def->operands.empty() || def->takes_epilogue || def->needs_body() || ir::has_gradient_body(*def) ||
        (def->operands[0].type && def->operands[0].type->shape.rank() <= 1))
      continue;
    if (extents[def->name] != std::set<int64_t>{2}) CHECK((extents[def->name].contains(0) && extents[def->name].contains(1)));
    if (def->is_elementwise()) CHECK(scalar.contains(def->name));
  }
}

TEST_CASE("samples in every floating type verify, run, and survive as text", "[registry]") {
  for (DType floating : {f64, f32, f16, bf16}) {
    for (const Sample& sample : testing::samples(floating)) {
      INFO(testing::to_string(sample));
      const ir::Module module = testing::module_of(sample);
      ir::verify(module);
      const std::string text = ir::print(module);
      const ir::Module again = ir::parse(text);
      CHECK(ir::equal(again, module));
      CHECK(ir::print(again) == text);
      const std::vector<Tensor> values = testing::values_of(sample);
      const std::vector<Tensor> results = reference::evaluate(module.graph(), values);
      REQUIRE(results.size() == module.graph().outputs().size());
      for (size_t i = 0; i < results.size(); ++i) CHECK(results[i].type == module.graph().outputs()[i].value.type());
    }
  }
}

TEST_CASE("gradients agree with central differences", "[registry]") {
  std::map<std::string, std::set<std::string>> zero, nonzero;  // operands by op
  for (const Sample& sample : testing::samples()) {
    if (!has_smooth_double_results(sample)) continue;
    INFO(testing::to_string(sample));
    const std::vector<int> inputs = differentiable_inputs(sample);
    ir::Module module = testing::module_of(sample);
    differentiate(module, inputs);
    const std::vector<Tensor> values = testing::values_of(sample);
    const std::vector<Tensor> results = reference::evaluate(module.graph(), values);
    if (sample.degenerate && !std::isfinite(results[0].real[0])) continue;  // a mean of nothing: nan has no differences
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::string& operand = module.graph().input(inputs[i]).name();
      INFO("operand " << operand);
      const std::vector<double> expected = central_differences(module.graph(), values, inputs[i]);
      require_close(results[i + 1].real, expected, 1e-6, 1e-8);
      if (!expected.empty()) (largest(expected) > 1e-4 ? nonzero : zero)[sample.op].insert(operand);
    }
  }
  for (const ir::OpDef* def : ir::registry().all()) {
    INFO(def->name);
    if (is_differentiable(*def) && !ir::has_gradient_body(*def)) CHECK(!nonzero[def->name].empty());
    for (const std::string& operand : zero[def->name]) {
      INFO("operand " << operand << " has a zero gradient in every sample");
      CHECK(nonzero[def->name].contains(operand));
    }
  }
}

TEST_CASE("an op is linear in what its definition says it is linear in", "[registry]") {
  std::set<std::string> checked;
  for (const Sample& sample : testing::samples()) {
    const ir::OpDef& def = ir::op_def(sample.op);
    if (!sample.body.empty()) continue;
    for (size_t i = 0; i < (def.bilinear ? 2 : def.linear ? 1 : 0); ++i) {
      if (sample.operands[i].dtype != f64) continue;
      INFO(testing::to_string(sample) << ", operand " << i);
      const ir::Module module = testing::module_of(sample);
      std::vector<Tensor> x = testing::values_of(sample), y = x, sum = x;
      for (size_t e = 0; e < x[i].real.size(); ++e) y[i].real[e] = 0.75 - x[i].real[e] * x[i].real[e], sum[i].real[e] += y[i].real[e];
      const Tensor fx = reference::evaluate(module.graph(), x)[0], fy = reference::evaluate(module.graph(), y)[0];
      std::vector<double> parts = fx.real;
      for (size_t e = 0; e < parts.size(); ++e) parts[e] += fy.real[e];
      require_close(reference::evaluate(module.graph(), sum)[0].real, parts, 1e-12, 1e-12);
      checked.insert(sample.op);
    }
  }
  CHECK(checked == std::set<std::string>{"convolution", "convolution_data", "convolution_weight", "matmul", "mul", "neg", "sum"});
}

TEST_CASE("what passes make after differentiation refuses to be differentiated", "[registry]") {
  for (const Sample& sample : testing::samples()) {
    if (sample.differentiable || ir::has_gradient_body(ir::op_def(sample.op))) continue;
    INFO(testing::to_string(sample));
    ir::Module module = testing::module_of(sample);
    CHECK_THROWS(differentiate(module, differentiable_inputs(sample)));
  }
}

TEST_CASE("a decomposition has the op's result types and values", "[registry]") {
  for (const Sample& sample : testing::samples(f32)) {
    if (!ir::op_def(sample.op).decompose) continue;
    INFO(testing::to_string(sample));
    const ir::Module native = testing::module_of(sample), parts = decomposed(sample);
    ir::verify(parts);
    const std::vector<Tensor> values = testing::values_of(sample);
    const std::vector<Tensor> a = reference::evaluate(parts.graph(), values);
    const std::vector<Tensor> b = reference::evaluate(native.graph(), values);
    for (size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].type == b[i].type);
      CHECK(a[i].integer == b[i].integer);
      require_close(a[i].real, b[i].real, 1e-12, 0);
    }
  }
}

TEST_CASE("a gradient rule agrees with the gradient of the decomposition", "[registry]") {
  std::set<std::string> checked;
  for (const Sample& sample : testing::samples()) {
    const ir::OpDef& def = ir::op_def(sample.op);
    if (!def.decompose || !def.gradient || !sample.differentiable) continue;
    INFO(testing::to_string(sample));
    const std::vector<int> inputs = differentiable_inputs(sample);
    ir::Module native = testing::module_of(sample), parts = decomposed(sample);
    differentiate(native, inputs);
    differentiate(parts, inputs);
    const std::vector<Tensor> values = testing::values_of(sample);
    const std::vector<Tensor> a = reference::evaluate(native.graph(), values);
    const std::vector<Tensor> b = reference::evaluate(parts.graph(), values);
    for (size_t i = 0; i < a.size(); ++i) require_close(a[i].real, b[i].real, 1e-12, sample.degenerate ? 1e-14 : 0);
    checked.insert(sample.op);
  }
  CHECK(!checked.empty());
}
