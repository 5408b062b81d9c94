// weft compile: from a text to a program in a file.

#include <filesystem>

#include "weft/runtime/data/npy.h"
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
  CHECK(inputs.at("adam.head.lr") == StepInput{.kind = Kind::number, .value = 0.25, .range = {.low = 0}});
  CHECK(inputs.at("adam.step").kind == Kind::counter);
  REQUIRE(step.numbers.size() == 2);
  CHECK(step.numbers[0].group.empty());
  CHECK(step.numbers[1].group == "head");
  CHECK(step.numbers[1].op == "sgd");
  const auto number = [](const StepNumbers& of, const std::string& name) {
    for (const StepNumbers::Number& n : of.numbers)
      if (n.name == name) return n;
    FAIL("no " + name);
    return StepNumbers::Number();
  };
  CHECK(number(step.numbers[0], "adam.eps").input.has_value());
  CHECK(number(step.numbers[1], "sgd.lr").value == 0.25);
  CHECK(number(step.numbers[1], "sgd.lr").input.has_value());
  // What the program does without is in checkpoints, too.
  CHECK(number(step.numbers[0], "adam.weight_decay").value == 0);
  CHECK(!number(step.numbers[0], "adam.weight_decay").input);
  CHECK(number(step.numbers[1], "sgd.clip_norm").value == 0);
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
  const std::string missing = refusal("");
  CHECK_THAT(missing, contains_text("nothing is given for the numbers ") && contains_text("'rate' (--set rate=NUMBER)"));
  // A momentum that is on has no default: by default there is none.
  CHECK_THAT(missing, contains_text("'adam.head.momentum' (--set adam.head.momentum=NUMBER)") && !contains_text("lr"));
  CHECK(refusal(numbers + " --set adam.lrr=1") ==
        "weft: error: --set: the program reads no hyper-parameter 'adam.lrr'; did you mean 'adam.lr', 'adam.eps'?\n");
  CHECK(refusal(numbers + " --set rate=x") == "weft: error: --set: 'rate' is given twice\n");
  CHECK(refusal(" --set rate=x") == "weft: error: --set rate: 'x' is not a number\n");
  CHECK(refusal(numbers + " --machine avx3") == "weft: error: unknown instruction set \"avx3\"; known are sse4, avx2, avx512\n");
  const test::Ran ran = test::run_command(WEFT_TOOL " compile " + dir.write("line.weft", line) + " -o /nowhere/x" + numbers);
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("/nowhere/x"));
}

TEST_CASE("weft compile: a known optimizer's numbers have its defaults and ranges", "[tool]") {
  const TempDir dir;
  const test::Ran ran = compile(dir, " --set rate=2 --set adam.head.momentum=0.9 --set adam.lr=0.25");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const StepData step = read_step(dir / "line.weftprog");
  std::map<std::string, StepInput> inputs;
  for (size_t i = 0; i < step.inputs.size(); ++i) inputs[step.program.list.inputs[i].name] = step.inputs[i];
  CHECK(inputs.at("adam.lr").value == 0.25);
  CHECK(inputs.at("adam.beta2").value == 0.999);
  CHECK(inputs.at("adam.beta2").range == NumberRange{.low = 0, .high = 1, .below_high = true});
  CHECK(inputs.at("adam.head.lr").value == 1e-3);
  CHECK(inputs.at("adam.head.dampening").value == 0);
  CHECK(inputs.at("adam.lr").range == NumberRange{.low = 0});

  const auto refusal = [&](const std::string& setting) {
    std::filesystem::remove(dir / "line.weftprog");
    const test::Ran bad = compile(dir, " --set rate=2 --set adam.head.momentum=0.9 --set " + setting);
    CHECK(bad.code == 1);
    CHECK(!std::filesystem::exists(dir / "line.weftprog"));
    return bad.err;
  };
  CHECK(refusal("adam.lr=nan") == "weft: error: --set adam.lr: it must be a finite number, not nan\n");
  CHECK(refusal("adam.lr=inf") == "weft: error: --set adam.lr: it must be a finite number, not inf\n");
  CHECK(refusal("adam.lr=-1") == "weft: error: --set adam.lr: it must lie in [0, inf], not be -1\n");
  CHECK(refusal("adam.head.lr=-1") == "weft: error: --set adam.head.lr: it must lie in [0, inf], not be -1\n");
}

