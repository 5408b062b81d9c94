// The program `weft` as its users meet it: arguments in, text, files and exit codes out.

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

std::string program() {
  const char* given = std::getenv("WEFT_TOOL");
  return given ? given : WEFT_TOOL;
}

struct Outcome {
  int code;
  std::string out, err;
};

/// Runs the program through the shell; `input` is its standard input.
Outcome weft_tool(const std::string& arguments, const std::string& input = "") {
  const TempDir dir;
  const std::string in = dir.write("in", input), out = dir / "out", err = dir / "err";
  const int status = std::system(("env -u COLUMNS " + program() + " " + arguments + " < " + in + " > " + out + " 2> " + err).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
}

/// A mistake of the user: exit code 1, nothing on standard output, and this on standard error.
void check_refused(const std::string& arguments, const std::string& message, const std::string& input = "") {
  const Outcome o = weft_tool(arguments, input);
  INFO(arguments);
  CHECK(o.code == 1);
  CHECK(o.out.empty());
  CHECK(o.err == "weft: error: " + message + "\n");
}

/// What it prints when all goes well.
std::string output_of(const std::string& arguments, const std::string& input = "") {
  const Outcome o = weft_tool(arguments, input);
  INFO(arguments << "\n" << o.err);
  REQUIRE(o.code == 0);
  return o.out;
}

const std::string line_program = R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
func @line {
  input %x: f32[4] at "line.cpp":5
  input %w: f32[] parameter at "line.cpp":4
  %0 = broadcast(%w) {shape = [4]} : f32[4] at "line.cpp":7
  %1 = mul(%0, %x) : f32[4] at "line.cpp":7
  %2 = mean(%1) {axes = [0]} : f32[] at "line.cpp":8
  output loss = %2 at "line.cpp":8
}
)";

const std::string small_program = R"(weft 1
func @small {
  input %x: f32[2,3] at "net.cpp":3
  %exp = exp(%x) : f32[2,3] at "net.cpp":5
  %y = sum(%exp) {axes = [1]} : f32[2] at "net.cpp":6 "head"
  output y = %y
}
)";

size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("weft: help is for newcomers, and needs no program", "[tool]") {
  for (const char* arguments :
       {"--help", "opt --help", "run --help", "compile --help", "show --help", "ptx --help", "explain --help", "explain op --help"}) {
    const std::string text = output_of(arguments);
    CHECK(text.find("Usage: weft") != std::string::npos);
    CHECK(longest_line(text) <= 120);
  }
  CHECK(output_of("--version").find("weft ") == 0);
}

TEST_CASE("weft: unknown commands and options are mistakes", "[tool]") {
  check_refused("otp", "unknown command 'otp'; did you mean 'opt', 'ptx'?");
  check_refused(
      "frobnicate",
      "unknown command 'frobnicate'; known are opt, run, compile, show, report, ptx, explain, grad-check, fmt, diff, reduce, machine");
  check_refused("explain opp", "unknown command 'opp'; did you mean 'op', 'ops'?");
  check_refused("--bogus", "The following argument was not expected: --bogus; see weft --help");
  check_refused("run --bogus", "The following argument was not expected: --bogus; see weft run --help");
  check_refused("opt --pases=cse", "The following argument was not expected: --pases=cse; see weft opt --help");
  check_refused("explain op softmax --all", "The following argument was not expected: --all; see weft explain op --help");
}

