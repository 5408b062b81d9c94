// weft grad-check: gradients beside central differences, all in double.

#include "weft/frontend/program/gradient_check.h"
#include "weft/ir/define.h"
#include "weft/support/philox.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

const ir::OpDef& wrong = register_op(ir::elementwise(
    "test.wrong_square", "x^2, with a gradient that is wrong above 0.5", {{"x", ir::Accepts::floating}}, {},
    [](ir::Scalar x) { return x * x; }, [](ir::Expr g, ir::Expr x, ir::Expr) { return g * (x * 2.0 + (x - 0.5).apply("relu") * 4.0); }));

std::vector<detail::CheckedGradient> checked(const Recorded& recorded, const detail::GradientCheckOptions& options = {}) {
  std::vector<reference::Tensor> inputs;
  for (const ir::Input& input : recorded.module.graph().inputs()) {
    reference::Tensor t(input.node->type);
    for (size_t e = 0; e < t.real.size(); ++e) t.real[e] = 0.1 + 0.8 * uniform_from_bits(random_bits(1, 0, 0, e));
    for (size_t e = 0; e < t.integer.size(); ++e) t.integer[e] = static_cast<int64_t>(e % 2);
    inputs.push_back(std::move(t));
  }
  return detail::check_gradients(recorded.module, inputs, options);
}

}  // namespace

TEST_CASE("right gradients agree with differences, those of low precision too") {
  nn::Sequential net(nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::Tanh(), nn::Flatten(), nn::Dropout(0.3), nn::Linear(8, 3), nn::GELU(),
                     nn::Linear(3, 2));
  optim::Adam adam;
  Graph g("net");
  Tensor x = g.input("x", f32, {4, 1, 4, 4}), y = g.input("y", i64, {4});
  Tensor loss = g.output("loss", cross_entropy(cast(cast(net(x), bf16), f32), y));
  const auto all = checked(training_step(g, loss, net.parameters(), adam));
  REQUIRE(all.size() == 8);
  for (const detail::CheckedGradient& one : all) {
    INFO(one.parameter << " " << one.gradient << " " << one.difference);
    if (one.parameter != "0.bias") CHECK(one.error() < 1e-6);  // a bias before a batch normalization has no effect
    CHECK(one.checked == one.type.shape.numel());
  }
}

TEST_CASE("the worst element of a wrong gradient is named") {
  Parameter w("w", {0.25, 0.75, 0.5, 0.125});
  Graph g("net");
  Tensor loss = g.output("loss", sum(call("test.wrong_square", {w})));
  optim::SGD sgd({.lr = 0.1});
  const Recorded recorded = training_step(g, loss, {w}, sgd);
  reference::Tensor values(ir::Type{f32, {4}});
  values.real = {0.25, 0.75, 0.5, 0.125};
  const auto all = detail::check_gradients(recorded.module, {&values, 1});
  REQUIRE(all.size() == 1);
  CHECK(all[0].element == Dims{1});
  CHECK(all[0].gradient == Approx(2.5));
  CHECK(all[0].difference == Approx(1.5));
  CHECK(all[0].error() == Approx(1 / 2.5));
  CHECK(detail::check_gradients(recorded.module, {&values, 1}, {.elements = 2})[0].checked == 2);
}

TEST_CASE("weft grad-check prints a row for each parameter, and fails where one is off") {
  const test::TempDir dir;
  const std::string file = dir.write("line.weft", R"(weft 1
train {loss = "loss", inputs = ["w", "b"], optimizer = "sgd"}
func @line {
  input %x: f32[4] at "line.cpp":5
  input %w: f32[] parameter at "line.cpp":4
  input %b: f32[] parameter at "line.cpp":4
  %0 = broadcast(%w) {shape = [4]} : f32[4] at "line.cpp":7
  %1 = mul(%0, %x) : f32[4] at "line.cpp":7
  %2 = broadcast(%b) {shape = [4]} : f32[4] at "line.cpp":7
  %3 = add(%1, %2) : f32[4] at "line.cpp":7
  %4 = square(%3) : f32[4] at "line.cpp":7
  %5 = mean(%4) {axes = [0]} : f32[] at "line.cpp":8
  output loss = %5 at "line.cpp":8
}
)");
  const test::Ran ran = test::run_command(WEFT_TOOL " grad-check " + file);
  INFO(ran.out << ran.err);
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("parameter") && contains_text("difference") && contains_text("\nw ") && contains_text("\nb "));
  CHECK(test::run_command(WEFT_TOOL " grad-check " + file + " --seed 1").out != ran.out);
  const test::Ran strict = test::run_command(WEFT_TOOL " grad-check " + file + " --tolerance 0");
  CHECK(strict.code == 1);
  CHECK_THAT(strict.err, contains_text("gradients are off by more than 0 of the largest: "));
  CHECK_THAT(test::run_command(WEFT_TOOL " grad-check " + file + " --elements 0").err,
             contains_text("--elements must be at least 1, not 0"));
  const std::string untrained = dir.write("none.weft", "weft 1\nfunc @f {\n  input %x: f32[]\n  output y = %x\n}\n");
  CHECK_THAT(test::run_command(WEFT_TOOL " grad-check " + untrained).err, contains_text("the program has no train block"));
}
