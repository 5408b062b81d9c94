// The order of ops follows from what they compute. Compilers evaluate the operands of `a + b` in either order; both are
// played through here.

#include "weft/ir/order.h"

#include "weft/ir/printer.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

const ir::Type vector{f32, {2}};

/// tanh(x) * sin(y), with something unused, the operands recorded in this order.
ir::Value product(ir::Builder& b, ir::Value x, ir::Value y, bool left_first) {
  ir::Value left, right;
  if (left_first) left = b("tanh", {x});
  right = b("sin", {y});
  b("neg", {b("cos", {right})});
  if (!left_first) left = b("tanh", {x});
  return b("mul", {left, right});
}

std::string scalar_text(const ir::ScalarExpression& e) {
  std::string text;
  for (const ir::ScalarNode& n : e.nodes) text += fmt::format("{}({},{},{}) ", name_of(n.primitive), n.a, n.b, n.real);
  return text;
}

}  // namespace

TEST_CASE("what a rule adds is sorted by need, and the rest left alone", "[order]") {
  for (bool left_first : {true, false}) {
    ir::Graph graph("f");
    const ir::Value x = graph.add_input("x", vector), y = graph.add_input("y", vector);
    ir::Builder b(graph);
    b("ceil", {y});
    b("floor", {x});
    ir::Op& last = b.create("abs", {x});
    b.set_insertion_point(&last);
    const ir::Added added(b);
    added.sort(std::vector{product(b, x, y, left_first), ir::Value(), x});
    CHECK(ir::print(graph, {.names = ir::Names::numbers}) == R"(func @f {
  input %x: f32[2]
  input %y: f32[2]
  %0 = ceil(%y) : f32[2]
  %1 = floor(%x) : f32[2]
  %2 = tanh(%x) : f32[2]
  %3 = sin(%y) : f32[2]
  %4 = mul(%2, %3) : f32[2]
  %5 = abs(%x) : f32[2]
}
)");
  }
}

TEST_CASE("rules add their ops at the front and the end of a graph too", "[order]") {
  ir::Graph graph("f");
  const ir::Value x = graph.add_input("x", vector);
  ir::Builder b(graph);
  const ir::Added all(b);
  all.sort(std::vector{product(b, x, x, false)});
  ir::Op* first = graph.op_list()[0];
  b.set_insertion_point(first);
  const ir::Added in_front(b);
  in_front.sort(std::vector{b("exp", {x})});
  std::string names;
  for (const auto& op : graph.ops()) names += std::string(op->name()) + " ";
  CHECK(names == "exp tanh sin mul ");
}

TEST_CASE("a graph is sorted by what its outputs need, its inputs by first use", "[order]") {
  ir::Graph graph("f");
  const ir::Value q = graph.add_input("q", vector, ir::Role::parameter), x = graph.add_input("x", vector);
  const ir::Value unread = graph.add_input("unread", {f64, {}}, ir::Role::hyper);
  const ir::Value p = graph.add_input("p", vector, ir::Role::parameter), y = graph.add_input("y", vector);
  ir::Builder b(graph);
  const ir::Value right = b("mul", {q, y}), left = b("mul", {p, x}), side = b("add", {b("exp", {x}), left});
  graph.add_output({"sum", b("add", {left, right}), {}, {}});
  graph.add_output({"q", right, q.index(), {}});
  ir::sort_by_need(graph);
  CHECK(ir::print(graph, {.names = ir::Names::numbers}) == R"(func @f {
  input %p: f32[2] parameter
  input %x: f32[2]
  input %q: f32[2] parameter
  input %unread: f64[] hyper
  input %y: f32[2]
  %0 = mul(%p, %x) : f32[2]
  %1 = mul(%q, %y) : f32[2]
  %2 = add(%0, %1) : f32[2]
  %3 = exp(%x) : f32[2]
  %4 = add(%3, %0) : f32[2]
  output sum = %2
  output q = %1 aliases %q
}
)");
  CHECK(graph.input(q.index()) == q);
  CHECK(graph.input(unread.index()) == unread);
  CHECK(side.op() == graph.op_list().back());
}

TEST_CASE("a scalar expression is sorted by need", "[order]") {
  const DType types[] = {f32, f32};
  std::vector<std::string> texts;
  for (bool left_first : {true, false})
    texts.push_back(scalar_text(ir::build_scalar(types, [&](std::span<const ir::Scalar> a) {
      if (left_first) {
        const ir::Scalar left = a[1].like(2) * a[1];
        return left - (a[0] + a[1].like(3));
      }
      const ir::Scalar right = a[0] + a[1].like(3), two = a[1].like(2);
      unary(ir::Primitive::exp, right);
      return two * a[1] - right;
    })));
  CHECK(texts[0] ==
        "argument(-1,-1,0) argument(-1,-1,0) constant(-1,-1,2) multiply(2,1,0) constant(-1,-1,3) "
        "add(0,4,0) subtract(3,5,0) ");
  CHECK(texts[1] == texts[0]);
  // The value is last, even if it is an argument.
  const auto first = [](std::span<const ir::Scalar> a) { return a[0]; };
  CHECK(scalar_text(ir::build_scalar(types, first)) == "argument(-1,-1,0) argument(-1,-1,0) cast(0,-1,0) ");
}

TEST_CASE("gradient rules and decompositions record in the order of need", "[order]") {
  ir::Graph graph("f");
  ir::Builder b(graph);
  const ir::Value x = graph.add_input("x", vector), g = graph.add_input("g", vector);
  const ir::Op& gelu = b.create("gelu", {x}, {{"approximate", std::string("tanh")}});
  ir::decompose(b, gelu);
  const ir::Op& div = b.create("div", {x, gelu.result()});
  const std::vector<ir::Value> incoming{g};
  ir::GradientContext context{b, div, incoming};
  ir::differentiate(context);
  CHECK(ir::print(graph, {.names = ir::Names::numbers}) == R"(func @f {
  input %x: f32[2]
  input %g: f32[2]
  %0 = gelu(%x) {approximate = "tanh"} : f32[2]
  %1 = constant() {value = f32[2] 0.5} : f32[2]
  %2 = mul(%x, %1) : f32[2]
  %3 = mul(%x, %x) : f32[2]
  %4 = mul(%3, %x) : f32[2]
  %5 = constant() {value = f32[2] 0.044715} : f32[2]
  %6 = mul(%4, %5) : f32[2]
  %7 = add(%x, %6) : f32[2]
  %8 = constant() {value = f32[2] 0.7978846} : f32[2]
  %9 = mul(%7, %8) : f32[2]
  %10 = tanh(%9) : f32[2]
  %11 = constant() {value = f32[2] 1.0} : f32[2]
  %12 = add(%10, %11) : f32[2]
  %13 = mul(%2, %12) : f32[2]
  %14 = div(%x, %0) : f32[2]
  %15 = div(%g, %0) : f32[2]
  %16 = neg(%g) : f32[2]
  %17 = mul(%16, %14) : f32[2]
  %18 = div(%17, %0) : f32[2]
}
)");
}