TEST_CASE("weft: whoever leaves out what a command needs is told how to go on", "[tool]") {
  check_refused("", R"(which command?
These are:
  opt        Run passes on a program and print the result
  run        Run a program on arrays from files
  compile    Compile a program to a file that runs without a compiler
  show       Show a program as a table: ops, shapes, work, memory, source lines
  report     Write a page to look at a program with: its graph after every pass, memory, kernels
  ptx        Print a program's kernels in PTX, the assembly language of NVIDIA's GPUs
  explain    Explain an op or a pass, or list them
  grad-check Compare a program's gradients with central differences
  fmt        Format programs in text form
  diff       Say in which ops two programs differ
  reduce     Shrink a program as long as a command succeeds with it
  machine    Measure what the machine does at most, once: profiles and reports compare with it
Example: weft show FILE.weft
weft --help explains them all.)");
  for (const std::string command : {"opt", "opt --time", "run", "run --zeros", "compile -o x", "show", "report -o x", "ptx"}) {
    const Outcome o = weft_tool(command);
    INFO(command << "\n" << o.err);
    const std::string name = command.substr(0, command.find(' '));
    CHECK(o.code == 1);
    CHECK(o.out.empty());
    CHECK_THAT(o.err, contains_text("weft: error: which program? give a FILE, or - for standard input\nExample: weft ") &&
                          contains_text("weft " + name + " ") && contains_text("\nweft " + name + " --help explains it all.\n"));
  }
  check_refused("explain", R"(which command?
These are:
  op         One op: what it computes, operands, attributes, gradient, what it is made of
  pass       One pass: what it does and when it runs
  ops        Every op on a line
  passes     Every pass on a line
  rewrites   The equations of the pass canonicalize
Example: weft explain op softmax
weft explain --help explains it all.)");
  check_refused("explain op", "which one? give a NAME\nExample: weft explain op softmax\nweft explain op --help explains it all.");
  check_refused("explain pass", "which one? give a NAME\nExample: weft explain pass fuse\nweft explain pass --help explains it all.");
}

TEST_CASE("weft: the example of every command's help runs as far as its files are there", "[tool]") {
  CHECK(output_of("explain op softmax").find("softmax: ") == 0);
  CHECK(output_of("explain pass fuse").find("fuse: ") == 0);
  for (const char* arguments : {"--help", "opt --help", "run --help", "compile --help", "show --help", "ptx --help", "explain --help",
                                "explain op --help", "explain pass --help"})
    CHECK_THAT(output_of(arguments), contains_text("\nExample: weft "));
}

TEST_CASE("weft: an empty value is a value, and the next argument another", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program);
  // An empty list of passes runs none; an empty list of those to leave out leaves none out.
  for (const std::string& how :
       {file + " --passes=", file + " --passes \"\"", "--passes= " + file, "--passes= -o - " + file, "--target=generic --passes= " + file})
    CHECK(output_of("opt " + how) == small_program);
  const std::string planned = output_of("opt --target=generic " + file);
  for (const std::string& how : {file + " --disable=", file + " --disable \"\"", "--disable= " + file})
    CHECK(output_of("opt --target=generic " + how) == planned);
  CHECK(output_of("opt --passes= -", planned) == planned);
  check_refused("opt --passes= --print-after=cse " + file, "--print-after: the pass 'cse' does not run here; none does");
  check_refused("opt --passes=, " + file, "unknown pass ''");
  for (const std::string option : {"opt --target", "opt --pipeline", "opt --output", "opt --print-after", "run --device", "run --input",
                                   "run --weights", "run --set", "run --seed", "run --steps", "run --output-dir", "ptx --arch"}) {
    const std::string name = option.substr(option.find(' ') + 1);
    check_refused(option + "= " + file, name + " must not be empty");
    check_refused(option + " \"\" " + file, name + " must not be empty");
    check_refused(option.substr(0, 4) + file + " " + name + "=", name + " must not be empty");
  }
  for (const std::string command : {"opt", "run", "compile -o x", "show", "report -o x", "ptx"})
    check_refused(command + " \"\"", "FILE must not be empty");
  check_refused("explain op \"\"", "NAME must not be empty");
}

TEST_CASE("weft opt: runs what is left of the pipeline on standard input", "[tool]") {
  const std::string planned = output_of("opt - --target=generic", line_program);
  CHECK(planned.find("module target = \"generic\" stage = \"plan\" arena = ") != std::string::npos);
  CHECK(output_of("opt -", planned) == planned);
}

TEST_CASE("weft opt: the result is exactly the printed program", "[tool]") {
  CHECK(output_of("opt - --passes=dce --target=generic", small_program) ==
        "weft 1\nmodule target = \"generic\" stage = \"dce\"\n" + small_program.substr(7));
}

