// What values are called: derived from what a text holds, kept where a text says it.

#include "weft/ir/value_names.h"

#include "weft/ir/builder.h"
#include "weft/ir/comments.h"
#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/passes/target.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string in_function(const std::string& statements) { return "weft 1\nfunc @net {\n" + statements + "}\n"; }

const std::string named = in_function(R"(  input %x: f32[8,4] at "net.cpp":1
  input %fc1.weight: f32[2,4] parameter at "net.cpp":2 "fc1"
  %fc1.matmul = matmul(%x, %fc1.weight) {transpose_b = true} : f32[8,2] at "net.cpp":3 "fc1"
  %fc1.exp = exp(%fc1.matmul) : f32[8,2] at "net.cpp":4 "fc1"
  %fc1.exp.1 = exp(%fc1.exp) : f32[8,2] at "net.cpp":5 "fc1"
  %encoder.add = add(%fc1.exp, %fc1.exp.1) : f32[8,2] at "net.cpp":5 "encoder.0.a", "net.cpp":6 "encoder.1"
  %fc1.exp.grad = exp(%encoder.add) : f32[8,2] at "net.cpp":4 "fc1" in backward
  %exp = exp(%fc1.exp.grad) : f32[8,2]
  %0.neg.update = neg(%exp) : f32[8,2] at "net.cpp":5 "0" in update
  %loss = sum(%0.neg.update) {axes = [0,1]} : f32[] at "net.cpp":7
  output loss = %loss at "net.cpp":7
)");

std::string numbered(const std::string& text) { return ir::print(ir::parse(text), {.names = ir::Names::numbers}); }

}  // namespace

TEST_CASE("names follow from layers, ops, outputs and the part of a step", "[names]") {
  CHECK(ir::print(ir::parse(named)) == named);
  // They are in no other place than in what the text says otherwise.
  const std::string numbers = numbered(named);
  CHECK(numbers.find("%7 = sum(%6)") != std::string::npos);
  CHECK(numbers.find("%fc1.exp") == std::string::npos);
  CHECK(ir::print(ir::parse(numbers)) == named);
  CHECK(ir::equal(ir::parse(numbers), ir::parse(named)));
}

TEST_CASE("what replaces an input is its new value", "[names]") {
  const std::string text = in_function(R"(  input %w: f32[4] parameter
  %w.new = neg(%w) : f32[4]
  output w = %w.new aliases %w
)");
  CHECK(ir::print(ir::parse(text)) == text);
  CHECK(ir::print(ir::parse(numbered(text))) == text);
}

TEST_CASE("what runs a body is called as what the body ends with", "[names]") {
  const std::string text = in_function(R"(  input %x: f32[4]
  %fc1.exp, %fc1.neg = fused(%x) : f32[4], f32[4] {
    input %x0: f32[4]
    %fc1.exp = exp(%x0) : f32[4] at "net.cpp":1 "fc1"
    %fc1.neg = neg(%fc1.exp) : f32[4] at "net.cpp":2 "fc1"
    output %fc1.exp
    output %fc1.neg
  } at "net.cpp":1 "fc1", "net.cpp":2 "fc1"
  output y = %fc1.neg
)");
  const std::string expected = in_function(R"(  input %x: f32[4]
  %fc1.exp, %y = fused(%x) : f32[4], f32[4] {
    input %x0: f32[4]
    %fc1.exp = exp(%x0) : f32[4] at "net.cpp":1 "fc1"
    %fc1.neg = neg(%fc1.exp) : f32[4] at "net.cpp":2 "fc1"
    output %fc1.exp
    output %fc1.neg
  } at "net.cpp":1 "fc1", "net.cpp":2 "fc1"
  output y = %y
)");
  CHECK(ir::print(ir::parse(numbered(text))) == expected);
}

TEST_CASE("names of a text are kept", "[names]") {
  const std::string text = in_function(R"(  input %x: f32[4]
  %hidden = exp(%x) : f32[4]
  %exp = exp(%hidden) : f32[4]
  %"two words" = neg(%exp) : f32[4]
  %neg.1 = neg(%"two words") : f32[4]
  %exp.7 = exp(%neg.1) : f32[4]
  output y = %exp.7
)");
  const ir::Module module = ir::parse(text);
  CHECK(ir::print(module) == text);
  CHECK(ir::print(module.clone()) == text);
  CHECK(ir::print(ir::parse(ir::print(module))) == text);
}

TEST_CASE("what an unrelated op is called changes with nothing that comes or goes", "[names]") {
  std::string more = named;
  const std::string at = "  %exp = exp(";
  more.insert(more.find(at), "  %fc2.exp = exp(%encoder.add) : f32[8,2] at \"net.cpp\":9 \"fc2\"\n");
  CHECK(ir::print(ir::parse(numbered(more))) == more);
}

TEST_CASE("a name that is taken gets a number", "[names]") {
  const std::string text = in_function(R"(  input %exp: f32[4]
  input %exp.1: f32[4]
  %exp.2 = exp(%exp) : f32[4]
  %exp.3 = exp(%exp.1) : f32[4]
  output loss = %exp.3
)");
  const std::string expected = in_function(R"(  input %exp: f32[4]
  input %exp.1: f32[4]
  %exp.2 = exp(%exp) : f32[4]
  %loss = exp(%exp.1) : f32[4]
  output loss = %loss
)");
  CHECK(ir::print(ir::parse(numbered(text))) == expected);
}

