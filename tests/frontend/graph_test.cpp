// Recording: inputs, outputs, updates, gradients, and what a graph refuses.

#include <sstream>

#include <cmath>
#include "weft/ir/equal.h"
#include "weft/ir/parser.h"

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::evaluate;
using weft::testing::line;
using weft::testing::tensor;

TEST_CASE("the text of a graph reads back as the graph") {
  Graph g("text");
  nn::Linear fc(3, 2);
  g.output("y", dropout(fc(g.input("x", f32, {4, 3}))));
  CHECK(ir::equal(ir::parse(g.ir()), g.recording()->module));
  std::ostringstream out;
  out << g;
  CHECK(out.str() == g.ir());
}

TEST_CASE("ops and inputs stand in an order that no compiler chooses: left operand first") {
  Graph g("order");
  Parameter p("p", {1.0f}), q("q", {2.0f});
  Tensor x = g.input("x", f32, {1});
  Tensor y = g.output("y", sum(p * exp(x) - q * sin(x)));
  const auto [dx] = gradients<1>(y, {x});
  g.output("dx", dx);
  const std::vector<Parameter> parameters = g.parameters();
  REQUIRE(parameters.size() == 2);
  CHECK(parameters[0].is(p));
  const std::string text = g.ir();
  CHECK(text == Recorded(g).ir());
  std::string order;
  for (const auto& op : g.recording()->graph().ops()) order += std::string(op->name()) + " ";
  // Forward; then what dx = -q cos(x) + p exp(x) needs; then the gradients in p and q, which nothing needs.
  CHECK(order == "exp mul sin mul sub sum constant reshape neg mul cos mul mul mul add mul mul ");
}

TEST_CASE("a tensor prints what it is and how to get its value") {
  Graph g("text");
  Tensor x = g.input("x", f32, {4, 3});
  const std::string at = line(-1);
  const std::string text = fmt::format("{}", x);
  CHECK(text == "Tensor(f32[4,3], input 'x' at " + at +
                    "; no value while recording: graph.output(\"name\", tensor), then read step(...)[\"name\"])");
  std::ostringstream out;
  out << x;
  CHECK(out.str() == text);
  CHECK_THAT(fmt::format("{}", relu(x)), contains_text("relu at " + line()));
  CHECK(to_string(Tensor()) == "Tensor(nothing assigned)");
}

TEST_CASE("names are taken once") {
  Graph g("names");
  Tensor x = g.input("x", f32, {4});
  const std::string first = line(-1);
  CHECK_THROWS_WITH(g.input("x", f32, {4}), contains_text("'x' is taken, at " + line()) && contains_text("since " + first));
  g.output("y", x);
  CHECK_THROWS_WITH(g.output("y", x), contains_text("output: 'y' is taken, at " + line()) && contains_text("graph 'names'"));
  CHECK_THROWS_WITH(g.output("", x), contains_text("needs a name"));
}

TEST_CASE("a tensor of another graph is refused") {
  Graph a("first"), b("second");
  Tensor x = a.input("x", f32, {4}), y = b.input("y", f32, {4});
  CHECK_THROWS_WITH(x + y, contains_text("belong to two graphs, 'first' and 'second', at " + line()));
  CHECK_THROWS_WITH(concat({x, y}), contains_text("belong to two graphs"));
  CHECK_THROWS_WITH(b.output("x", x), contains_text("belongs to the graph 'first', not to 'second', at " + line()));
  CHECK_THROWS_WITH(b.update(Parameter("w", {1.0}), x), contains_text("belongs to the graph 'first'"));
  CHECK_THROWS_WITH(relu(Tensor()), contains_text("nothing was assigned to, at " + line()));
}

TEST_CASE("expressions on parameters alone record into the innermost living graph") {
  Parameter w("w", {2.0});
  CHECK_THROWS_WITH(w * w, contains_text("no graph is being recorded on this thread, at " + line()));
  Graph outer("outer");
  {
    Graph inner("inner");
    CHECK((w * w).recording == inner.recording());
    Graph moved = std::move(inner);
    CHECK((w * 2).recording == moved.recording());
  }
  CHECK((w * w).recording == outer.recording());
  CHECK(zeros({2}).recording == outer.recording());
}

TEST_CASE("inside a module called on a tensor, its graph is recorded, not the innermost") {
  struct Shift : nn::Module {
    Tensor forward(Tensor x) override { return zeros({4}) + x; }
  };
  Graph outer("outer");
  Tensor x = outer.input("x", f32, {4});
  Graph inner("inner");
  CHECK(Shift()(x).recording == outer.recording());
}

TEST_CASE("a second parameter of the same name gets a suffix") {
  Parameter a("w", {1.0}), b("w", {2.0});
  Graph g("names");
  CHECK(evaluate(g, a - b + a) == std::vector<double>{0});
  CHECK(g.parameters().size() == 2);
  CHECK_THAT(g.ir(), contains_text("input %w: f32[1] parameter") && contains_text("input %w.1: f32[1] parameter"));
}

