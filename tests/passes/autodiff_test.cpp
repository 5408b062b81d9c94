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

const std::string train_x = "train {loss = \"loss\", inputs = [\"x\"], optimizer = \"sgd\"}\n";
const std::string train_xy = "train {loss = \"loss\", inputs = [\"x\", \"y\"], optimizer = \"sgd\"}\n";

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

TEST_CASE("autodiff: the gradient is an output of its own, made of ordinary ops", "[passes][autodiff]") {
  check_becomes("autodiff", train_xy + R"(
    input %x: f32[] parameter
    input %y: f32[] parameter
    %0 = mul(%x, %y) : f32[]
    output loss = %0)",
                train_xy + R"(
    input %x: f32[] parameter
    input %y: f32[] parameter
    %0 = mul(%x, %y) : f32[]
    %1 = constant() {value = f32[] 1.0} : f32[]
    %2 = mul(%1, %y) : f32[]
    %3 = mul(%1, %x) : f32[]
    output loss = %0
    output x.grad = %2
    output y.grad = %3)");
}

TEST_CASE("autodiff: the gradients of all uses add up", "[passes][autodiff]") {
  check_becomes("autodiff,simplify", train_x + R"(
    input %x: f32[] parameter
    %0 = sin(%x) : f32[]
    %1 = mul(%0, %x) : f32[]
    output loss = %1)",
                train_x + R"(
    input %x: f32[] parameter
    %0 = sin(%x) : f32[]
    %1 = mul(%0, %x) : f32[]
    %2 = cos(%x) : f32[]
    %3 = mul(%x, %2) : f32[]
    %4 = add(%0, %3) : f32[]
    output loss = %1
    output x.grad = %4)");
}

TEST_CASE("autodiff: an op without a rule is differentiated through its decomposition", "[passes][autodiff]") {
  check_becomes("autodiff,decompose,simplify", train_x + R"(
    input %x: f32[4] parameter
    input %t: f32[4]
    %0 = mse_loss(%x, %t) {reduction = "sum"} : f32[]
    output loss = %0)",
                train_x + R"(
    input %x: f32[4] parameter
    input %t: f32[4]
    %0 = sub(%x, %t) : f32[4]
    %1 = mul(%0, %0) : f32[4]
    %2 = sum(%1) {axes = [0]} : f32[]
    %3 = constant() {value = f32[4] 2.0} : f32[4]
    %4 = mul(%0, %3) : f32[4]
    output loss = %2
    output x.grad = %4)");
}

TEST_CASE("autodiff: without a train block nothing happens", "[passes][autodiff]") {
  check_stays("autodiff", "input %x: f32[] parameter\n %0 = exp(%x) : f32[]\n output loss = %0");
}

TEST_CASE("autodiff: other inputs get no gradient", "[passes][autodiff]") {
  const ir::Module m = run_passes("autodiff", train_x + R"(
    input %x: f32[3] parameter
    input %y: f32[3]
    %0 = mul(%x, %y) : f32[3]
    %1 = sum(%0) {axes = [0]} : f32[]
    output loss = %1)");
  CHECK(m.graph().find_output("x.grad"));
  CHECK_FALSE(m.graph().find_output("y.grad"));
}

TEST_CASE("autodiff: a path through a discrete op carries nothing, another path does", "[passes][autodiff]") {
  check_becomes("autodiff,simplify", train_x + R"(
    input %x: f32[] parameter
    %0 = floor(%x) : f32[]
    %1 = sub(%x, %0) : f32[]
    output loss = %1)",
                train_x + R"(
    input %x: f32[] parameter
    %0 = floor(%x) : f32[]
    %1 = sub(%x, %0) : f32[]
    %2 = constant() {value = f32[] 1.0} : f32[]
    output loss = %1
    output x.grad = %2)");
}

TEST_CASE("autodiff: a loss that is a parameter has the gradient 1", "[passes][autodiff]") {
  check_becomes("autodiff", train_x + "input %x: f32[] parameter\n output loss = %x", train_x + R"(
    input %x: f32[] parameter
    %0 = constant() {value = f32[] 1.0} : f32[]
    output loss = %x
    output x.grad = %0)");
}

TEST_CASE("autodiff: gradients keep the lines of what they differentiate", "[passes][autodiff]") {
  const ir::Module m = run_passes("autodiff", train_x + R"(
    input %x: f32[] parameter at "net.cpp":3
    %0 = exp(%x) : f32[] at "net.cpp":5 "fc1"
    output loss = %0 at "net.cpp":6)");
  CHECK(to_string(m.graph().ops().back()->locations()) == "net.cpp:5 (fc1)");
  CHECK(to_string(m.graph().find_output("x.grad")->locations) == "net.cpp:3");
}

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
  CHECK(ir::print(*g[0].op()) == "% = constant() {value = f32[2] 0.0} : f32[2]");
}

