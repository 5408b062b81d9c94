// `weft opt`: passes on programs in text form.

#include <filesystem>
#include <fstream>

#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/tests/tool/weft_tool.h"

using namespace weft;
using namespace weft::test;

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
