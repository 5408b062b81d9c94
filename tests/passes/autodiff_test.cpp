#include "weft/passes/autodiff.h"

#include "weft/ir/builder.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/simplify.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Differentiates twice: outputs d loss / d x and d (sum of that) / d x.
std::string second_order(const std::string& statements) {
  ir::Module module = module_from(statements);
  ir::Graph& graph = module.graph();
  const ir::Value x = graph.input(0);
  const ir::Value first = passes::gradients(graph, graph.outputs()[0].value, std::vector{x})[0];
  const ir::Value second = passes::gradients(graph, first, std::vector{x})[0];
  graph.set_outputs({});
  graph.add_output({"first", first, {}, {}});
  graph.add_output({"second", second, {}, {}});
  ir::verify(module);
  passes::simplify(module);
  return text_of(module);
}

}  // namespace

TEST_CASE("autodiff: the output differentiates again", "[passes][autodiff]") {
  CHECK(second_order(R"(
    input %x: f64[]
    %0 = exp(%x) : f64[]
    output loss = %0)") == text_of(module_from(R"(
    input %x: f64[]
    %0 = exp(%x) : f64[]
    output first = %0
    output second = %0)")));
  CHECK(second_order(R"(
    input %x: f64[]
    %0 = sin(%x) : f64[]
    output loss = %0)") == text_of(module_from(R"(
    input %x: f64[]
    %0 = sin(%x) : f64[]
    %1 = cos(%x) : f64[]
    %2 = neg(%0) : f64[]
    output first = %1
    output second = %2)")));
}

TEST_CASE("autodiff: gradients() gives zeros where nothing flows", "[passes][autodiff]") {
  ir::Module m = module_from("input %x: f32[]\n input %y: f32[2]\n %0 = exp(%x) : f32[]\n output loss = %0");
  const auto g = passes::gradients(m.graph(), m.graph().outputs()[0].value, std::vector{m.graph().input(1)});
  REQUIRE(g.size() == 1);
  CHECK(ir::print(*g[0].op()) == "%constant.1 = constant() {value = f32[2] 0.0} : f32[2]");
}

TEST_CASE("autodiff: gradients() starts from the seed", "[passes][autodiff]") {
  ir::Module m = module_from("input %x: f32[]\n input %s: f32[]\n %0 = neg(%x) : f32[]\n output loss = %0");
  const ir::Value x = m.graph().input(0), seed = m.graph().input(1);
  const auto g = passes::gradients(m.graph(), m.graph().outputs()[0].value, std::vector{x}, seed);
  CHECK(ir::print(*g[0].op()) == "%neg = neg(%s) : f32[]");
}