TEST_CASE("an input that is called as a number is none", "[names]") {
  const std::string text = in_function(R"(  input %"0": f32[4]
  %0 = exp(%"0") : f32[4]
  %1 = neg(%0) : f32[4]
  output y = %1
)");
  CHECK(numbered(text) == text);
  const ir::Module mixed = ir::parse(in_function("  input %\"a.b\": f32[4]\n  output y = %a.b\n"));
  CHECK(ir::print(mixed) == in_function("  input %a.b: f32[4]\n  output y = %a.b\n"));
}

TEST_CASE("a name goes along with the value when a pass puts another op in its place", "[names]") {
  ir::Module module = ir::parse(in_function(R"(  input %x: f32[4]
  %hidden = sigmoid(%x) : f32[4]
  %z = add(%hidden, %x) : f32[4]
  output y = %z
)"));
  ir::Graph& graph = module.graph();
  ir::Op& sigmoid = *graph.op_list()[0];
  ir::Builder b(graph, &sigmoid);
  const ir::Value other = b("tanh", {graph.input(0)});
  sigmoid.result().replace_all_uses_with(other);
  graph.erase(sigmoid);
  CHECK(ir::print(module).find("%hidden = tanh(%x)") != std::string::npos);
}

TEST_CASE("gradients keep their names when they are outputs no more", "[names]") {
  ir::Module module = ir::parse(R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
func @net {
  input %x: f32[8,4]
  input %w: f32[2,4] parameter at "net.cpp":2 "fc"
  %h = matmul(%x, %w) {transpose_b = true} : f32[8,2] at "net.cpp":3 "fc"
  %loss = sum(%h) {axes = [0,1]} : f32[] at "net.cpp":4
  output loss = %loss
}
)");
  passes::run(module, {"autodiff", "training_step"}, passes::generic_target());
  const std::string text = ir::print(module);
  INFO(text);
  CHECK(text.find("%w.grad = ") != std::string::npos);
  CHECK(text.find("%w.new = sgd(%w, %w.grad, ") != std::string::npos);
  CHECK(ir::print(ir::parse(text)) == text);
  passes::run(module, passes::remaining_passes(module), passes::generic_target());
  CHECK(ir::print(module).find("%w.grad") != std::string::npos);
}

TEST_CASE("source lines stand behind the program, or nowhere", "[names]") {
  const ir::Module module = ir::parse(named);
  const std::string end = ir::print(module, {.lines = ir::ShownLines::end}), none = ir::print(module, {.lines = ir::ShownLines::none});
  CHECK(end.find("  input %fc1.weight: f32[2,4] parameter at 2\n") != std::string::npos);
  CHECK(end.find("}\nat 1 = \"net.cpp\":1\nat 2 = \"net.cpp\":2 \"fc1\"\n") != std::string::npos);
  CHECK(end.find("at 6 = \"net.cpp\":5 \"encoder.0.a\", \"net.cpp\":6 \"encoder.1\"\n") != std::string::npos);
  CHECK(end.find("at 7 = \"net.cpp\":4 \"fc1\" in backward\n") != std::string::npos);
  const ir::Module again = ir::parse(end);
  CHECK(ir::equal(again, module));
  CHECK(ir::print(again) == named);
  CHECK(ir::print(again, {.lines = ir::ShownLines::end}) == end);
  CHECK(none.find("net.cpp") == std::string::npos);
  const ir::Module bare = ir::parse(none);
  CHECK(ir::print(bare) == none);
  CHECK(none.find("%fc1.exp.grad = exp(%encoder.add) : f32[8,2]\n") != std::string::npos);
}

TEST_CASE("comments stay where they are when source lines go behind the program", "[names]") {
  const std::string text = "# first\n" + in_function("  input %x: f32[4] at \"a.cpp\":1  # said of x\n  # said of y\n  output y = %x\n");
  const ir::Module module = ir::parse(text);
  CHECK(ir::print(module, ir::comments_of(text, module), {.lines = ir::ShownLines::end}) ==
        "# first\n" + in_function("  input %x: f32[4] at 1  # said of x\n  # said of y\n  output y = %x\n") + "at 1 = \"a.cpp\":1\n");
}

TEST_CASE("what stands behind the program is refused where it is wrong", "[names]") {
  const auto error = [](const std::string& text) {
    try {
      ir::parse(text, "net");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const std::string f = "weft 1\nfunc @f {\n  input %x: f32[4] at 2\n  output y = %x\n}\n";
  CHECK(error(f) == "net:3:23: no line 'at 2 = ...' stands behind the program");
  CHECK(error(f + "at 2 = \"a.cpp\":1\nat 2 = \"a.cpp\":2\n") == "net:7:4: 'at 2' is given twice");
  CHECK(error(f + "at 2 = 7\n") == "net:6:8: expected a file name but found '7'");
}
