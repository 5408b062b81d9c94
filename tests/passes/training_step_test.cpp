#include <set>

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// x's square as the loss, and its gradient as autodiff leaves it.
const std::string graph = R"(
    input %x: f32[] parameter at "net.cpp":3
    %0 = mul(%x, %x) : f32[]
    %1 = add(%x, %x) : f32[]
    output loss = %0
    output x.grad = %1)";

std::string train(const std::string& rest) { return "train {loss = \"loss\", inputs = [\"x\"], " + rest + "}\n" + graph; }

std::vector<std::string> input_names(const ir::Module& m) {
  std::vector<std::string> names;
  for (const ir::Input& input : m.graph().inputs())
    names.push_back(input.node->name + " " + to_string(input.node->type) + " " + std::string(name_of(input.role)));
  return names;
}

std::vector<std::string> output_names(const ir::Module& m) {
  std::vector<std::string> names;
  for (const ir::Output& o : m.graph().outputs()) names.push_back(o.name + (o.alias ? " -> " + m.graph().input(*o.alias).name() : ""));
  return names;
}

}  // namespace

TEST_CASE("training_step: plain SGD", "[passes][training_step]") {
  check_becomes("training_step", train("optimizer = \"sgd\""), R"(
    input %x: f32[] parameter
    input %sgd.step: i64[] state
    input %sgd.lr: f64[] hyper
    input %sgd.momentum: f64[] hyper
    input %sgd.dampening: f64[] hyper
    input %sgd.weight_decay: f64[] hyper
    %0 = mul(%x, %x) : f32[]
    %1 = add(%x, %x) : f32[]
    %2 = constant() {value = i64[] 1} : i64[]
    %3 = add(%sgd.step, %2) : i64[]
    %4 = sgd(%x, %1, %3, %sgd.lr, %sgd.momentum, %sgd.dampening, %sgd.weight_decay) : f32[]
    output loss = %0
    output sgd.step = %3 aliases %sgd.step
    output x = %4 aliases %x)");
}

TEST_CASE("training_step: momentum is a state of each parameter", "[passes][training_step]") {
  check_becomes("training_step", train("optimizer = \"sgd\", momentum = true, nesterov = true"), R"(
    input %x: f32[] parameter
    input %sgd.step: i64[] state
    input %sgd.lr: f64[] hyper
    input %sgd.momentum: f64[] hyper
    input %sgd.dampening: f64[] hyper
    input %sgd.weight_decay: f64[] hyper
    input %x.momentum_buffer: f32[] state
    %0 = mul(%x, %x) : f32[]
    %1 = add(%x, %x) : f32[]
    %2 = constant() {value = i64[] 1} : i64[]
    %3 = add(%sgd.step, %2) : i64[]
    %4, %5 = sgd(%x, %1, %3, %sgd.lr, %sgd.momentum, %sgd.dampening, %sgd.weight_decay, %x.momentum_buffer) {momentum = true, nesterov = true} : f32[], f32[]
    output loss = %0
    output sgd.step = %3 aliases %sgd.step
    output x = %4 aliases %x
    output x.momentum_buffer = %5 aliases %x.momentum_buffer)");
}

TEST_CASE("training_step: Adam's inputs and outputs", "[passes][training_step]") {
  const ir::Module m = run_passes("training_step", train("optimizer = \"adam\", amsgrad = true"));
  CHECK(input_names(m) == std::vector<std::string>{"x f32[] parameter", "adam.step i64[] state", "adam.lr f64[] hyper",
                                                   "adam.beta1 f64[] hyper", "adam.beta2 f64[] hyper", "adam.eps f64[] hyper",
                                                   "adam.weight_decay f64[] hyper", "x.exp_avg f32[] state", "x.exp_avg_sq f32[] state",
                                                   "x.max_exp_avg_sq f32[] state"});
  CHECK(output_names(m) == std::vector<std::string>{"loss", "adam.step -> adam.step", "x -> x", "x.exp_avg -> x.exp_avg",
                                                    "x.exp_avg_sq -> x.exp_avg_sq", "x.max_exp_avg_sq -> x.max_exp_avg_sq"});
}

TEST_CASE("training_step: a group has its own rule and numbers; steps and clipping are common", "[passes][training_step]") {
  const ir::Module m =
      run_passes("training_step", R"(train {loss = "loss", inputs = ["x"], optimizer = "sgd", clip_value = true, clip_norm = true}
group "head" {inputs = ["y"], optimizer = "adam", weight_decay = true}
    input %x: f32[3] parameter
    input %y: f32[2] parameter
    %0 = constant() {value = f32[] 0.0} : f32[]
    output loss = %0
    output x.grad = %x
    output y.grad = %y)");
  std::set<std::string> names;
  for (const std::string& name : input_names(m)) names.insert(name);
  CHECK(names == std::set<std::string>{"x f32[3] parameter", "y f32[2] parameter", "sgd.step i64[] state", "sgd.lr f64[] hyper",
                                       "sgd.momentum f64[] hyper", "sgd.dampening f64[] hyper", "sgd.weight_decay f64[] hyper",
                                       "sgd.head.lr f64[] hyper", "sgd.head.beta1 f64[] hyper", "sgd.head.beta2 f64[] hyper",
                                       "sgd.head.eps f64[] hyper", "sgd.head.weight_decay f64[] hyper", "sgd.clip_value f64[] hyper",
                                       "sgd.clip_norm f64[] hyper", "y.exp_avg f32[2] state", "y.exp_avg_sq f32[2] state"});
  CHECK(output_names(m) == std::vector<std::string>{"loss", "sgd.step -> sgd.step", "x -> x", "y -> y", "y.exp_avg -> y.exp_avg",
                                                    "y.exp_avg_sq -> y.exp_avg_sq"});
  CHECK(count_ops(m, "sgd") == 1);
  CHECK(count_ops(m, "adam") == 1);
  CHECK(count_ops(m, "sqrt") == 1);  // one norm over both
  CHECK(count_ops(m, "maximum") == 2);
}

