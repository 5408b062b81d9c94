// The update ops against torch.optim: tests/expected/optimizers.json, in f64.

#include <cmath>

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/expected.h"

using namespace weft;
using reference::Tensor;
using testing::json;

namespace {

Tensor vector(const std::vector<double>& values) {
  Tensor t(ir::Type{f64, Shape{static_cast<int64_t>(values.size())}});
  t.real = values;
  return t;
}

Tensor scalar(double value) {
  Tensor t(ir::Type{f64, {}});
  t.real = {value};
  return t;
}

/// An option of a torch.optim class, or its default.
double hyper(const json& options, const std::string& name) {
  const json betas = options.value("betas", json{0.9, 0.999});
  if (name == "beta1" || name == "beta2") return betas[name == "beta2"].get<double>();
  return options.value(name, name == "lr" ? 1e-3 : name == "eps" ? 1e-8 : 0.0);
}

/// Switches are options themselves, or say that a hyper-parameter is not zero.
bool is_on(const json& options, const std::string& name) {
  const json value = options.value(name, json(false));
  return value.is_boolean() ? value.get<bool>() : value.get<double>() != 0;
}

/// The update op as a graph of its operands, all of them inputs.
std::unique_ptr<ir::Graph> update_graph(const std::string& op, const json& options, std::span<const Tensor> operands) {
  auto graph = std::make_unique<ir::Graph>(op);
  std::vector<ir::Value> values;
  for (size_t i = 0; i < operands.size(); ++i)
    values.push_back(graph->add_input("operand" + std::to_string(i), operands[i].type));
  ir::NamedAttributes attributes;
  for (const ir::AttributeSpec& a : ir::op_def(op).attributes) attributes.emplace_back(a.name, is_on(options, a.name));
  for (ir::Value v : ir::Builder(*graph).create(op, values, attributes).results()) graph->add_output({"", v, {}, {}});
  return graph;
}

/// All steps of one case.
void check_case(const std::string& op, const json& options, const json& start, const json& gradients,
                const json& expected) {
  const ir::OptimizerSpec& spec = *ir::find_optimizer(op);
  Tensor step(ir::Type{i64, {}});
  std::vector<Tensor> operands{vector(start), vector(start), step};
  for (const ir::HyperSpec& h : spec.hypers) operands.push_back(scalar(hyper(options, h.name)));
  const size_t fixed = operands.size();
  const auto states = spec.states([&](std::string_view s) { return is_on(options, std::string(s)); });
  for (size_t i = 0; i < states.size(); ++i) operands.push_back(vector(std::vector<double>(start.size(), 0)));
  const auto graph = update_graph(op, options, operands);
  for (size_t i = 0; i < expected.size(); ++i) {
    operands[1] = vector(gradients[i]);
    ++operands[2].integer[0];
    const std::vector<Tensor> results = reference::evaluate(*graph, operands);
    operands[0] = results[0];
    for (size_t s = 0; s < states.size(); ++s) operands[fixed + s] = results[1 + s];
    for (size_t e = 0; e < results[0].real.size(); ++e) {
      CAPTURE(i, e);
      const double wanted = expected[i][e].get<double>();
      CHECK(std::abs(results[0].real[e] - wanted) <= 1e-12 * std::abs(wanted));
    }
  }
}

}  // namespace

TEST_CASE("update ops give torch.optim's parameters", "[optimizers]") {
  const json all = testing::read_expected("optimizers");
  int checked = 0, skipped = 0;
  for (const json& c : all["cases"]) {
    const std::string optimizer = c["optimizer"];
    INFO(optimizer << " " << c["options"].dump());
    if (optimizer == "AdamW") {  // decoupled decay: no op yet
      ++skipped;
      continue;
    }
    check_case(optimizer == "SGD" ? "sgd" : "adam", c["options"], all["initial"], all["gradients"], c["parameters"]);
    ++checked;
  }
  CHECK(checked == 44);
  CHECK(skipped == 20);
}