TEST_CASE("weft opt: stopping and going on gives what running through gives", "[tool]") {
  const std::string step = output_of("opt - --pipeline=step --target=generic", line_program);
  CHECK(step.find("stage = \"training_step\"") != std::string::npos);
  CHECK(output_of("opt -", step) == output_of("opt - --target=generic", line_program));
}

TEST_CASE("weft opt: writes to a file, and what it shows goes to standard error", "[tool]") {
  const TempDir dir;
  const std::string in = dir.write("in.weft", line_program), out = dir / "out.weft";
  const Outcome o = weft_tool("opt " + in + " --target=generic --print-after=fuse --time -o " + out);
  REQUIRE(o.code == 0);
  CHECK(o.out.empty());
  CHECK(o.err.find("# after fuse\nweft 1\nmodule target = \"generic\" stage = \"fuse\"\n") == 0);
  const size_t times = o.err.find("\npass           changed ");  // the last column is as wide as the longest time
  REQUIRE(times != std::string::npos);
  CHECK(o.err.find(" ms\n", times) == o.err.find('\n', times + 1) - 3);
  CHECK(read_file(out) == output_of("opt " + in + " --target=generic"));
  // The delimiter is a comment, so what was shown can be read again, and stays one.
  const std::string shown = o.err.substr(0, o.err.find("\npass "));
  CHECK(output_of("opt -", shown + "\n") == "# after fuse\n" + read_file(out));
}

TEST_CASE("weft opt: --print-after=all shows every pass", "[tool]") {
  const Outcome o = weft_tool("opt - --passes=cse,dce --print-after=all", small_program);
  CHECK(o.err.find("# after cse, which changed nothing\nweft 1\n") == 0);
  CHECK(o.err.find("\n# after dce, which changed nothing\nweft 1\n") != std::string::npos);
}

TEST_CASE("weft opt: disabled passes are left out", "[tool]") {
  const std::string text =
      output_of("opt - --target=generic --disable=recompute,launch,partition,schedule,rematerialize,plan", line_program);
  CHECK(text.find("stage = \"fuse\"") != std::string::npos);
  CHECK(text.find("kernel") == std::string::npos);
}

TEST_CASE("weft opt: --remarks says what was not fused", "[tool]") {
  const std::string program =
      "weft 1 func @f {\n input %x: f32[64,32]\n %0 = sum(%x) {axes = [1]} : f32[64]\n"
      "%1 = sum(%0) {axes = [0]} : f32[]\n output y = %1\n}";
  const Outcome o = weft_tool("opt - --target=generic --remarks -o /dev/null", program);
  CHECK(o.code == 0);
  CHECK(o.err.find("not fused: ") == 0);
  CHECK(o.err.find("does not fit the loops [64,32]") != std::string::npos);
  // Of what is in a loop, too.
  const std::string looped =
      "weft 1 func @f {\n input %h: f32[]\n input %xs: f32[3,64,32]\n"
      "%0 = scan(%h, %xs) {carried = 1, sliced = 1, length = 3} : f32[] {\n input %h: f32[]\n input %x: f32[64,32]\n"
      "%0 = sum(%x) {axes = [1]} : f32[64]\n%1 = sum(%0) {axes = [0]} : f32[]\n%2 = add(%h, %1) : f32[]\n"
      "output %2 aliases %h\n}\n output y = %0\n}";
  const Outcome in_loop = weft_tool("opt - --target=generic --remarks -o /dev/null", looped);
  CHECK(in_loop.code == 0);
  CHECK(in_loop.err.find("does not fit the loops [64,32]") != std::string::npos);
  // Other passes have remarks too, and may run alone.
  for (const std::string pass : {"expand", "partition"}) CHECK(weft_tool("opt - --remarks --passes=" + pass, small_program).code == 0);
  check_refused("opt - --remarks --passes=fuse --disable=fuse", "--remarks: the pass 'fuse' does not run here; none does", small_program);
  check_refused("opt - --passes=cse --remarks", "--remarks: the pass 'fuse' does not run here; these do: cse", small_program);
}

TEST_CASE("weft opt: --list-passes needs no program", "[tool]") {
  const std::string text = output_of("opt --list-passes");
  CHECK(text.find("\nautodiff ") != std::string::npos);
  CHECK(text.find("\nplan ") != std::string::npos);
}

