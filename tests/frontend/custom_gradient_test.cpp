// Computations with a gradient of their own: values, first and second derivatives, what both functions may use, the text, and errors.

#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::evaluate;
using testing::line;
using testing::require_close;
using testing::tensor;

namespace {

/// x, whose gradient is clipped to [-1, 1].
Tensor clipped(Arg x) {
  return custom_gradient({x}, [](const Tensor& y) { return y; }, [](const Tensor& g, const Tensor&) { return clamp(g, -1, 1); });
}

/// e^x by its result.
Tensor exponential(Arg x) {
  return custom_gradient(
      {x}, [](const Tensor& v) { return exp(v); }, [](const Tensor& g, const Tensor&, const Tensor& y) { return g * y; });
}

const std::vector<Target>& targets() {
  static const std::vector<Target> all{Target::reference(), Target::cpu()};
  return all;
}

/// To be differentiated by.
Tensor leaf(const std::vector<double>& values, Shape shape) { return 1.0 * tensor(values, std::move(shape), f64); }

/// The outputs, one behind the other.
std::vector<double> run(Graph& g, const std::vector<Tensor>& tensors, const Target& target) {
  for (size_t i = 0; i < tensors.size(); ++i) g.output(fmt::format("r{}", i), tensors[i]);
  Step step = compile(g, target);
  const Results results = step();
  std::vector<double> all;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Array array = results[fmt::format("r{}", i)].array();
    for (int64_t k = 0; k < array.shape().numel(); ++k) all.push_back(array.at(k));
  }
  return all;
}

}  // namespace

TEST_CASE("a gradient of one's own is the one that is used", "[custom_gradient]") {
  for (const Target& target : targets()) {
    Graph g("clipped");
    const Tensor x = leaf({0.25, -3, 5}, {3}), y = clipped(x);
    auto [dx] = gradients<1>(sum(y * y), {x});
    require_close(run(g, {y, dx}, target), {0.25, -3, 5, 0.5, -1, 1});
  }
}

TEST_CASE("of several tensors, one of which has none, by what forward kept", "[custom_gradient]") {
  for (const Target& target : targets()) {
    Graph g("several");
    const Tensor x = leaf({1, 2}, {2}), w = leaf({3, -4}, {2}), i = tensor({1, 0}, {2}, i64);
    Tensor kept;
    const Tensor y = custom_gradient(
        {x, i, w},
        [&](const Tensor& a, const Tensor& at, const Tensor& b) {
          kept = gather(b, at) * 10;
          return a * kept;
        },
        [&](const Tensor& grad, const Tensor& a, const Tensor&, const Tensor& b) {
          return Gradients{grad * kept, Tensor(), grad * a + b};
        });
    auto [dx, dw] = gradients<2>(sum(y), {x, w});
    require_close(run(g, {y, dx, dw}, target), {-40, 60, -40, 30, 4, -2});
  }
}

TEST_CASE("backward is differentiated for second derivatives, and third ones", "[custom_gradient]") {
  for (const Target& target : targets()) {
    Graph g("second");
    const Tensor x = leaf({0.5, -1}, {2}), y = exponential(x);
    auto [first] = gradients<1>(sum(y), {x});
    auto [second] = gradients<1>(sum(first), {x});
    auto [third] = gradients<1>(sum(second * x), {x});
    const double a = std::exp(0.5), b = std::exp(-1.0);
    require_close(run(g, {first, second, third}, target), {a, b, a, b, a * 1.5, 0});

    // One that lies: of x^2 it says 7 x, whose derivative is 7.
    Graph h("lie");
    const Tensor z = leaf({0.5, -1}, {2});
    const Tensor square =
        custom_gradient({z}, [](const Tensor& v) { return v * v; }, [](const Tensor& grad, const Tensor& v) { return grad * 7 * v; });
    auto [lie] = gradients<1>(sum(square), {z});
    auto [of_lie] = gradients<1>(sum(lie), {z});
    // One that says its result: what that says of itself counts again.
    const Tensor own = custom_gradient(
        {z}, [](const Tensor& v) { return v * v; }, [](const Tensor& grad, const Tensor&, const Tensor& y) { return grad * y; });
    auto [first_own] = gradients<1>(sum(own), {z});
    auto [second_own] = gradients<1>(sum(first_own), {z});
    require_close(run(h, {square, lie, of_lie, first_own, second_own}, target), {0.25, 1, 3.5, -7, 7, 7, 0.25, 1, 0.25, 1});
  }
}

