// The update ops against torch.optim: tests/expected/optimizers.json, in f64.

#include <cctype>
#include <cmath>
#include <set>

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/ir/registry.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/expected.h"

using namespace weft;
using reference::Tensor;
using testing::json;

namespace {

/// The first elements of `values` in this shape.
Tensor tensor(const json& values, const Shape& shape) {
  Tensor t(ir::Type{f64, shape});
  for (size_t e = 0; e < t.real.size(); ++e) t.real[e] = testing::number(values[e]);
  return t;
}

Tensor scalar(double value) {
  Tensor t(ir::Type{f64, {}});
  t.real = {value};
  return t;
}

/// A hyper-parameter among a torch.optim class's options, some of which are pairs.
double hyper(const json& options, const std::string& name) {
  struct Pair {
    const char *name, *option;
    size_t index;
  };
  for (const Pair& p : {Pair{"beta1", "betas", 0},
                        {"beta2", "betas", 1},
                        {"etaminus", "etas", 0},
                        {"etaplus", "etas", 1},
                        {"step_size_min", "step_sizes", 0},
                        {"step_size_max", "step_sizes", 1},
                        {"eps2", "eps", 1},
                        {"ns_a", "ns_coefficients", 0},
                        {"ns_b", "ns_coefficients", 1},
                        {"ns_c", "ns_coefficients", 2}})
    if (name == p.name) return options.at(p.option)[p.index].get<double>();
  return options.at(name).get<double>();
}

/// Switches are options themselves, or say that a hyper-parameter is not zero.
bool is_on(const json& options, const std::string& name) {
  if (options.value("adjust_lr_fn", json()) == json(name)) return true;
  const json value = options.value(name, json(false));
  return value.is_boolean() ? value.get<bool>() : value.get<double>() != 0;
}

/// The update op as a graph of its operands, all of them inputs.
std::unique_ptr<ir::Graph> update_graph(const std::string& op, const json& options, std::span<const Tensor> operands) {
  auto graph = std::make_unique<ir::Graph>(op);
  std::vector<ir::Value> values;
  for (size_t i = 0; i < operands.size(); ++i) values.push_back(graph->add_input("operand" + std::to_string(i), operands[i].type));
  ir::NamedAttributes attributes;
  for (const ir::AttributeSpec& a : ir::op_def(op).attributes) attributes.emplace_back(a.name, is_on(options, a.name));
  for (ir::Value v : ir::Builder(*graph).create(op, values, attributes).results()) graph->add_output({"", v, {}, {}});
  return graph;
}

/// All steps of one case.
void check_case(const std::string& op, const json& a_case, const json& start, const json& gradients) {
  const json &options = a_case["options"], &expected = a_case["parameters"];
  const ir::OptimizerSpec& spec = *ir::find_optimizer(op);
  const Shape shape(a_case["shape"].get<Dims>());
  Tensor step(ir::Type{i64, {}});
  std::vector<Tensor> operands{tensor(start, shape), tensor(start, shape), step};
  for (const ir::HyperSpec& h : spec.hypers) operands.push_back(scalar(hyper(options, h.name)));
  if (spec.rows) {
    operands[1].type.shape = Shape{static_cast<int64_t>(a_case["indices"][0].size())};
    operands.emplace_back(ir::Type{i64, operands[1].type.shape});
  }
  const size_t fixed = operands.size();
  const auto states = spec.states(operands[0].type, [&](std::string_view s) { return is_on(options, std::string(s)); });
  for (const ir::StateSpec& state : states) operands.emplace_back(state.type(operands[0].type));
  const auto graph = update_graph(op, options, operands);
  for (size_t i = 0; i < expected.size(); ++i) {
    operands[1] = tensor(gradients[i % gradients.size()], operands[1].type.shape);
    if (spec.rows) operands[fixed - 1].integer = a_case["indices"][i].get<std::vector<int64_t>>();
    ++operands[2].integer[0];
    const std::vector<Tensor> results = reference::evaluate(*graph, operands);
    operands[0] = results[0];
    for (size_t s = 0; s < states.size(); ++s) operands[fixed + s] = results[1 + s];
    for (size_t e = 0; e < results[0].real.size(); ++e) {
      CAPTURE(i, e);
      const double wanted = testing::number(expected[i][e]), got = results[0].real[e];
      if (std::isfinite(wanted)) CHECK(std::abs(got - wanted) <= 1e-12 * std::abs(wanted));
      else CHECK((std::isnan(wanted) ? std::isnan(got) : got == wanted));
    }
  }
}

/// The update op of a torch.optim class.
std::string op_of(const json& a_case) {
  std::string op = a_case["optimizer"];
  for (char& letter : op) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (op == "sparseadam") op = "sparse_adam";
  REQUIRE(ir::find_optimizer(op));
  return op;
}

}  // namespace

TEST_CASE("a gradient that is no finite number makes those elements nan that it makes nan in torch", "[optimizers]") {
  const json all = testing::read_expected("nonfinite");
  std::set<std::string> checked;
  for (const json& c : all["cases"]) {
    const std::string op = op_of(c);
    INFO(op << " " << c["options"].dump() << " " << c["shape"].dump() << " " << c["gradients"][1].dump());
    check_case(op, c, all["initial"], c["gradients"]);
    checked.insert(op);
  }
  CHECK(checked.size() + 1 == ir::all_optimizers().size());  // all but sparse_adam
}

TEST_CASE("update ops give torch.optim's parameters", "[optimizers]") {
  const json all = testing::read_expected("optimizers");
  std::set<std::string> checked;
  for (const json& c : all["cases"]) {
    const std::string op = op_of(c);
    INFO(op << " " << c["options"].dump() << " " << c["shape"].dump());
    check_case(op, c, all["initial"], all["gradients"]);
    checked.insert(op);
  }
  CHECK(checked.size() == ir::all_optimizers().size());  // every update op has its cases
}
