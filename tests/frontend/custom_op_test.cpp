// Ops that a program registers: one like ours in every respect, and errors that name the program's lines.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <thread>

#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/registry.h"
#include "weft/passes/pass.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using ir::Accepts;
using ir::AttributeView;
using ir::Expr;
using ir::Scalar;
using weft::testing::line;
using weft::testing::require_close;
using weft::testing::where;

namespace {

ir::OpDef swish_op(std::string name) {
  return ir::elementwise(
      std::move(name), "x * sigmoid(beta x)", {{"x", Accepts::floating}}, {ir::attribute("beta", 1.0, "how steep")},
      [](Scalar x, const AttributeView& a) { return x / (1.0 + exp(-x * a.real("beta"))); },
      [](Expr g, Expr x, Expr y, const AttributeView& a) {
        const double beta = a.real("beta");
        const Expr s = (x * beta).apply("sigmoid");
        return g * (s + y * beta * (1.0 - s));
      });
}

// Before main(), as a program may have it.
const ir::OpDef& swish_def = register_op(swish_op("acme.swish"));
const std::string swish_line = line(-1), file = swish_line.substr(0, swish_line.find(':'));

const bool others = [] {
  register_op(ir::elementwise(
      "acme.log_add", "log(e^a + e^b)", {{"a", Accepts::floating}, {"b", Accepts::floating}}, {},
      [](Scalar a, Scalar b) { return a + log1p(exp(b - a)); },
      [](Expr g, Expr a, Expr b, Expr y) { return std::pair{g * (a - y).apply("exp"), g * (b - y).apply("exp")}; }));
  register_op(ir::elementwise(
      "acme.is_even", "Is x even?", {{"x", Accepts::integer}}, {}, [](Scalar x) { return x - x / 2.0 * 2.0; },
      ir::NoGradient{"its result is discrete"}));
  register_op(ir::reduction(
      "acme.product", "The product of x over `axes`", Accepts::number, [](Scalar a, Scalar b) { return a * b; }, [](DType) { return 1.0; },
      [](Expr g, Expr x, Expr y, const AttributeView& a) {
        const Dims& axes = a.dims("axes");
        return ir::broadcast_over_axes(g * y, x, axes) / x;
      }));
  register_op(ir::composite("acme.unit", "x / |x|, the norm along the last axis, kept above `eps`", {{"x", Accepts::floating}},
                            {ir::attribute("eps", 1e-6, "keeps the root away from 0")}, [](Expr x, const AttributeView& a) {
                              const Dims last{x.value().shape().rank() - 1};
                              const Expr squares = (x * x).apply("sum", {{"axes", last}, {"keep_dims", true}});
                              return x * (squares + a.real("eps")).apply("rsqrt").broadcast(x.value().shape());
                            }));
  register_op(ir::composite("acme.moments", "Mean and mean square of x over all axes", {{"x", Accepts::floating}}, {},
                            [](Expr x) -> std::vector<ir::Value> {
                              Dims all;
                              for (int axis = 0; axis < x.value().shape().rank(); ++axis) all.push_back(axis);
                              return {x.apply("mean", {{"axes", all}}), (x * x).apply("mean", {{"axes", all}})};
                            }));
  return true;
}();

Tensor swish(Arg x, double beta = 1) { return call("acme.swish", {x}, {{"beta", beta}}); }

Tensor swish_of_one(Arg x) { return swish(x); }

/// What register_op says of a definition.
std::string refusal(ir::OpDef def) {
  try {
    register_op(std::move(def));
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

const std::vector<double> numbers = {-1.5, -0.25, 0.5, 2, 0.75, -3, 1.25, 0.1, -0.6, 1.1, 0.9, -2.2};

/// The slope of `f`, which gives a tensor of x (f64[4,3]), in every element of x, first by gradients() and then by differences: of
/// the sum of its results with unequal weights.
template <class F>
std::pair<std::vector<double>, std::vector<double>> slopes(F f) {
  Graph g("slopes");
  Tensor x = g.input("x", f64, {4, 3});
  const auto weighted = [](const Tensor& y) { return sum(y * (cast(iota(y.shape(), y.shape().rank() - 1), f64) + 0.7)); };
  Tensor loss = g.output("loss", weighted(f(x)));
  auto [dx] = gradients<1>(loss, {x});
  g.output("dx", dx);
  Step step = compile(g, Target::cpu());
  const std::vector<double> by_rule = step({{"x", numbers}})["dx"].values<double>();
  std::vector<double> by_difference;
  for (size_t i = 0; i < numbers.size(); ++i) {
    constexpr double h = 1e-5;
    std::vector<double> moved = numbers;
    moved[i] += h;
    const double above = step({{"x", moved}})["loss"].item();
    moved[i] -= 2 * h;
    by_difference.push_back((above - step({{"x", moved}})["loss"].item()) / (2 * h));
  }
  return {by_rule, by_difference};
}

}  // namespace

TEST_CASE("a registered op prints, parses back and passes run on its text") {
  Graph g("text");
  Tensor x = g.input("x", f32, {4, 3});
  const Tensor y = swish(x, 1.5);
  const std::string here = line(-1);
  g.output("y", y);
  CHECK_THAT(g.ir(), contains_text("= acme.swish(%x) {beta = 1.5} : f32[4,3] at \"" + file + "\":"));
  CHECK(where(y) == here);
  ir::Module again = ir::parse(g.ir());
  CHECK(ir::print(again) == g.ir());
  passes::run(again, passes::pipeline("compile"), passes::generic_target());
  const std::string planned = ir::print(again);
  CHECK_THAT(planned, contains_text("acme.swish("));
  CHECK(ir::print(ir::parse(planned)) == planned);
}

TEST_CASE("a registered op fuses with others into one loop nest and gives what its formula says") {
  Graph g("fused");
  Tensor x = g.input("x", f32, {4, 3});
  g.output("y", exp(swish(x * 2, 0.5)) + 1);
  Step step = compile(g, Target::cpu());
  CHECK(step.calls().size() == 1);
  CHECK_THAT(step.ir("fuse"), contains_text("acme.swish("));
  std::vector<float> given(numbers.begin(), numbers.end());
  const Results r = step({{"x", given}});
  for (size_t i = 0; i < given.size(); ++i) {
    const double v = 2 * numbers[i];
    CHECK(r["y"].values<float>()[i] == Approx(std::exp(v / (1 + std::exp(-0.5 * v))) + 1).epsilon(1e-5));
  }
}

TEST_CASE("gradients of registered ops agree with differences, and so do theirs") {
  const auto check = [](auto f) {
    const auto [rule, difference] = slopes(f);
    require_close(rule, difference, 1e-6);
    const auto [rule2, difference2] = slopes([&](Tensor x) { return gradients<1>(sum(f(x) * f(x) * f(x)), {x})[0]; });
    require_close(rule2, difference2, 1e-5);
    CHECK(*std::max_element(difference2.begin(), difference2.end()) > 0.01);
  };
  SECTION("elementwise, with an attribute") {
    check([](Tensor x) { return swish(x, 0.7); });
  }
  SECTION("elementwise, of two operands") {
    check([](Tensor x) { return call("acme.log_add", {x, x * x}); });
  }
  SECTION("a reduction") {
    check([](Tensor x) { return call("acme.product", {x}, {{"axes", Dims{1}}}); });
  }
  SECTION("a composite by its decomposition") {
    check([](Tensor x) { return call("acme.unit", {x}); });
  }
  SECTION("a composite of two results") {
    check([](Tensor x) {
      auto [mean, square] = call<2>("acme.moments", {x});
      return x * mean + square;
    });
  }
}

TEST_CASE("registered ops compute the same on the cpu as by the reference, in every floating type") {
  for (const DType dtype : {f32, bf16, f64}) {
    Graph g("types");
    Tensor x = g.input("x", f32, {4, 3}), t = cast(x, dtype);
    g.output("swish", cast(swish(t), f32));
    g.output("log_add", cast(call("acme.log_add", {t, 0.5}), f32));
    g.output("product", cast(call("acme.product", {t}, {{"axes", Dims{0, 1}}}), f32));
    g.output("unit", cast(call("acme.unit", {t}), f32));
    Step cpu = compile(g, Target::cpu()), reference = compile(g, Target::reference());
    const std::vector<float> given(numbers.begin(), numbers.end());
    const Results a = cpu({{"x", given}}), b = reference({{"x", given}});
    for (const char* name : {"swish", "log_add", "product", "unit"}) {
      INFO(name << " of " << name_of(dtype));
      const std::vector<float> got = a[name].values<float>(), want = b[name].values<float>();
      require_close({got.begin(), got.end()}, {want.begin(), want.end()}, dtype == bf16 ? 1e-2 : 1e-5);
    }
  }
}

TEST_CASE("a call promotes and broadcasts as the language does") {
  Graph g("call");
  Tensor x = g.input("x", f32, {4, 3}), n = g.input("n", i64, {3});
  const Parameter w("w", {1.0, 2.0, 3.0});
  CHECK(call("acme.log_add", {x, w}).shape() == Shape{4, 3});
  CHECK(call("acme.log_add", {2, x}).dtype() == f32);
  CHECK(call("acme.log_add", {n, 1}).dtype() == default_dtype());  // as exp() of integers
  CHECK(call("acme.unit", {n}).dtype() == default_dtype());
  CHECK(call("acme.is_even", {n}).dtype() == i64);
  CHECK(call("select", {x < 0, n, 1.5}).dtype() == f32);  // ours can be called so too
  CHECK(call("iota", {}, {{"shape", Dims{5}}}).shape() == Shape{5});
  CHECK(where(call("iota", {}, {{"shape", Dims{5}}})) == line());
  nn::Sequential net(nn::Linear(3, 3), nn::Activation<swish_of_one>());
  CHECK_THAT(where(net(x)), contains_text(line()));
}

TEST_CASE("calls that do not fit name the op and the line") {
  Graph g("errors");
  Tensor x = g.input("x", f32, {4, 3}), n = g.input("n", i64, {3});
  CHECK_THROWS_WITH(call("acme.swich", {x}), contains_text("call: unknown op 'acme.swich', at " + line() + "; did you mean 'acme.swish'"));
  CHECK_THROWS_WITH(call("acme.swish", {x}, {{"bta", 1.0}}),
                    contains_text("acme.swish has no attribute 'bta', at " + line() + "; did you mean 'beta'?"));
  CHECK_THROWS_WITH(call("acme.swish", {x, x}), contains_text("acme.swish: takes 1 operand, not 2") && contains_text(line()));
  CHECK_THROWS_WITH(call("acme.log_add", {x}), contains_text("acme.log_add: takes 2 operands, not 1") && contains_text(line()));
  CHECK_THROWS_WITH(call("acme.log_add", {x, zeros({4})}), contains_text("acme.log_add: the shapes do not broadcast"));
  CHECK_THROWS_WITH(call("acme.moments", {x}), contains_text("acme.moments: has 2 results, not 1; call<2>(...)") && contains_text(line()));
  CHECK_THROWS_WITH(ir::parse("weft 1 func @f { input %x: f32[2] %0 = acme.swich(%x) : f32[2] }"),
                    contains_text("unknown op 'acme.swich'; did you mean 'acme.swish'"));
}

TEST_CASE("a definition is refused for all that is wrong with it, and the line is named") {
  const auto body = [](Scalar x) { return x * 2.0; };
  const auto gradient = [](Expr g, Expr, Expr) { return g * 2.0; };
  const std::vector<ir::OperandSpec> x{{"x", Accepts::floating}};
  const auto twice = [&](std::string name, std::string doc) {
    return ir::elementwise(std::move(name), std::move(doc), x, {}, body, gradient);
  };

  CHECK_THAT(refusal(twice("relu", "2 x")),
             contains_text("'relu' cannot be registered, at " + file) && contains_text("weft has an op of that name: max(x, 0)"));
  CHECK_THAT(refusal(swish_op("acme.swish")), contains_text("the name was registered before, at " + swish_line));
  CHECK_THAT(refusal(twice("acme.twice", "")), contains_text("it has no documentation"));
  CHECK_THAT(refusal(twice("acme twice", "2 x")), contains_text("its name must be a letter, then letters, digits, '_' and '.'"));

  const std::string all =
      refusal(ir::elementwise("acme.bad", "2 x", {{"y", Accepts::floating}}, {{"k", ir::AttributeKind::integer, 1.5, ""}}, body, gradient));
  CHECK_THAT(all, contains_text("operand 'y' has no documentation") && contains_text("attribute 'k' has no documentation") &&
                      contains_text("attribute 'k' is an integer, but its default is a real"));

  CHECK_THAT(
      refusal(ir::elementwise("acme.bad", "2 x of a and b", {{"a", Accepts::floating}, {"b", Accepts::floating}}, {}, body, gradient)),
      contains_text("acme.bad: its scalar body: the formula") &&
          contains_text("takes 1 arguments besides the attributes, but there are 2"));
  CHECK_THAT(refusal(ir::elementwise("acme.bad", "2 x", x, {}, body, [](Expr g, Expr, Expr, Expr) { return g; })),
             contains_text("acme.bad: its gradient") && contains_text("takes 4 arguments besides the attributes, but there are 3"));
  CHECK_THAT(refusal(ir::elementwise("acme.bad", "2 x", x, {}, body, [](Expr g, Expr, Expr) { return std::pair{g, g}; })),
             contains_text("acme.bad: its gradient") && contains_text("gives 2 gradients for 1 operands"));
  CHECK_THAT(
      refusal(ir::elementwise("acme.bad", "2 x", x, {}, body, [](Expr g, Expr, Expr) { return g.apply("sum", {{"axes", Dims{0}}}); })),
      contains_text("acme.bad: its gradient") && contains_text("for operand 0, which is f32[4,3]"));
  CHECK_THAT(refusal(ir::elementwise("acme.bad", "2 x", x, {}, body, [](Expr g, Expr x, Expr) { return g * x.apply("sgn"); })),
             contains_text("acme.bad: its gradient") && contains_text("unknown op 'sgn'; did you mean 'sgd', 'sign'"));
  CHECK_THAT(
      refusal(ir::elementwise(
          "acme.bad", "2 x", x, {}, [](Scalar v) { return v + (v < 0.0); }, gradient)),
      contains_text("acme.bad: its scalar body") && contains_text("add takes operands of one element type, and not bool, not f32, bool"));
  CHECK_THAT(refusal(ir::elementwise(
                 "acme.bad", "2 x", x, {}, [](Scalar v, const AttributeView& a) { return v * a.real("k"); }, gradient)),
             contains_text("acme.bad has no attribute 'k'"));

  ir::OpDef heavy = twice("acme.bad", "2 x");
  heavy.kind = ir::Kind::heavy;
  CHECK_THAT(refusal(heavy), contains_text("a program's op is elementwise, a reduction or a composite"));
  ir::OpDef bare;
  bare.name = "acme.bad", bare.doc = "Nothing";
  CHECK_THAT(refusal(bare), contains_text("it has no decomposition, which composites have") && contains_text("it has no shape rule") &&
                                contains_text("nor a reason why none flows"));
  ir::OpDef both = twice("acme.bad", "2 x");
  both.no_gradient = "for no reason";
  CHECK_THAT(refusal(both), contains_text("it has a gradient, and a reason why none flows"));
  CHECK(!ir::registry().find("acme.bad"));
}

TEST_CASE("a composite is made of ops that were there before it") {
  const auto by = [](std::string op) { return [op](Expr x) { return x.apply(op); }; };
  const std::vector<ir::OperandSpec> x{{"x", Accepts::floating}};
  // With a shape rule of their own, so that only writing them out shows it.
  const auto define = [&](std::string name, std::string of) {
    ir::OpDef def = ir::composite(std::move(name), "As x", x, {ir::required_attribute("how", ir::AttributeKind::text, "not looked at")},
                                  [of](Expr v) { return Expr(v.builder(), v.builder()(of, {v}, {{"how", "so"}})); });
    def.infer = [](const ir::InferContext& c) -> std::vector<ir::Type> { return {c.operand(0)}; };
    return def;
  };
  register_op(define("acme.egg", "acme.hen"));  // no sample: it has an attribute of its own
  register_op(define("acme.hen", "acme.egg"));
  Graph g("circle");
  g.output("y", call("acme.hen", {g.input("x", f32, {2})}, {{"how", "so"}}));
  const std::string here = line(-1);
  CHECK_THROWS_WITH(compile(g, Target::cpu()), contains_text("acme.egg: its decomposition (registered at " + file) &&
                                                   contains_text("uses acme.hen, but may use only ops that were registered before") &&
                                                   contains_text("at " + here));

  register_op(ir::composite("acme.self", "x, without end", x, {ir::required_attribute("n", ir::AttributeKind::text, "not looked at")},
                            [](Expr v) { return Expr(v.builder(), v.builder()("acme.self", {v}, {{"n", "1"}})); }));
  CHECK_THROWS_WITH(call("acme.self", {g.input("x2", f32, {2})}, {{"n", "1"}}), contains_text("acme.self: it is made of itself"));
  CHECK_THAT(refusal(ir::composite("acme.lost", "x", x, {}, by("acme.nowhere"))), contains_text("nothing"));
  CHECK_THROWS_WITH(call("acme.lost", {g.input("x3", f32, {2})}),
                    contains_text("acme.lost: in its decomposition, unknown op 'acme.nowhere'") && contains_text("at " + line()));
}

TEST_CASE("what only a use shows names the op, where it was registered and the line of the use") {
  // The shape rule lies about matrices, which the small call of register_op does not show.
  ir::OpDef def = ir::composite("acme.lies", "x", {{"x", Accepts::floating}}, {}, [](Expr x) { return x + x; });
  def.infer = [](const ir::InferContext& c) -> std::vector<ir::Type> {
    c.require(c.shape(0).rank() <= 1, "x must have one axis");
    return {c.shape(0) == Shape{7} ? ir::Type{f32, {}} : c.operand(0)};
  };
  register_op(def);
  const std::string there = line(-1);
  Graph g("lies");
  Tensor x = g.input("x", f32, {7});
  CHECK_THROWS_WITH(call("acme.lies", {g.input("m", f32, {2, 2})}), contains_text("acme.lies: x must have one axis"));
  g.output("y", call("acme.lies", {x}));
  const std::string here = line(-1);
  CHECK_THROWS_WITH(compile(g, Target::cpu()), contains_text("acme.lies: its decomposition (registered at " + there +
                                                             "): result 0 is f32[7], but f32[] by the shape rule; "
                                                             "given (f32[7]), at " +
                                                             here));
}

TEST_CASE("ops are registered on several threads, while others read") {
  constexpr int each = 40;
  std::atomic<int> contested = 0;
  std::atomic<bool> done = false;
  Graph begun("before");
  Tensor x = begun.input("x", f32, {2});
  std::thread reader([&] {
    while (!done) {
      const auto& all = ir::registry().all();
      if (!std::is_sorted(all.begin(), all.end(), [](auto* a, auto* b) { return a->name < b->name; })) ++contested;
      Graph g("reader");
      g.output("y", swish(g.input("x", f32, {2})));
    }
  });
  std::barrier together(2);
  std::vector<std::thread> writers;
  for (int t = 0; t < 2; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        together.arrive_and_wait();
        register_op(swish_op(fmt::format("acme.thread{}.{}", t, i)));
        contested += refusal(swish_op(fmt::format("acme.contested.{}", i))) == "nothing";
      }
    });
  for (std::thread& w : writers) w.join();
  done = true;
  reader.join();
  CHECK(contested == each);  // each name once, and never a walk out of order
  const auto& all = ir::registry().all();
  for (int t = 0; t < 2; ++t)
    for (int i = 0; i < each; ++i) {
      const std::string name = fmt::format("acme.thread{}.{}", t, i);
      CHECK(std::count_if(all.begin(), all.end(), [&](const ir::OpDef* d) { return d->name == name; }) == 1);
    }
  begun.output("y", call("acme.thread1.39", {x}));
  CHECK_THAT(begun.ir(), contains_text("acme.thread1.39(%x)"));
  CHECK(swish_def.registered > 0);
  CHECK(others);
}