TEST_CASE("both functions may use parameters, modules and random numbers, to which no gradient flows", "[custom_gradient]") {
  manual_seed(4);
  nn::Linear layer(2, 2);
  Parameter scale("scale", {2.0, -3.0});
  Graph g("captured");
  const Tensor x = 1.0 * tensor({1, 2, 3, 4}, {2, 2});
  const Tensor y = custom_gradient(
      {x}, [&](const Tensor& v) { return layer(v) * scale; },
      [&](const Tensor& grad, const Tensor& v) { return grad * scale + 0 * layer(v) + 0 * rand_like(grad); });
  auto [dx, dscale] = gradients<2>(sum(y), {x, scale});
  require_close(run(g, {dx, dscale}, Target::cpu()), {2, -3, 2, -3, 0, 0});
  CHECK_THROWS_WITH(compile(training_step(g, sum(y), {scale}, optim::SGD()), Target::cpu()),
                    contains_text("does not depend differentiably on these parameters"));
}

TEST_CASE("a straight-through estimator is trained, with several results, inside of a scan too", "[custom_gradient]") {
  Parameter w("w", {0.4, -0.3});
  optim::SGD sgd({.lr = 0.5});
  Graph g("train");
  const auto step_of = [](const Tensor& v) {
    return custom_gradient(
        std::vector<Arg>{v}, [](const std::vector<Tensor>& x) { return std::vector<Tensor>{sign(x[0]), abs(x[0])}; },
        [](const Gradients& grads, const std::vector<Tensor>&, const std::vector<Tensor>& ys) {
          return Gradients{grads[0] + grads[1] * ys[0]};
        });
  };
  const std::vector<Tensor> both = step_of(1.0 * w);
  const auto [last, all] = scan(both[0], tensor({1, 2}, {2, 1}), [&](Tensor h, Tensor x) { return h + x * step_of(1.0 * w)[0]; });
  const Tensor loss = g.output("loss", sum(last) + 2 * sum(both[1]));
  Step step = compile(training_step(g, loss, {w}, sgd), Target::cpu());
  CHECK(step()["loss"].item() == Approx(0 + 2 * 0.7));  // 4 - 4
  // d: 1 + 1 + 2 of the signs, 2 sign of the sizes.
  require_close({w.array().at(0), w.array().at(1)}, {0.4 - 0.5 * 6, -0.3 - 0.5 * 2});
}

TEST_CASE("the text of a gradient of one's own is read back", "[custom_gradient]") {
  Parameter w("w", {0.5, -2.0, 3.0});
  Graph g("text");
  Tensor loss = g.output("loss", sum(square(clipped(w))));
  ir::Module recorded = training_step(g, loss, {w}, optim::SGD()).module;
  const std::string text = ir::print(recorded);
  CHECK_THAT(text, contains_text("with_gradient(") && contains_text("of = [1]"));
  ir::Module read = ir::parse(text);
  ir::verify(read);
  CHECK(ir::print(read) == text);
  passes::run(read, passes::pipeline("compile"), passes::generic_target());
  CHECK_THAT(ir::print(read), !contains_text("with_gradient("));
}