TEST_CASE("updates") {
  Parameter w("w", {1.0, 2.0});
  Graph g("updates");
  Tensor x = g.input("x", f32, {2});
  SECTION("every expression of the step sees the old numbers") {
    g.update(w, w + x);
    g.output("doubled", w * 2);
    Step step = compile(g, Target::reference());
    const std::vector<float> one{1, 1};
    CHECK(step({{"x", one}})["doubled"].values<float>() == std::vector<float>{2, 4});
    CHECK(step({{"x", one}})["doubled"].values<float>() == std::vector<float>{4, 6});
    CHECK(w.values<float>() == std::vector<float>{3, 4});
  }
  SECTION("a number or a smaller shape broadcasts") {
    g.update(w, 7);
    Step step = compile(g, Target::reference());
    step({{"x", std::vector<float>{0, 0}}});
    CHECK(w.values<float>() == std::vector<float>{7, 7});
  }
  SECTION("another type or shape is refused, both are named") {
    CHECK_THROWS_WITH(g.update(w, cast(x, f64)),
                      contains_text("update 'w': the new value is f64[2], but the parameter is f32[2], at " + line()));
    CHECK_THROWS_WITH(g.update(w, reshape(x, {2, 1})), contains_text("the new value is f32[2,1]"));
  }
  SECTION("twice is refused") {
    g.update(w, w + x);
    CHECK_THROWS_WITH(g.update(w, x), contains_text("update: 'w' is taken") && contains_text("an update of that name since " + line(-1)));
  }
}

TEST_CASE("gradients") {
  Graph g("gradients");
  Parameter w("w", {3.0});
  SECTION("of first and second order") {
    const Tensor y = sum(pow(w, 3));
    auto [dw] = gradients<1>(y, {w});
    auto [ddw] = gradients(sum(dw), {w});
    CHECK(evaluate(g, concat({dw, ddw})) == std::vector<double>{27, 18});
  }
  SECTION("of a tensor on the way") {
    const Tensor inner = w * 2, y = sum(inner * inner);
    auto [d, dw] = gradients<2>(y, {inner, w});
    CHECK(evaluate(g, concat({d, dw})) == std::vector<double>{12, 24});
  }
  SECTION("of a list of parameters") {
    Parameter b("b", {5.0});
    const std::vector<Tensor> all = gradients(sum(w * b), std::vector<Parameter>{w, b});
    CHECK(evaluate(g, concat(all)) == std::vector<double>{5, 3});
  }
  SECTION("zero where nothing depends on it") {
    auto [d] = gradients<1>(sum(w), {Parameter("unused", {1.0, 1.0})});
    CHECK(evaluate(g, d) == std::vector<double>{0, 0});
  }
  SECTION("of a branch of select that is not taken: 0, of which an infinite slope makes nan, and a safe operand does not") {
    Parameter x("x", {0.0, 4.0});
    const Tensor positive = x > 0;
    auto [naive] = gradients<1>(sum(select(positive, sqrt(x), 0)), {x});
    auto [safe] = gradients<1>(sum(select(positive, sqrt(select(positive, x, 1)), 0)), {x});
    const std::vector<double> slopes = evaluate(g, concat({naive, safe}));  // as PyTorch gives them
    CHECK(std::isnan(slopes.at(0)));
    CHECK(std::vector<double>(slopes.begin() + 1, slopes.end()) == std::vector<double>{0.25, 0, 0.25});
  }
  SECTION("only of a floating scalar, in floating tensors") {
    CHECK_THROWS_WITH(gradients<1>(w, {w}), contains_text("only a floating scalar can be differentiated") && contains_text("f32[1]") &&
                                                contains_text("at " + line()));
    CHECK_THROWS_WITH(gradients<1>(sum(w), {2.0}), contains_text("a number has no gradient"));
    CHECK_THROWS_WITH(gradients<1>(sum(w), {arange(3)}), contains_text("only floating tensors have gradients"));
  }
  SECTION("an op without gradient on the way is no way") {
    auto [d] = gradients<1>(sum(floor(w)), {w});
    CHECK(evaluate(g, d) == std::vector<double>{0});
  }
}

TEST_CASE("parameters read and write their values by their exact type") {
  Parameter w("w", Shape{2, 2}, std::vector<double>{1, 2, 3, 4});
  CHECK(w.dtype() == f64);
  CHECK(w.values<double>() == std::vector<double>{1, 2, 3, 4});
  w.set_values(std::vector<double>{5, 6, 7, 8});
  CHECK(w.array().at(3) == 8);
  CHECK(Parameter("s", 2.5).shape() == Shape{});
  CHECK_THROWS_WITH(w.values<float>(), contains_text("f32 was asked for"));
  CHECK_THROWS_WITH(w.set_values(std::vector<double>{1}),
                    contains_text("parameter 'w' is f64[2,2] and takes 4 f64 values; given 1 f64 values"));
  CHECK_THROWS_WITH(w.set_values(std::vector<float>(4)), contains_text("given 4 f32 values"));
  CHECK_THROWS_WITH(Parameter("w", Shape{3}, std::vector<float>{1}), contains_text("1 values given for an array of shape [3]"));
  CHECK_THROWS_WITH(Parameter().array(), contains_text("names no parameter"));
}