TEST_CASE("weft opt: bad files are refused with line and column", "[tool]") {
  check_refused("opt -", "<standard input>:1:1: expected 'weft' but found the end of the text");
  check_refused("opt -", "<standard input>:3:8: unknown op 'exq'; did you mean 'eq', 'exp', 'elu'?",
                "weft 1 func @f {\n  input %x: f32[4]\n  %0 = exq(%x) : f32[4]\n  output y = %0\n}\n");
  const TempDir dir;
  const std::string file = dir.write("bad.weft", "weft 1\nfunc @f {\n  output y = %x\n}\n");
  check_refused("opt " + file, file + ":3:14: %x is not defined before this use");
  check_refused("opt " + (dir / "none.weft"), (dir / "none.weft") + ": cannot open the file: No such file or directory");
}

TEST_CASE("weft opt: unknown names come with the nearest ones", "[tool]") {
  check_refused("opt - --passes=cse,fuze", "unknown pass 'fuze'; did you mean 'fuse'?", small_program);
  check_refused("opt - --disable=fuze", "unknown pass 'fuze'; did you mean 'fuse'?", small_program);
  check_refused("opt - --print-after=fuze", "unknown pass 'fuze'; did you mean 'fuse'?", small_program);
  check_refused("opt - --pipeline=compil", "unknown pipeline 'compil'; did you mean 'compile'?", small_program);
  check_refused("opt - --target=cpv", "unknown target 'cpv' (known are cpu, cuda, generic); did you mean 'cpu'?", small_program);
}

TEST_CASE("weft opt: what would be ignored is refused", "[tool]") {
  check_refused("opt - --passes=cse --print-after=dce", "--print-after: the pass 'dce' does not run here; these do: cse", small_program);
  check_refused("opt - --passes=cse --pipeline=step", "--passes excludes --pipeline; see weft opt --help", small_program);
  const std::string planned = output_of("opt - --target=generic", small_program);
  check_refused("opt - --target=cpu", "the program was made for the target 'generic', up to the pass 'plan'; it cannot go on for 'cpu'",
                planned);
}

TEST_CASE("weft opt: a result that cannot be written is an error", "[tool]") {
  const Outcome o = weft_tool("opt - --passes=dce -o /no/such/directory/out.weft", small_program);
  CHECK(o.code == 1);
  CHECK(o.err == "weft: error: /no/such/directory/out.weft: cannot write the file: No such file or directory\n");
}

TEST_CASE("weft opt: a user's mistake names the user's line", "[tool]") {
  check_refused("opt -", "only a floating scalar can be differentiated, not f32[4]; reduce it first (sum or mean), at line.cpp:7",
                "weft 1\ntrain {loss = \"l\", inputs = [\"w\"], optimizer = \"sgd\"}\nfunc @f {\n input %w: f32[4] parameter\n"
                " %0 = exp(%w) : f32[4] at \"line.cpp\":7\n output l = %0\n}\n");
}

TEST_CASE("weft run: computes, on every device, and writes .npy files", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program), x = dir / "x.npy";
  write_npy(x, Array::of<float>({2, 3}, std::vector<float>{0, 0, 0, 1, 2, 3}));
  for (const std::string device : {"reference", "cpu"}) {
    INFO(device);
    const std::string out = dir / (device + "/results");
    const std::string text = output_of("run " + file + " --device=" + device + " --input x=" + x + " --output-dir " + out);
    CHECK(text.find("y       f32[2]         " + out + "/y.npy") != std::string::npos);
    const Array y = read_npy(out + "/y.npy");
    REQUIRE(y.shape() == Shape{2});
    CHECK(y.at(0) == 3);
    CHECK(y.at(1) == Approx(30.19287485));
  }
}