TEST_CASE("autocast leaves a gradient of one's own its types", "[custom_gradient]") {
  Parameter w("w", Shape{2, 2}, std::vector<float>{0.5f, -2, 3, 1});
  Graph g("autocast");
  const Tensor x = g.input("x", f32, {2, 2});
  const Tensor loss = g.output("loss", sum(clipped(matmul(x, w))));
  Step step = compile(training_step(g, loss, {w}, optim::SGD({.lr = 1})), Target::cpu({.autocast = bf16}));
  const std::vector<float> eye{1, 0, 0, 1};
  CHECK(step({{"x", eye}})["loss"].item() == Approx(2.5));
  require_close({w.array().at(0), w.array().at(1)}, {-0.5, -3});
}

TEST_CASE("a gradient of one's own is in the type of its tensor", "[custom_gradient]") {
  for (const DType dtype : {bf16, f16})
    for (const Target& target : targets()) {
      Graph g("narrow");
      const Tensor x = 1.0 * tensor({0.5, -3, 2}, {3}, dtype), y = clipped(x);
      auto [dx] = gradients<1>(sum(y * y), {x});
      CHECK(dx.dtype() == dtype);
      require_close(run(g, {y, dx}, target), {0.5, -3, 2, 1, -1, 1});
    }
}

TEST_CASE("what is no gradient names the line", "[custom_gradient]") {
  Graph g("errors");
  const Tensor x = g.input("x", f32, {3}), i = g.input("i", i64, {3});
  const auto same = [](const Tensor& v) { return v; };
  CHECK_THROWS_WITH(custom_gradient({x}, same, [](const Tensor& grad, const Tensor&) { return sum(grad); }),
                    contains_text("backward gives f32[] as the gradient of tensor 0, which is f32[3]") && contains_text(line(0)));
  CHECK_THROWS_WITH(custom_gradient({x}, same, [](const Tensor& grad, const Tensor&) { return Gradients{grad, grad}; }),
                    contains_text("backward gives 2 gradients of 1 tensors"));
  CHECK_THROWS_WITH(custom_gradient(
                        {x}, [](const Tensor& v) { return v > 0; }, [](const Tensor& grad, const Tensor&) { return grad; }),
                    contains_text("only what is floating has a gradient"));
  CHECK_THROWS_WITH(custom_gradient(
                        {x, i}, [](const Tensor& v, const Tensor&) { return v; },
                        [](const Tensor& grad, const Tensor&, const Tensor&) { return Gradients{grad, grad}; }),
                    contains_text("backward gives a gradient of tensor 1, which is i64[3]; give Tensor()"));
  CHECK_THROWS_WITH(custom_gradient(
                        {x}, [](const Tensor&) { return Tensor(); }, [](const Tensor& grad, const Tensor&) { return grad; }),
                    contains_text("result 0 is a Tensor that nothing was assigned to"));
}

TEST_CASE("what reads a with_gradient checks it", "[custom_gradient]") {
  const auto read = [](const std::string& attributes, const std::string& body) {
    ir::parse("weft 1\nfunc @f {\n  input %x: f32[2]\n  %y = with_gradient(%x, %x) {" + attributes + "} : f32[2] {\n" + body +
              "  }\n  output y = %y\n}\n");
  };
  const std::string inputs = "    input %g: f32[2]\n    input %r: f32[2]\n    input %v: f32[2]\n";
  CHECK_NOTHROW(read("results = 1, of = [1]", inputs + "    output %g\n"));
  CHECK_THROWS_WITH(read("results = 1, of = [0]", inputs + "    output %g\n"), contains_text("`of` must name operands behind"));
  CHECK_THROWS_WITH(read("results = 1, of = []", inputs + "    output %g\n"), contains_text("an output for each operand that `of` names"));
  CHECK_THROWS_WITH(read("results = 3, of = []", inputs), contains_text("as many operands as results"));
  CHECK_THROWS_WITH(read("results = 1, of = [1]", "    input %g: f32[2]\n    output %g\n"), contains_text("the body's inputs must be"));
}