TEST_CASE("autodiff: gradients() starts from the seed", "[passes][autodiff]") {
  ir::Module m = module_from("input %x: f32[]\n input %s: f32[]\n %0 = neg(%x) : f32[]\n output loss = %0");
  const ir::Value x = m.graph().input(0), seed = m.graph().input(1);
  const auto g = passes::gradients(m.graph(), m.graph().outputs()[0].value, std::vector{x}, seed);
  CHECK(ir::print(*g[0].op()) == "% = neg(%s) : f32[]");
}

TEST_CASE("autodiff: every op without a gradient is named at once, with its line", "[passes][autodiff]") {
  const std::string body = " {\n input %a: f32[]\n %0 = exp(%a) : f32[]\n output %0\n} at \"net.cpp\":";
  const std::string text = train_x + "input %x: f32[] parameter\n %0 = fused(%x) : f32[]" + body + "7\n" + "%1 = fused(%0) : f32[]" + body +
                           "9\n output loss = %1";
  REQUIRE_THROWS_WITH(run_passes("autodiff", text), "no gradient is known for:\n  fused at net.cpp:9: fusion comes after differentiation");
  const std::string parallel = train_x + "input %x: f32[] parameter\n %0 = fused(%x) : f32[]" + body + "7\n" + "%1 = fused(%x) : f32[]" +
                               body + "9\n %2 = add(%0, %1) : f32[]\n output loss = %2";
  REQUIRE_THROWS_WITH(run_passes("autodiff", parallel),
                      "no gradient is known for:\n  fused at net.cpp:9: fusion comes after differentiation"
                      "\n  fused at net.cpp:7: fusion comes after differentiation");
}

TEST_CASE("autodiff: only a floating scalar can be differentiated", "[passes][autodiff]") {
  REQUIRE_THROWS_WITH(run_passes("autodiff", train_x + R"(
    input %x: f32[2] parameter
    %0 = exp(%x) : f32[2] at "net.cpp":5
    output loss = %0)"),
                      "only a floating scalar can be differentiated, not f32[2]; reduce it first (sum or mean), at net.cpp:5");
  REQUIRE_THROWS_WITH(run_passes("autodiff", train_x + R"(
    input %x: f32[] parameter
    %0 = cast(%x) {dtype = i64} : i64[]
    output loss = %0)"),
                      contains_text("only a floating scalar can be differentiated, not i64[]"));
}

TEST_CASE("autodiff: all parameters that the loss does not reach are named at once", "[passes][autodiff]") {
  const std::string text = R"(train {loss = "loss", inputs = ["a", "b", "c"], optimizer = "sgd"}
    input %a: f32[] parameter at "net.cpp":1
    input %b: f32[] parameter at "net.cpp":2
    input %c: f32[] parameter at "net.cpp":3
    %0 = exp(%b) : f32[]
    %1 = round(%c) : f32[]
    %2 = add(%0, %1) : f32[]
    output loss = %2)";
  REQUIRE_THROWS_WITH(run_passes("autodiff", text), contains_text("\n  'a', at net.cpp:1\n  'c', at net.cpp:3"));
}

TEST_CASE("autodiff: a train block that names what does not exist is refused", "[passes][autodiff]") {
  const std::string graph = "input %x: f32[] parameter\n %0 = exp(%x) : f32[]\n output loss = %0";
  REQUIRE_THROWS_WITH(run_passes("autodiff", "train {loss = \"los\", inputs = [\"x\"], optimizer = \"sgd\"}\n" + graph),
                      "the train block's loss 'los' is no output of the graph; did you mean 'loss'?");
  REQUIRE_THROWS_WITH(run_passes("autodiff", "train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\n" + graph),
                      "the train block names 'w', which is no input of the graph");
  REQUIRE_THROWS_WITH(run_passes("autodiff", "train {loss = \"loss\", inputs = [\"x\", \"x\"], optimizer = \"sgd\"}\n" + graph),
                      "the train block names 'x' twice");
}

TEST_CASE("autodiff: an output that takes a gradient's name is refused", "[passes][autodiff]") {
  REQUIRE_THROWS_WITH(run_passes("autodiff", train_x + R"(
    input %x: f32[] parameter
    %0 = exp(%x) : f32[]
    output loss = %0
    output x.grad = %0 at "net.cpp":5)"),
                      "the output 'x.grad' at net.cpp:5 has the name that the gradient of 'x' takes; rename it");
}
