// weft compile: from a text to a program in a file.

#include "weft/runtime/step_file.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;

namespace {

const std::string line = R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "adam"}
group "head" {inputs = ["b"], optimizer = "sgd", momentum = true}
func @line {
  input %x: f32[4]
  input %i: i64[2]
  input %w: f32[4] parameter
  input %b: f32[4] parameter
  input %seen: f32[4] state
  input %rate: f64[] hyper
  %0 = mul(%x, %w) : f32[4]
  %1 = add(%0, %b) : f32[4]
  %2 = mul(%1, %seen) : f32[4]
  %3 = gather(%2, %i) {axis = 0} : f32[2]
  %4 = cast(%rate) {dtype = f32} : f32[]
  %5 = broadcast(%4) {shape = [2]} : f32[2]
  %6 = mul(%3, %5) : f32[2]
  %7 = sum(%6) {axes = [0]} : f32[]
  output loss = %7
}
)";

const std::string numbers =
    " --set rate=2 --set adam.lr=0.5 --set adam.beta1=0.9 --set adam.beta2=0.99 --set adam.eps=1e-8 --set adam.head.lr=0.25 "
    "--set adam.head.momentum=0.8 --set adam.head.dampening=0";

test::Ran compile(const TempDir& dir, const std::string& options) {
  return test::run_command(WEFT_TOOL " compile " + dir.write("line.weft", line) + " -o " + dir / "line.weftprog" + options);
}

}  // namespace

TEST_CASE("weft compile: what inputs are follows from their roles, names and the train block", "[tool]") {
  const TempDir dir;
  const test::Ran ran = compile(dir, numbers + " --seed 7 --machine avx2");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("line.weftprog: step 'line' for cpu, ") && contains_text("code for avx2 "));
  const StepData step = read_step(dir / "line.weftprog");
  CHECK(step.name == "line");
  CHECK(step.key == 7);
  CHECK(step.program.code.size() == 1);
  std::map<std::string, StepInput> inputs;
  for (size_t i = 0; i < step.inputs.size(); ++i) inputs[step.program.list.inputs[i].name] = step.inputs[i];
  using Kind = StepInput::Kind;
  CHECK(inputs.at("x") == StepInput{.kind = Kind::batch});
  CHECK(inputs.at("i") == StepInput{.kind = Kind::batch, .indices = IndexBound{0, 4}});
  CHECK(inputs.at("w") == StepInput{.kind = Kind::tensor, .tensor = "w"});
  CHECK(inputs.at("seen") == StepInput{.kind = Kind::tensor, .tensor = "seen"});
  CHECK(inputs.at("w.exp_avg") == StepInput{.kind = Kind::tensor, .tensor = "weft.optimizer0/w/exp_avg"});
  CHECK(inputs.at("rate") == StepInput{.kind = Kind::number, .value = 2});
  CHECK(inputs.at("adam.head.lr") == StepInput{.kind = Kind::number, .value = 0.25});
  CHECK(inputs.at("adam.step").kind == Kind::counter);
  REQUIRE(step.numbers.size() == 2);
  CHECK(step.numbers[0].group.empty());
  CHECK(step.numbers[0].numbers.size() == 4);
  CHECK(step.numbers[1].group == "head");
  CHECK(step.numbers[1].op == "sgd");
  CHECK(step.numbers[1].numbers.at(0).name == "sgd.lr");
  CHECK(step.numbers[1].numbers.at(0).value == 0.25);
  REQUIRE(step.counters.size() == 1);
  CHECK(step.counters[0].of == std::vector<std::string>{"w", "b"});
}

TEST_CASE("weft compile: numbers must be given, and no others", "[tool]") {
  const TempDir dir;
  const auto refusal = [&](const std::string& options) {
    const test::Ran ran = compile(dir, options);
    CHECK(ran.code == 1);
    return ran.err;
  };
  CHECK_THAT(refusal(""), contains_text("nothing is given for the numbers 'rate' (--set rate=NUMBER), 'adam.lr' (--set adam.lr=NUMBER), "));
  CHECK(refusal(numbers + " --set adam.lrr=1") ==
        "weft: error: --set: the program reads no hyper-parameter 'adam.lrr'; did you mean 'adam.lr', 'adam.eps'?\n");
  CHECK(refusal(numbers + " --set rate=x") == "weft: error: --set: 'rate' is given twice\n");
  CHECK(refusal(" --set rate=x") == "weft: error: --set rate: 'x' is not a number\n");
  CHECK(refusal(numbers + " --machine avx3") == "weft: error: unknown instruction set \"avx3\"; known are sse4, avx2, avx512\n");
  const test::Ran ran = test::run_command(WEFT_TOOL " compile " + dir.write("line.weft", line) + " -o /nowhere/x" + numbers);
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("/nowhere/x"));
}

TEST_CASE("weft compile: for a GPU, on a machine that has none", "[tool]") {
  const TempDir dir;
  const test::Ran ran = compile(dir, numbers + " --device cuda");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("step 'line' for cuda, ") && contains_text("code for sm_80 "));
  const StepData step = read_step(dir / "line.weftprog");
  CHECK(step.program.backend == "cuda");
  CHECK(step.program.calls.size() == step.program.list.launches.size());
  CHECK_THAT(compile(dir, numbers + " --device cuda --machine sm_75").out, contains_text("code for sm_75 "));
  CHECK_THAT(compile(dir, numbers + " --device cuda --machine avx2").err, contains_text("unknown GPU architecture 'avx2'"));
  CHECK_THAT(compile(dir, numbers + " --device reference").err, contains_text("programs for 'reference' cannot be saved"));
}

TEST_CASE("weft run: without the driver it is said what a GPU needs", "[tool]") {
  const TempDir dir;
  const std::string text = dir.write("one.weft", "weft 1 func @f {\n %0 = constant() {value = f32[] 1} : f32[]\n output y = %0\n}");
  const test::Ran ran = test::run_command("WEFT_CUDA_DRIVER=/nowhere/libcuda.so.1 " WEFT_TOOL " run " + text + " --device cuda");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err,
             contains_text("there is no CUDA driver on this machine: /nowhere/libcuda.so.1") && contains_text("install NVIDIA's driver"));
}
