// What a graph keeps: the order of its ops, who reads what, and ops' numbers.

#include "weft/ir/graph.h"

#include <algorithm>
#include <array>
#include <set>

#include "weft/ir/builder.h"
#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Op;
using ir::Value;

namespace {

std::string names(const ir::Graph& graph) {
  std::string text, back;
  for (const Op* op : graph.ops()) text += std::string(op->name()) + " ";
  for (auto at = graph.ops().end(); at != graph.ops().begin();) back = std::string((*--at)->name()) + " " + back;
  CHECK(text == back);
  return text;
}

/// "tanh.0 mul.1": who reads, and as which operand.
std::string users(Value v) {
  std::string text, back;
  for (const ir::Use& use : v.users()) text += fmt::format("{}.{} ", use.op->name(), use.operand);
  for (auto at = v.users().rbegin(); at != v.users().rend(); ++at) back = fmt::format("{}.{} ", at->op->name(), at->operand) + back;
  CHECK(text == back);
  CHECK(v.users().size() == static_cast<size_t>(std::count(text.begin(), text.end(), ' ')));
  return text;
}

}  // namespace

TEST_CASE("graph: ops are inserted, moved, reordered and erased at either end and between", "[graph]") {
  ir::Graph graph;
  const Value x = graph.add_input("x", {f32, {2}});
  ir::Builder b(graph);
  Op &tanh = *b("tanh", {x}).op(), &exp = *b("exp", {x}).op();
  CHECK(names(graph) == "tanh exp ");
  ir::Builder first(graph, &tanh), between(graph, &exp);
  Op &sin = *first("sin", {x}).op(), &cos = *between("cos", {x}).op();
  CHECK(names(graph) == "sin tanh cos exp ");
  CHECK(graph.ops().front() == &sin);
  CHECK(graph.ops().back() == &exp);
  graph.move_before(exp, &sin);
  CHECK(names(graph) == "exp sin tanh cos ");
  graph.move_before(exp, &exp);
  graph.move_before(sin, nullptr);
  CHECK(names(graph) == "exp tanh cos sin ");
  graph.reorder({&cos, &sin, &exp, &tanh});
  CHECK(names(graph) == "cos sin exp tanh ");
  CHECK(graph.previous(&sin) == &cos);
  CHECK(graph.previous(&cos) == nullptr);
  CHECK(graph.previous(nullptr) == &tanh);
  graph.erase(sin);
  CHECK(names(graph) == "cos exp tanh ");
  graph.erase(cos);
  graph.erase(tanh);
  CHECK(names(graph) == "exp ");
  graph.erase(exp);
  CHECK(names(graph).empty());
  CHECK(graph.ops().empty());
  CHECK(graph.ops().size() == 0);
}

TEST_CASE("graph: a value knows its readers in the order in which they came", "[graph]") {
  ir::Graph graph;
  const Value x = graph.add_input("x", {f32, {2}}), y = graph.add_input("y", {f32, {2}});
  ir::Builder b(graph);
  Op &mul = *b("mul", {x, x}).op(), &add = *b("add", {x, y}).op(), &tanh = *b("tanh", {y}).op();
  CHECK(users(x) == "mul.0 mul.1 add.0 ");
  CHECK(users(y) == "add.1 tanh.0 ");
  mul.set_operand(0, y);
  mul.set_operand(1, x);  // as it was
  CHECK(users(x) == "mul.1 add.0 ");
  CHECK(users(y) == "add.1 tanh.0 mul.0 ");
  y.replace_all_uses_with(mul.result());  // one of them the op itself: nothing is checked here
  CHECK(users(y).empty());
  CHECK(users(mul.result()) == "add.1 tanh.0 mul.0 ");
  mul.set_operand(0, x);
  graph.erase(add);
  CHECK(users(x) == "mul.1 mul.0 ");
  CHECK(users(mul.result()) == "tanh.0 ");
  CHECK_FALSE(mul.is_unused());
  graph.erase(tanh);
  CHECK(mul.is_unused());
  graph.erase(mul);
  CHECK(users(x).empty());
}

TEST_CASE("graph: while its editable ops are walked over, they may go and others come before them", "[graph]") {
  ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2]
  %a = exp(%x) : f32[2]
  %b = tanh(%a) : f32[2]
  %c = exp(%b) : f32[2]
  output y = %c
}
)",
                                "f.weft");
  ir::Graph& graph = module.graph();
  std::string seen;
  for (Op* op : graph.editable_ops()) {
    seen += std::string(op->name()) + " ";
    ir::Builder b(graph, op);
    if (!op->is("exp")) continue;
    op->result().replace_all_uses_with(b("sin", {b("cos", {op->operand(0)})}));
    graph.erase(*op);
  }
  CHECK(seen == "exp tanh exp ");
  CHECK(names(graph) == "cos sin tanh cos sin ");
  verify(module);
  const ir::Graph empty;
  for (Op* op : empty.editable_ops()) FAIL("there is none, not " << op->name());
}

TEST_CASE("graph: an op's number is its own for good", "[graph]") {
  ir::Graph graph;
  const Value x = graph.add_input("x", {f32, {2}});
  ir::Builder b(graph);
  std::set<int> taken;
  std::vector<Op*> ops;
  for (int i = 0; i < 100; ++i) {
    ops.push_back(b("exp", {x}).op());
    REQUIRE(taken.insert(ops.back()->number()).second);
    REQUIRE(ops.back()->number() < graph.number_limit());
    if (i % 3 == 0) {
      graph.erase(*ops.front());
      ops.erase(ops.begin());
    }
  }
  const std::vector<Op*> backwards(ops.rbegin(), ops.rend());
  const int last = ops.back()->number();
  graph.reorder(backwards);
  CHECK(ops.back()->number() == last);
}

TEST_CASE("graph: a copy of an op has its attributes, types, lines and bodies, and other operands", "[graph]") {
  const ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2,3]
  input %w: f32[3,4]
  %y = matmul(%x, %w) : f32[2,4] {
    input %product: f32[2,4]
    %t = tanh(%product) : f32[2,4]
    output %t
  } at "net.cpp":7
  output y = %y
}
)",
                                      "f.weft");
  const Op& op = *module.graph().ops().front();
  op.result().set_offset(64);
  ir::Graph other;
  const Value a = other.add_input("a", {f32, {2, 3}}), c = other.add_input("b", {f32, {3, 4}});
  const Op& copy = other.insert_copy(op, std::array{a, c});
  CHECK(&copy.graph() == &other);
  CHECK(copy.operand(0) == a);
  CHECK(copy.operand(1) == c);
  CHECK(copy.result().type() == op.result().type());
  CHECK(copy.locations() == op.locations());
  CHECK(same_computation(copy, op));
  REQUIRE(copy.bodies().size() == 1);
  CHECK(&copy.body() != &op.body());
  CHECK_FALSE(copy.result().offset());
}