TEST_CASE("weft compile: what it is asked for is what there is", "[tool]") {
  const TempDir dir;
  const auto refusal = [&](const std::string& options) {
    const test::Ran ran = compile(dir, numbers + options);
    CHECK(ran.code == 1);
    return ran.err;
  };
  CHECK_THAT(refusal(" --seed 9223372036854775808"), contains_text("--seed must be an integer of 64 bits, not 9223372036854775808"));
  CHECK_THAT(refusal(" --machine avx2 --machine avx2"), contains_text("--machine avx2 is given twice"));
  CHECK_THAT(refusal(" --device cuda:1"), contains_text("--device cuda:1: a program in a file is for any device"));
  const std::string text = dir.write("net.weft", line);
  const auto refused = [&](const std::string& command, const std::string& why) {
    const test::Ran ran = test::run_command(WEFT_TOOL " " + command);
    INFO(command);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, contains_text(why));
    CHECK(test::read_file(text) == line);
  };
  refused("run " + text + " --seed 99999999999999999999", "--seed must be an integer of 64 bits");
  refused("run " + text + " --steps 99999999999999999999", "--steps must be an integer of 64 bits");
  const std::string lost = "' is the file that is read here, and would be lost";
  std::filesystem::create_symlink(text, dir / "link");
  for (const std::string& output : {text, dir / "link"}) {
    refused("compile " + text + " -o " + output + numbers, "-o '" + output + lost);
    refused("report " + text + " -o " + output, "-o '" + output + lost);
    refused("opt " + text + " -o " + output, "-o '" + output + lost);
    refused("opt " + text + " --timing-json " + output, "--timing-json '" + output + lost);
    refused("reduce " + text + " --while true -o " + output, "-o '" + output + lost);
    refused("show " + text + " --onnx " + output, "--onnx '" + output + lost);
  }
  refused("compile " + text + " -o -" + numbers, "-o must name a file");
  refused("report " + text + " -o -", "-o must name a file");
}

TEST_CASE("weft run: results do not go where inputs come from", "[tool]") {
  const TempDir dir;
  const std::string text = dir.write("net.weft", "weft 1\nfunc @f {\n input %x: f32[2]\n %y = neg(%x) : f32[2]\n output x = %y\n}\n");
  write_npy(dir / "x.npy", Array::of(Shape{2}, std::vector<float>{1, 2}));
  const test::Ran ran = test::run_command(WEFT_TOOL " run " + text + " --input x=" + dir / "x.npy" + " --output-dir " + dir.path());
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("is the file that is read here, and would be lost"));
  CHECK(read_npy(dir / "x.npy").at(1) == 2);
}

TEST_CASE("the tool says what a compiled program is", "[tool]") {
  const TempDir dir;
  REQUIRE(compile(dir, numbers).code == 0);
  const std::string program = dir / "line.weftprog";
  const std::vector<std::string> commands{"run ",
                                          "show ",
                                          "opt ",
                                          "fmt ",
                                          "ptx ",
                                          "grad-check ",
                                          "compile -o " + dir / "other" + " ",
                                          "report -o " + dir / "other" + " ",
                                          "diff " + program + " ",
                                          "reduce --while true "};
  for (const std::string& command : commands) {
    const test::Ran ran = test::run_command(WEFT_TOOL " " + command + program);
    INFO(command);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err,
               contains_text("line.weftprog: is a compiled program, not one in text form; load_step (C++) and weft_step_open (C) run it"));
  }
}

TEST_CASE("weft compile: library calls are those of the narrowest machine that is named", "[tool]") {
  const TempDir dir;
  const std::string text = dir.write("net.weft", R"(weft 1
func @net {
  input %x: f32[64,64]
  input %w: f32[64,64] parameter
  %y = matmul(%x, %w) : f32[64,64]
  output y = %y
}
)");
  const auto calls = [&](const std::string& machines) {
    const test::Ran ran = test::run_command(WEFT_TOOL " compile " + text + " --autocast bf16 -o " + dir / "net.weftprog" + machines);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return step_text(read_step(dir / "net.weftprog"));
  };
  const auto limited = [&](const std::string& isa) {
    const test::Ran ran = test::run_command("WEFT_MAX_ISA=" + isa + " " WEFT_TOOL " compile " + text + " --autocast bf16 --machine " + isa +
                                            " -o " + dir / "limited");
    REQUIRE(ran.code == 0);
    return step_text(read_step(dir / "limited"));
  };
  const std::string all = WEFT_TOOL " compile " + text + " --autocast bf16 -o " + dir / "all",
                    note = "for machines without: --machine avx2";
  CHECK_THAT(test::run_command(all).out, contains_text(note));
  CHECK_THAT(test::run_command(all + " --machine avx2").out, !contains_text(note));
  CHECK(calls(" --machine sse4") == limited("sse4"));
  CHECK(calls(" --machine avx2") == limited("avx2"));
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