TEST_CASE("weft run: parameters and states carry over from step to step", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", out = dir / "out";
  write_npy(x, Array::of<float>({4}, std::vector<float>{1, 2, 3, 6}));
  const std::string step = dir.write("step.weft", output_of("opt - --pipeline=step --target=cpu", line_program));
  for (const std::string device : {"reference", "cpu"}) {
    INFO(device);
    std::string settings;
    // The compiled program no longer reads what plain SGD does not use.
    for (const char* name : {"momentum", "dampening", "weight_decay"})
      if (device == "reference") settings += std::string(" --set sgd.") + name + "=0";
    const std::string text = output_of("run " + step + " --device=" + device + " --zeros --input x=" + x +
                                       " --set sgd.lr=0.5 --steps=4 --output-dir=" + out + settings);
    // The gradient is mean(x) = 3, so w goes down by 1.5 a step.
    CHECK(read_npy(out + "/w.npy").at(0) == -6);
    CHECK(read_npy(out + "/loss.npy").at(0) == -13.5);
    CHECK(read_npy(out + "/sgd.step.npy").values<int64_t>()[0] == 4);
    CHECK(text.find("loss      f32[]  -13.5") != std::string::npos);
  }
}

TEST_CASE("weft run: without a directory the scalars are printed", "[tool]") {
  const std::string text =
      output_of("run - --device=reference", "weft 1 func @f {\n %0 = constant() {value = f32[] 0.1} : f32[]\n output y = %0\n}");
  CHECK(text == "output  type   value  file\ny       f32[]  0.1\n");
}

TEST_CASE("weft run: random numbers follow from the seed and the step", "[tool]") {
  const std::string dropout =
      "weft 1 func @f {\n input %key: i64[2] key\n %0 = random_uniform(%key) {shape = [], site = 1} : f32[]\n output u = %0\n}";
  const auto draw = [&](const std::string& arguments) { return output_of("run - --device=reference " + arguments, dropout); };
  CHECK(draw("--seed=1") == draw("--seed=1"));
  CHECK(draw("--seed=1") != draw("--seed=2"));
  CHECK(draw("--steps=1") != draw("--steps=2"));
  CHECK(draw("") == draw("--seed=0 --steps=1"));
}

TEST_CASE("weft run: all missing inputs are named at once, with their types", "[tool]") {
  const TempDir dir;
  const std::string step = dir.write("step.weft", output_of("opt - --pipeline=step --target=cpu", line_program));
  check_refused("run " + step + " --set sgd.lr=0.1",
                "these inputs are missing:\n  x f32[4] (batch): --input x=FILE.npy\n"
                "  w f32[] (parameter): --input w=FILE.npy, --weights FILE.safetensors or --zeros\n"
                "  sgd.step i64[] (state): --input sgd.step=FILE.npy, --weights FILE.safetensors or --zeros");
  check_refused("run " + step + " --zeros",
                "these inputs are missing:\n  x f32[4] (batch): --input x=FILE.npy\n  sgd.lr f64[] (hyper): --set sgd.lr=NUMBER");
}

TEST_CASE("weft run: parameters come from a file of weights by their names", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("f.weft",
                                     "weft 1 func @f {\n input %x: f32[2]\n input %fc.weight: f32[2] parameter\n"
                                     " %0 = mul(%x, %fc.weight) : f32[2]\n output y = %0\n}");
  const std::string x = dir / "x.npy", weights = dir / "net.safetensors", out = dir / "out";
  write_npy(x, Array::of({2}, std::vector<float>{2, 3}));
  const Array weight = Array::of({2}, std::vector<float>{5, 7}), other = Array::of({1}, std::vector<float>{1});
  write_safetensors(weights, {{"fc.weight", &weight}, {"weft.optimizer0/fc.weight/exp_avg", &other}});
  output_of("run " + file + " --device=reference --input x=" + x + " --weights " + weights + " --output-dir " + out);
  CHECK(read_npy(out + "/y.npy").values<float>()[1] == 21);
  write_npy(dir / "w.npy", other);
  check_refused("run " + file + " --input x=" + x + " --weights " + weights + " --input fc.weight=" + (dir / "w.npy"),
                "'" + (dir / "w.npy") + "' has shape [1], but the input 'fc.weight' is f32[2]");  // --input comes first
  write_safetensors(weights, {{"fc.weight", &other}});
  check_refused("run " + file + " --input x=" + x + " --weights " + weights,
                "'" + weights + "' has shape [1], but the input 'fc.weight' is f32[2]");
  write_safetensors(weights, {{"x", &weight}, {"y", &other}});
  check_refused("run " + file + " --weights " + weights,
                "--weights: '" + weights + "' holds no parameter or state of the program (it holds: x, y)");
}

