// The reference against PyTorch: values and gradients of tests/expected/semantics.json, in f64.

#include <cmath>
#include <map>

#include "weft/ir/registry.h"
#include "weft/passes/autodiff.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/torch_ops.h"

using namespace weft;
using reference::Tensor;
using testing::json;

namespace {

constexpr double tolerance = 1e-10;

/// What weft's ops do not have, by the beginning and the end of the cases' names.
struct Missing {
  std::string begin, end, reason;
  int cases;
};

const std::vector<Missing> missing{
    {"gather/", "", "torch.gather picks elements; weft's gather picks slices, as index_select", 3},
    {"scatter_add/", "", "torch.scatter_add adds elements; weft's scatter_add adds slices, as index_add", 1},
    {"pad/", "negative_crops", "pad refuses negative amounts: cropping is slice", 1},
    {"cross_entropy/", "_ignore_index", "the language composes it: losses.json", 3},
    {"cross_entropy/", "_all_ignored", "the language composes it: losses.json", 3},
    {"cross_entropy/", "_label_smoothing", "the language composes it: losses.json", 3},
};

/// The entry that covers the case, if any.
const Missing* find_missing(const std::string& name) {
  for (const Missing& m : missing)
    if (name.starts_with(m.begin) && name.ends_with(m.end)) return &m;
  return nullptr;
}

/// Whether every element is compared on its own, the signs of zeros too: for single elementwise ops, without the sums
/// that undo a broadcast. Else errors are relative to the tensor's largest element.
bool is_pointwise(const json& c) {
  const ir::OpDef* def = ir::registry().find(c["op"].get<std::string>());
  if (!def || !def->is_elementwise()) return false;
  for (const json& input : c["inputs"])
    if (input["shape"] != c["outputs"][0]["shape"]) return false;
  return true;
}

bool is_close(double given, double expected, double scale, bool pointwise) {
  if (std::isnan(expected)) return std::isnan(given);
  if (std::isinf(expected)) return given == expected;
  if (pointwise && given == 0 && expected == 0) return std::signbit(given) == std::signbit(expected);
  return std::abs(given - expected) <= tolerance * (pointwise ? std::abs(expected) : scale);
}

/// The first difference, or "".
std::string difference(const Tensor& given, const Tensor& expected, bool pointwise) {
  if (given.type != expected.type) return to_string(given.type) + " is not " + to_string(expected.type);
  double scale = 0;
  for (double x : expected.real)
    if (std::isfinite(x)) scale = std::max(scale, std::abs(x));
  for (size_t i = 0; i < expected.real.size(); ++i)
    if (!is_close(given.real[i], expected.real[i], scale, pointwise))
      return fmt::format("[{}] {} is not {}", i, given.real[i], expected.real[i]);
  for (size_t i = 0; i < expected.integer.size(); ++i)
    if (given.integer[i] != expected.integer[i]) return fmt::format("[{}] {} is not {}", i, given.integer[i], expected.integer[i]);
  return "";
}

/// Compares the result and the gradients of the floating inputs.
void check_case(const json& c) {
  ir::Graph graph(c["name"].get<std::string>());
  std::vector<ir::Value> inputs, xs;
  std::vector<Tensor> values, expected{testing::tensor(c["outputs"][0])};
  for (size_t i = 0; i < c["inputs"].size(); ++i) {
    values.push_back(testing::tensor(c["inputs"][i]));
    inputs.push_back(graph.add_input("input" + std::to_string(i), values.back().type));
    if (c["grads"][i].is_null()) continue;
    xs.push_back(inputs.back());
    expected.push_back(testing::tensor(c["grads"][i]));
  }
  ir::Builder b(graph);
  const auto result = testing::torch_op(b, c["op"], inputs, c["attrs"]);
  REQUIRE(result);
  graph.add_output({"result", *result, {}, {}});
  if (!xs.empty()) {
    values.push_back(testing::tensor(c["cotangent"]));
    const ir::Value weighted = b("mul", {*result, graph.add_input("cotangent", values.back().type)});
    Dims axes;
    for (int axis = 0; axis < weighted.shape().rank(); ++axis) axes.push_back(axis);
    for (ir::Value dx : passes::gradients(graph, b.sum(weighted, axes), xs)) graph.add_output({"", dx, {}, {}});
  }
  const std::vector<Tensor> given = reference::evaluate(graph, values);
  REQUIRE(given.size() == expected.size());
  for (size_t i = 0; i < given.size(); ++i) {
    INFO((i == 0 ? std::string("the result") : "the gradient in " + xs[i - 1].name()));
    CHECK(difference(given[i], expected[i], is_pointwise(c)) == "");
  }
}

}  // namespace

TEST_CASE("values and gradients are PyTorch's", "[semantics]") {
  const json expected = testing::read_expected("semantics");
  int checked = 0;
  std::map<const Missing*, int> skipped;
  for (const json& c : expected["cases"]) {
    if (const Missing* m = find_missing(c["name"])) {
      ++skipped[m];
      continue;
    }
    INFO(c["name"].get<std::string>());
    check_case(c);
    ++checked;
  }
  for (const Missing& m : missing) {
    INFO(m.begin << "..." << m.end << ": " << m.reason);
    CHECK(skipped[&m] == m.cases);
  }
  CHECK(checked == 380);
}
