// The program `weft` as its users meet it: arguments in, text, files and exit codes out.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/tests/tool/weft_tool.h"

using namespace weft;
using namespace weft::test;

namespace {

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
    REQUIRE(std::system(("COLUMNS=" + std::to_string(columns) + " " + tool_program() + " show " + file + " > " + text).c_str()) == 0);
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
  CHECK(output_of("explain op scan").find("for example, the sums of the first rows:\n\nfunc @running_sum {\n") != std::string::npos);
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