TEST_CASE("weft run: a name out of a file does not reach the terminal as it is", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("f.weft", "weft 1 func @f {\n input %w: f32[1] parameter\n output y = %w\n}"),
                    weights = dir / "net.safetensors";
  const Array one = Array::of({1}, std::vector<float>{1});
  write_safetensors(weights, {{"\x1b[31mred\x7f", &one}});
  check_refused("run " + file + " --weights " + weights,
                "--weights: '" + weights + "' holds no parameter or state of the program (it holds: \\x1b[31mred\\x7f)");
}

TEST_CASE("weft run: files that do not fit the inputs are refused", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program), x = dir / "x.npy";
  const std::string run = "run " + file + " --device=reference";
  write_npy(x, Array::of<float>({3}, std::vector<float>{0, 1, 2}));
  check_refused(run + " --input x=" + x, "'" + x + "' has shape [3], but the input 'x' is f32[2,3]");
  write_npy(x, Array::of<double>({2, 3}, std::vector<double>{0, 1, 2, 3, 4, 5}));
  check_refused(run + " --input x=" + x,
                "'" + x + "' holds f64, but the input 'x' is f32[2,3]; convert it before saving (numpy.ndarray.astype)");
  const Outcome o = weft_tool(run + " --input x=" + dir.write("bad.npy", "not an array"));
  CHECK(o.code == 1);
  CHECK(o.err.find("weft: error: '" + (dir / "bad.npy") + "', byte 0: ") == 0);
}

TEST_CASE("weft run: unknown names and bad values are refused", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program);
  check_refused("run " + file + " --input xx=a.npy", "--input: the program has no input 'xx'; did you mean 'x'?");
  check_refused("run " + file + " --input x=a.npy --input x=b.npy", "--input: 'x' is given twice");
  check_refused("run " + file + " --input x", "--input: 'x' is not NAME=VALUE");
  check_refused("run " + file + " --set x=1", "--set: 'x' is no hyper-parameter; give it as --input x=FILE.npy");
  check_refused("run " + file + " --set lr=0.1", "--set: the program reads no hyper-parameter 'lr'");
  check_refused("run " + file + " --set lr=fast", "--set lr: 'fast' is not a number");
  check_refused("run " + file + " --device=gpu", "there is no target 'gpu' (there are cpu, cuda, reference); did you mean 'cpu'?");
  check_refused("run " + file + " --steps=0", "--steps must be at least 1, not 0");
  check_refused("run " + file + " --steps=many", "Could not convert: --steps = many; see weft run --help");
}

TEST_CASE("weft run: every device trains what a train block says", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", out = dir / "out";
  write_npy(x, Array::of<float>({4}, std::vector<float>{1, 2, 3, 6}));
  // As recorded, and with the gradients added already.
  for (const std::string& program : {line_program, output_of("opt - --passes=autodiff", line_program)})
    for (const std::string device : {"reference", "cpu"}) {
      INFO(device << "\n" << program);
      output_of("run - --device=" + device + " --zeros --set sgd.lr=0.5 --steps=3 --input x=" + x + " --output-dir=" + out, program);
      // The gradient is mean(x) = 3, so w goes down by 1.5 a step.
      CHECK(read_npy(out + "/w.npy").at(0) == -4.5);
      CHECK(read_npy(out + "/loss.npy").at(0) == -9);
      CHECK(read_npy(out + "/sgd.step.npy").values<int64_t>()[0] == 3);
    }
}

TEST_CASE("weft run: indices are checked against what reads them, whatever the passes make of it", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", y = dir / "y.npy", program = R"(weft 1
func @f {
  input %x: f32[2,3]
  input %y: i64[2] at "net.cpp":3
  %0 = cross_entropy(%x, %y) : f32[] at "net.cpp":4
  output loss = %0
}
)";
  write_npy(x, Array(f32, {2, 3}));
  for (const std::string device : {"reference", "cpu"}) {
    const std::string run = "run - --device=" + device + " --input x=" + x + " --input y=" + y;
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{0, 2}));
    CHECK(output_of(run, program).find("loss    f32[]  1.098612") != std::string::npos);
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{0, 3}));
    check_refused(run, "'" + y + "': the input 'y' (i64[2], net.cpp:3) holds indices below 3, but element 1 is 3", program);
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{-1, 3}));
    check_refused(run, "'" + y + "': the input 'y' (i64[2], net.cpp:3) holds indices below 3, but element 0 is -1", program);
  }
}

