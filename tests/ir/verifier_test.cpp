// What the verifier refuses in graphs that were not built by the builder or the parser.

#include "weft/ir/verifier.h"

#include <array>

#include "weft/ir/builder.h"
#include "weft/ir/parser.h"
#include "weft/ir/registry.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

const ir::Locations line_3{{"model.cpp", 3, "fc1"}};

/// x -> exp -> neg -> output y
ir::Module chain() {
  return ir::parse(R"(weft 1
func @f {
  input %x: f32[2]
  %0 = exp(%x) : f32[2] at "model.cpp":3 "fc1"
  %1 = neg(%0) : f32[2] at "model.cpp":4
  output y = %1 at "model.cpp":5
}
)");
}

std::string message_of(const ir::Module& module) {
  try {
    ir::verify(module);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a good graph verifies", "[verifier]") { CHECK(message_of(chain()) == ""); }

TEST_CASE("operands must be defined before their use", "[verifier]") {
  ir::Module module = chain();
  ir::Graph& graph = module.graph();
  graph.move_before(*graph.op_list()[1], graph.op_list()[0]);
  CHECK(message_of(module) == "neg: an operand is not defined before its use, at model.cpp:4");
}

TEST_CASE("operands must live in the op's graph", "[verifier]") {
  ir::Module module = chain();
  ir::Graph other;
  const ir::Value stranger = other.add_input("x", {f32, {2}});
  ir::Op& exp = *module.graph().op_list()[0];
  const ir::Value x = exp.operand(0);
  exp.set_operand(0, stranger);
  CHECK(message_of(module) == "exp: an operand is not defined before its use, at model.cpp:3 (fc1)");
  exp.set_operand(0, x);
  CHECK(message_of(module) == "");
}

TEST_CASE("result types must be what the shape rule gives", "[verifier]") {
  ir::Module module("f");
  ir::Graph& graph = module.graph();
  const ir::Value x = graph.add_input("x", {f32, {2}});
  graph.insert(ir::op_def("exp"), std::array{x}, {}, {{f32, {3}}}, line_3);
  CHECK(message_of(module) == "exp: result 0 is f32[3], but the shape rule gives something else, at model.cpp:3 (fc1)");
}

TEST_CASE("operands must fit the op's specification", "[verifier]") {
  ir::Module module("f");
  ir::Graph& graph = module.graph();
  const ir::Value x = graph.add_input("x", {i64, {2}});
  graph.insert(ir::op_def("exp"), std::array{x}, {}, {{i64, {2}}}, line_3);
  CHECK(message_of(module) == "exp: operand 'x' must have a floating element type; given (i64[2]), at model.cpp:3 (fc1)");
}

TEST_CASE("bodies are verified, and capture nothing", "[verifier]") {
  ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2]
  %0 = fused(%x) : f32[2] {
    input %y: f32[2]
    %0 = exp(%y) : f32[2] at "model.cpp":7
    output %0
  }
  output %0
}
)");
  CHECK(message_of(module) == "");
  ir::Op& inner = *module.graph().op_list()[0]->body().op_list()[0];
  const ir::Value own = inner.operand(0);
  inner.set_operand(0, module.graph().input(0));
  CHECK(message_of(module) == "exp: an operand is not defined before its use, at model.cpp:7");
  inner.set_operand(0, own);
}

TEST_CASE("outputs must be defined in their graph", "[verifier]") {
  ir::Module module = chain();
  ir::Graph other;
  module.graph().add_output({"z", other.add_input("x", {f32, {2}}), {}, line_3});
  CHECK(message_of(module) == "output 'z' is not defined in its graph, at model.cpp:3 (fc1)");
}

TEST_CASE("output names are unique, but any number may be empty", "[verifier]") {
  ir::Module module = chain();
  const ir::Value x = module.graph().input(0);
  module.graph().add_output({"", x, {}, {}});
  module.graph().add_output({"", x, {}, {}});
  CHECK(message_of(module) == "");
  module.graph().add_output({"y", x, {}, line_3});
  CHECK(message_of(module) == "there are two outputs named 'y', the second at model.cpp:3 (fc1)");
}

TEST_CASE("input names are unique", "[verifier]") {
  ir::Module module = chain();
  CHECK_THROWS_WITH(module.graph().add_input("x", {f32, {}}), "the graph 'f' already has an input named 'x'");
}

namespace {

void replace_alias(ir::Graph& graph, size_t output, int input) {
  std::vector<ir::Output> outputs = graph.outputs();
  outputs[output].alias = input;
  graph.set_outputs(std::move(outputs));
}

}  // namespace

TEST_CASE("an alias replaces one input of its own type, once", "[verifier]") {
  ir::Module module = chain();
  ir::Graph& graph = module.graph();
  graph.add_input("state", {f32, {3}}, ir::Role::state);
  replace_alias(graph, 0, 1);
  CHECK(message_of(module) == "output 'y' is f32[2] but replaces the input 'state', which is f32[3], at model.cpp:5");
  replace_alias(graph, 0, 0);
  CHECK(message_of(module) == "");
  graph.add_output({"z", graph.input(0), 0, line_3});
  CHECK(message_of(module) == "the input 'x' is updated twice, the second time at model.cpp:3 (fc1)");
  replace_alias(graph, 1, 2);
  CHECK(message_of(module) == "output 'z' replaces input 2, but there are only 2, at model.cpp:3 (fc1)");
}

TEST_CASE("an input that an output replaces cannot be removed", "[verifier]") {
  ir::Module module("f");
  ir::Graph& graph = module.graph();
  const ir::Value x = graph.add_input("x", {f32, {2}});
  graph.add_input("state", {f32, {2}});
  graph.add_input("unused", {f32, {2}});
  graph.add_output({"new", x, 1, {}});
  CHECK_THROWS_WITH(graph.remove_input(1), contains_text("input 'state' is still read or replaced"));
  CHECK_THROWS_WITH(graph.remove_input(0), contains_text("input 'x' is still read or replaced"));
  graph.remove_input(2);
  CHECK(graph.inputs().size() == 2);
}
