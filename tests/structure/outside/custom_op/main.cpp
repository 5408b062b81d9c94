// Trains a net with a layer and ops of this project, reads its text back, and compares the ops' gradients with differences.

#include <fmt/format.h>
#include <weft/ir/equal.h>
#include <weft/ir/parser.h>
#include <weft/ir/printer.h>
#include <weft/passes/pass.h>

#include <cmath>

#include "ops.h"

using namespace weft;

namespace {

int failures = 0;
int line_in_layer = 0;

void expect(bool holds, const std::string& what) {
  fmt::print("{}: {}\n", holds ? "yes" : "NO", what);
  failures += !holds;
}

/// Two gates of x W, one of which lets the other through.
class Gate : public nn::Module {
 public:
  Gate(int64_t in, int64_t out) {
    Array values(f32, {in, out});
    for (int64_t i = 0; i < values.shape().numel(); ++i) values.set(i, 0.8 * std::sin(1.7 * static_cast<double>(i + 1)));
    weight_ = add("weight", Parameter("weight", values));
    scale_ = add("scale", Parameter("scale", Array(f32, {out})));
  }
  Tensor forward(Tensor x) override {
    Tensor h = matmul(acme::unit(x), weight_);
    line_in_layer = __LINE__ + 1;
    return acme::swish(h, 1.5) * (1 + scale_);
  }

 private:
  Parameter weight_, scale_;
};

struct Net : nn::Module {
  Gate gate = add("gate", Gate(2, 16));
  nn::Linear head = add("head", nn::Linear(16, 1));
  Tensor forward(Tensor x) override { return flatten(head(gate(x)), 0); }
};

/// Of points on circles, twice the sine of the angle: nothing that a line could say.
void train() {
  manual_seed(1);
  Net net;
  optim::Adam adam({.lr = 0.02});
  Graph graph("outside");
  Tensor x = graph.input("x", f32, {64, 2}), y = graph.input("y", f32, {64});
  Tensor loss = graph.output("loss", mse_loss(net(x), y));
  Step step = compile(training_step(graph, loss, net.parameters(), adam), Target::cpu());

  std::vector<float> xs, ys;
  for (int i = 0; i < 64; ++i) {
    const double angle = 0.7 * i, radius = 0.5 + 0.1 * (i % 7);
    xs.push_back(static_cast<float>(radius * std::cos(angle)));
    xs.push_back(static_cast<float>(radius * std::sin(angle)));
    ys.push_back(static_cast<float>(2 * std::sin(angle) * std::sin(angle)));
  }
  const double first = step({{"x", xs}, {"y", ys}})["loss"].item();
  double last = first;
  for (int i = 0; i < 300; ++i) last = step({{"x", xs}, {"y", ys}})["loss"].item();
  expect(first > 0.4 && last < 0.02, fmt::format("the loss falls from above 0.4 to below 0.02: from {:.3f} to {:.5f}", first, last));
  expect(net.parameters().size() == 4, "the layer's parameters are the net's");

  const std::string text = step.ir("recorded");
  expect(text.find("acme.swish(") != std::string::npos && text.find("{beta = 1.5}") != std::string::npos, "the text holds acme.swish");
  expect(text.find("acme.unit(") != std::string::npos, "the text holds acme.unit");
  expect(text.find(fmt::format("{{beta = 1.5}} : f32[64,16] at \"main.cpp\":{} \"gate\"", line_in_layer)) != std::string::npos,
         "with the line of the layer that calls it");
  expect(step.ir("fuse").find("acme.swish(") != std::string::npos, "acme.swish is a part of a fused loop nest");

  ir::Module again = ir::parse(text);
  expect(ir::print(again) == text && ir::equal(again, ir::parse(ir::print(again))), "the text reads back as it was");
  passes::run(again, passes::pipeline("compile"), passes::generic_target());
  expect(again.stage == "plan", "and goes through all passes");
}

template <class F>
void compare_gradient(const std::string& what, F f) {
  Graph graph("slopes");
  Tensor x = graph.input("x", f64, {2, 3});
  Tensor sum_of = graph.output("sum", sum(f(x) * f(x)));
  auto [dx] = gradients<1>(sum_of, {x});
  auto [ddx] = gradients<1>(sum(dx * dx), {x});
  graph.output("dx", dx);
  graph.output("squares", sum(dx * dx));
  graph.output("ddx", ddx);
  Step step = compile(graph, Target::cpu());
  const std::vector<double> at = {-1.5, 0.2, 0.9, 2.0, -0.4, 1.1};
  const Results r = step({{"x", at}});
  const std::vector<double> first = r["dx"].values<double>(), second = r["ddx"].values<double>();
  double worst = 0, largest = 0;
  for (size_t i = 0; i < at.size(); ++i) {
    std::vector<double> moved = at;
    const auto value = [&](const char* output, double by) {
      moved[i] = at[i] + by;
      return step({{"x", moved}})[output].item();
    };
    constexpr double h = 1e-5;
    worst = std::max(worst, std::abs((value("sum", h) - value("sum", -h)) / (2 * h) - first[i]));
    worst = std::max(worst, std::abs((value("squares", h) - value("squares", -h)) / (2 * h) - second[i]));
    largest = std::max({largest, std::abs(first[i]), std::abs(second[i])});
  }
  expect(worst < 1e-7 * (1 + largest) && largest > 0.1,
         fmt::format("first and second gradients of {} agree with differences: {:.1e} of {:.2f}", what, worst, largest));
}

}  // namespace

int main() {
  train();
  compare_gradient("acme.swish", [](Tensor x) { return acme::swish(x, 0.7); });
  compare_gradient("acme.unit", [](Tensor x) { return acme::unit(x, 0.3); });
  return failures == 0 ? 0 : 1;
}