TEST_CASE("weft run: no result lands outside the directory", "[tool]") {
  const TempDir dir;
  check_refused("run - --device=reference --output-dir " + dir.path(),
                "the output '../y' has no name that a file could have; run without --output-dir",
                "weft 1 func @f {\n %0 = constant() {value = f32[] 0.5} : f32[]\n output \"../y\" = %0\n}");
}

TEST_CASE("weft ptx: prints the kernels after the passes that are left", "[tool]") {
  const std::string ptx = output_of("ptx -", small_program);
  CHECK(ptx.find("// weft_k00_exp_sum__head: 1 block of 256 threads, net.cpp:5, net.cpp:6 (head)\n") == 0);
  CHECK(ptx.find(".target sm_90") != std::string::npos);
  CHECK(ptx.find(".visible .entry weft_k00_exp_sum__head(") != std::string::npos);
  // A program that has been through them all is taken as it is.
  CHECK(output_of("ptx -", output_of("opt -", small_program)) == ptx);
}

TEST_CASE("weft ptx: for another architecture", "[tool]") {
  CHECK(output_of("ptx --arch=sm_75 -", small_program).find(".target sm_75") != std::string::npos);
  const Outcome old = weft_tool("ptx --arch=sm_60 -", small_program);
  CHECK(old.code == 1);
  CHECK(old.err.find("weft: error: unknown GPU architecture 'sm_60'; known are sm_70, ") == 0);
}

TEST_CASE("weft show: a program as recorded", "[tool]") {
  CHECK(output_of("show -", small_program) == R"(small: as recorded

input  role   type      bytes  source
x      batch  f32[2,3]   24 B  net.cpp:3
batch 24 B (1)

op        result    FLOPs  read  written  source
%exp exp  f32[2,3]      6  24 B     24 B  net.cpp:5
%y sum    f32[2]        6  24 B      8 B  net.cpp:6 (head)
----------------------------------------------------------
2 ops                  12  48 B     32 B

output  type    bytes  replaces
y       f32[2]    8 B
)");
}

TEST_CASE("weft show: fused ops are indented below their kernel, planned values have places", "[tool]") {
  CHECK(output_of("show -", output_of("opt - --target=generic", small_program)) == R"(small: after the pass plan, for the target generic

input  role   type      bytes  source
x      batch  f32[2,3]   24 B  net.cpp:3
batch 24 B (1)

op               result    FLOPs  read  written  place       source
%y fused         f32[2]       12  24 B      8 B  @0          net.cpp:5,6
  %exp exp       f32[2,3]      6                             net.cpp:5
  %head.sum sum  f32[2]        6                             net.cpp:6 (head)
-----------------------------------------------------------------------------
1 op                          12  24 B      8 B  arena 64 B

output  type    bytes  replaces
y       f32[2]    8 B
)");
}

TEST_CASE("weft show: tables fit the width of the terminal", "[tool]") {
  const TempDir dir;
  const std::string name(200, 'n'), path = "src/a/long/path/to/the/sources/of/the/model/" + name + ".cpp";
  const std::string file = dir.write("f.weft", "weft 1 func @f {\n input %x: f32[2,3] at \"" + path +
                                                   "\":3\n %0 = exp(%x) : f32[2,3] at \"" + path + "\":5\n output y = %0\n}");
  const TempDir out;
  for (int columns : {60, 80, 120}) {
    const std::string text = out / std::to_string(columns);
    REQUIRE(std::system(("COLUMNS=" + std::to_string(columns) + " " + program() + " show " + file + " > " + text).c_str()) == 0);
    CHECK(longest_line(read_file(text)) == static_cast<size_t>(columns));
    CHECK(read_file(text).find(".cpp:5\n") != std::string::npos);  // the end of a path says most
  }
}