TEST_CASE("training_step: inputs of another history have a counter of their own", "[passes][training_step]") {
  const std::string text = R"(train {loss = "loss", inputs = ["x", "y"], optimizer = "adam", counters = [0,1,0]}
group "head" {inputs = ["z"], optimizer = "sgd", momentum = true}
    input %x: f32[3] parameter
    input %y: f32[2] parameter
    input %z: f32[2] parameter
    %0 = constant() {value = f32[] 0.0} : f32[]
    output loss = %0
    output x.grad = %x
    output y.grad = %y
    output z.grad = %z)";
  const ir::Module m = run_passes("training_step", text);
  const auto counter_of = [&](const char* parameter) { return m.graph().find_output(parameter)->value.op()->operand(2); };
  REQUIRE(m.graph().find_output("adam.step"));
  REQUIRE(m.graph().find_output("adam.step.1"));
  CHECK(counter_of("x") == m.graph().find_output("adam.step")->value);
  CHECK(counter_of("z") == m.graph().find_output("adam.step")->value);
  CHECK(counter_of("y") == m.graph().find_output("adam.step.1")->value);
  const auto with = [&](const std::string& counters) { return std::string(text).replace(text.find("[0,1,0]"), 7, counters); };
  REQUIRE_THROWS_WITH(run_passes("training_step", with("[0,1]")), "the train block has 2 counters for 3 inputs; each input has one");
  REQUIRE_THROWS_WITH(run_passes("training_step", with("[0,-1,0]")), "the train block's counters must not be negative, but there is -1");
}

TEST_CASE("training_step: the train block is used up", "[passes][training_step]") {
  CHECK_FALSE(run_passes("training_step", train("optimizer = \"sgd\"")).train);
}

TEST_CASE("training_step: without a train block nothing happens", "[passes][training_step]") { check_stays("training_step", graph); }

TEST_CASE("training_step: a kept gradient stays an output", "[passes][training_step]") {
  CHECK(output_names(run_passes("training_step", train("optimizer = \"sgd\", keep = [\"x.grad\"]"))) ==
        std::vector<std::string>{"loss", "x.grad", "sgd.step -> sgd.step", "x -> x"});
}

TEST_CASE("training_step: an output that only looks like a gradient stays", "[passes][training_step]") {
  const ir::Module m = run_passes("training_step", train("optimizer = \"sgd\"") + "\n output y.grad = %0");
  CHECK(m.graph().find_output("y.grad"));
  CHECK_FALSE(m.graph().find_output("x.grad"));
}

TEST_CASE("training_step: updates carry the parameter's line", "[passes][training_step]") {
  const ir::Module m = run_passes("training_step", train("optimizer = \"sgd\""));
  CHECK(to_string(m.graph().ops().back()->locations()) == "net.cpp:3");
}

TEST_CASE("training_step: the step counter and the clipping carry the loss's line", "[passes][training_step]") {
  const std::string lost = std::string(graph).replace(graph.find("loss = %0"), 9, "loss = %0 at \"net.cpp\":5");
  const ir::Module m =
      run_passes("training_step", "train {loss = \"loss\", inputs = [\"x\"], optimizer = \"sgd\", clip_norm = true}\n" + lost);
  CHECK(to_string(m.graph().find_output("sgd.step")->value.op()->locations()) == "net.cpp:5");
  CHECK(count_ops(m, "minimum") == 1);
  for (const auto& op : m.graph().ops())
    if (op->name() == "minimum") CHECK(to_string(op->locations()) == "net.cpp:5");
}

TEST_CASE("training_step: mistakes in the train block are refused", "[passes][training_step]") {
  REQUIRE_THROWS_WITH(run_passes("training_step", train("optimizer = \"sdg\"")), "the train block's optimizer 'sdg' is no update op");
  REQUIRE_THROWS_WITH(
      run_passes("training_step", "train {loss = \"loss\", inputs = [], optimizer = \"sgd\", clip_norm = true}\n" + std::string(graph)),
      "the train block trains nothing: it names no input");
  REQUIRE_THROWS_WITH(run_passes("training_step", train("optimizer = \"sgd\", keep = [\"y.grad\"]")),
                      "'y.grad' is to be kept, but it is not the gradient of a trained parameter ('<parameter>.grad')");
  REQUIRE_THROWS_WITH(run_passes("training_step", train("optimizer = \"sgd\", momentun = true")),
                      contains_text("sgd has no attribute 'momentun'; did you mean 'momentum'?"));
  REQUIRE_THROWS_WITH(run_passes("training_step", train("optimizer = \"sgd\", momentum = 0.9")),
                      contains_text("attribute 'momentum' must be a bool, not a real"));
}
