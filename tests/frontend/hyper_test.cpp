// Hyper-parameters of one's own in expressions: read at every step, set between.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

TEST_CASE("a hyper-parameter in an expression is read at every step") {
  Hyper beta("beta", 2, {.low = 0});
  Graph graph("read");
  const Tensor x = graph.input("x", f32, {3});
  graph.output("product", beta * x);
  graph.output("sum", x + beta);
  graph.output("power", pow(x, beta));
  graph.output("exact", cast(x, f64) + beta);
  Step step = compile(graph, Target::cpu());
  const std::vector<float> values{1, 2, 3};
  const auto run = [&](const char* name) { return step({{"x", values}})[name].values<float>(); };
  CHECK(run("product") == std::vector<float>{2, 4, 6});
  beta = 0.5;
  CHECK(run("product") == std::vector<float>{0.5, 1, 1.5});
  CHECK(run("sum") == std::vector<float>{1.5, 2.5, 3.5});
  CHECK(run("power")[2] == Approx(std::sqrt(3.0)));
  beta = 0.1;
  CHECK(step({{"x", values}})["exact"].values<double>()[0] == 1.1);
  beta = 0;
  CHECK(run("product") == std::vector<float>{0, 0, 0});
  CHECK_THROWS_WITH(beta = -1, contains_text("beta must lie in"));
}

TEST_CASE("what is computed of hyper-parameters and numbers is read at every step too") {
  Hyper h("h", 0.25), k("k", 3);
  Graph graph("computed");
  const Tensor x = graph.input("x", f64, {});
  graph.output("mixed", (1 - h) * x + h * (x + 1));
  graph.output("negated", -h * x);
  graph.output("doubled", 2 * h * x);
  graph.output("halved", h / 2 + x);
  graph.output("product", x - 0.5 * h * k * x);
  graph.output("power", pow(h, 2) * x + pow(2, h));
  graph.output("nested", x * (-(h + 1) / (k - h)));
  Step step = compile(graph, Target::cpu());
  const auto check = [&](double a, double b) {
    h = a, k = b;
    const double x = 1.5;
    const std::vector<double> fed{x};
    const Results results = step({{"x", fed}});
    const auto y = [&](const char* name) { return results[name].item(); };
    CHECK(y("mixed") == Approx((1 - a) * x + a * (x + 1)));
    CHECK(y("negated") == Approx(-a * x));
    CHECK(y("doubled") == Approx(2 * a * x));
    CHECK(y("halved") == Approx(a / 2 + x));
    CHECK(y("product") == Approx(x - 0.5 * a * b * x));
    CHECK(y("power") == Approx(a * a * x + std::pow(2, a)));
    CHECK(y("nested") == Approx(x * (-(a + 1) / (b - a))));
  };
  check(0.25, 3);
  check(0.75, -2);
  // Outside of graphs it is a number.
  const double now = 0.5 * h + k;
  CHECK(now == 0.375 - 2);
  h = 2 * h;
  CHECK(h == 1.5);
  CHECK((h * 2 == 3 && h / 3 < k + 3 && -k == 2.0 && h - 1 > k * 1));
  CHECK_THROWS_WITH(gradients<1>(mean(x), {2 * h}), contains_text("a number has no gradient"));
}

TEST_CASE("a hyper-parameter is one input, under its name, and counts as a number among types") {
  Hyper a("weight of the prior", 1), b("weight of the prior", 2);
  Graph graph("types");
  const Tensor x = graph.input("x", bf16, {2}), i = graph.input("i", i64, {2});
  CHECK((x * a + a).dtype() == bf16);
  CHECK((i * a).dtype() == f32);
  CHECK((cast(x, f64) * b).dtype() == f64);
  CHECK(mean(cast(x, f32)).shape() == Shape{});
  graph.output("y", x * a * b);
  const std::string text = graph.ir();
  CHECK_THAT(text, contains_text("input %\"weight of the prior\": f64[] hyper") && contains_text("\"weight of the prior.1\""));
}

TEST_CASE("a hyper-parameter scales a gradient and has none itself") {
  Hyper beta("beta", 3);
  Parameter w("w", {2.0});
  Graph graph("gradient");
  const Tensor loss = graph.output("loss", sum(square(w)) * beta);
  graph.output("slope", gradients<1>(loss, {w})[0]);
  CHECK_THROWS_WITH(gradients<1>(loss, {beta}), contains_text("a number has no gradient") && contains_text(line()));
  Step step = compile(graph, Target::cpu());
  CHECK(step()["slope"].item() == 12);
  beta = -1;
  CHECK(step()["slope"].item() == -4);
}

TEST_CASE("a hyper-parameter in a step of a scan, in an update and beside no tensor") {
  Hyper decay("decay", 0.5);
  Parameter held("held", {1.0});
  Graph graph("places");
  const Tensor xs = graph.input("xs", f32, {3, 2});
  auto [last, all] = scan(zeros({2}), xs, [&](Tensor h, Tensor x) { return h * decay + x; });
  graph.output("last", last);
  graph.update(held, decay);
  Step step = compile(graph, Target::cpu());
  const std::vector<float> ones(6, 1);
  CHECK(step({{"xs", ones}})["last"].values<float>() == std::vector<float>{1.75, 1.75});
  CHECK(held.values<float>()[0] == 0.5f);
  decay = 2;
  CHECK(step({{"xs", ones}})["last"].values<float>() == std::vector<float>{7, 7});
  CHECK(held.values<float>()[0] == 2);
}

TEST_CASE("hyper-parameters among themselves are numbers, outside of graphs") {
  Hyper a("a", 6), b("b", 2);
  static_assert(std::convertible_to<decltype(a * b), double> && std::convertible_to<decltype(-a), double>);
  CHECK(a + b == 8);
  CHECK(a - b == 4);
  CHECK(a * b == 12);
  CHECK(a / b == 3);
  CHECK(-a == -6);
  CHECK(a > b);
  CHECK(a != b);
  CHECK(a == 6);
  CHECK(a * 0.5 == 3);
}