TEST_CASE("weft show: a plan with holes is refused", "[tool]") {
  check_refused("show -", "the header gives the bytes of an arena, but a result of matmul has no place in it, at <standard input>:3",
                "weft 1 module arena = 64 func @f {\n input %x: f32[2,2]\n %0 = matmul(%x, %x) : f32[2,2]\n output y = %0\n}");
}

TEST_CASE("weft explain op: what the definition says", "[tool]") {
  CHECK(output_of("explain op relu") == R"(relu: max(x, 0); nan stays nan, the derivative at 0 is 0

kind      elementwise: each element of the result from the elements at the same place; fuses
gradient  yes, by a rule of its own
autocast  follows: in the widest type of its operands

operand  takes
x        number
)");
  const std::string softmax = output_of("explain op softmax");
  CHECK(softmax.find("axis       integer  must be given") != std::string::npos);
  CHECK(softmax.find("made of, for example:\n\nfunc @softmax {\n  input %x: f32[4,3]\n") != std::string::npos);
  CHECK(softmax.find(" = exp(") != std::string::npos);
  CHECK(output_of("explain op floor").find("gradient  none: piecewise constant") != std::string::npos);
  const std::string several = "; a function or layer that is several ops is none itself: weft show FILE.weft has those that it records";
  check_refused("explain op ctc_loss",
                "unknown op 'ctc_loss' (weft explain ops lists them); did you mean 'mse_loss', 'nll_loss'?" + several);
  check_refused("explain op sofmax",
                "unknown op 'sofmax' (weft explain ops lists them); did you mean 'softmax', 'adamax', 'argmax'?" + several);
}

TEST_CASE("weft opt, run and compile take --autocast", "[tool]") {
  const std::string text = "weft 1\nfunc @f {\n  input %w: f32[2,2] parameter\n  %0 = matmul(%w, %w) : f32[2,2]\n  output y = %0\n}\n";
  const TempDir dir;
  const std::string file = dir.write("autocast.weft", text);
  CHECK(output_of("opt " + file + " --pipeline=step --autocast bf16").find("matmul(%cast, %cast.1) : bf16[2,2]") != std::string::npos);
  CHECK(output_of("run " + file + " --zeros --autocast bf16").find("y       f32[2,2]") != std::string::npos);
  check_refused("opt " + file + " --autocast f32", "--autocast must be bf16, not f32");
  check_refused(
      "opt " + file + " --passes=dce --autocast bf16",
      "--autocast: the pass 'autocast' does not run here; these do: dce; it comes before all others: give the program as it was recorded");
  check_refused("run " + file + " --zeros --device reference --autocast bf16", "--autocast has no effect with --device reference");
  check_refused("compile " + file + " -o step.weftprog --autocast f64", "--autocast must be bf16, not f64");
}

TEST_CASE("weft explain op: every composite shows what it is made of", "[tool]") {
  std::istringstream lines(output_of("explain ops"));
  int composites = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string op, kind;
    words >> op >> kind;
    if (kind != "composite") continue;
    ++composites;
    INFO(op);
    const std::string text = output_of("explain op " + op);
    CHECK((text.find("made of, for example:\n\nfunc @" + op) != std::string::npos ||
           text.find("made of nothing: its results") != std::string::npos));
  }
  CHECK(composites >= 10);
}

TEST_CASE("weft explain pass, passes and rewrites", "[tool]") {
  const std::string fuse = output_of("explain pass fuse");
  CHECK(fuse.find("fuse: turns the rest into loop nests\n") == 0);
  CHECK(fuse.find("needs     no op is a composite\n") != std::string::npos);
  CHECK(fuse.find("promises  every op is a loop nest, ") != std::string::npos);
  CHECK(fuse.find(" [fuse] recompute launch") != std::string::npos);
  check_refused("explain pass fuze", "unknown pass 'fuze'; did you mean 'fuse'?");
  CHECK(output_of("explain passes").find("\nfuse           yes         turns the rest into loop nests\n") != std::string::npos);
  CHECK(output_of("explain rewrites").find("\nmul         x * 1 = x\n") != std::string::npos);
}
