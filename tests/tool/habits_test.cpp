// What who works with programs expects of a tool for them: formatting, differences, what each pass does, and small reproducers.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

Ran weft_tool(const std::string& arguments) { return weft::test::run_command(WEFT_TOOL " " + arguments); }

const std::string commented = R"(# what this is
weft 1  # the version
# how it is trained
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
# the function
func @line {
  # what is fed
  input %x: f32[4]
  input %w: f32[] parameter at "a # b.cpp":3  # the weight

  # two lines
  # above an op
  %broadcast = broadcast(%w) {shape = [4]} : f32[4]
  %mul = mul(%broadcast, %x) : f32[4]  # a product
  %loss = mean(%mul) {axes = [0]} : f32[]
  output loss = %loss  # the loss
  # before the end
}
# behind it
)";

/// As weft fmt prints it: without empty lines.
std::string formatted() {
  std::string text = commented;
  text.erase(text.find("\n\n"), 1);
  return text;
}

}  // namespace

TEST_CASE("weft fmt keeps comments with their statements, and what it prints stays as it is") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", commented);
  const Ran ran = weft_tool("fmt " + file);
  CHECK(ran.err == "");
  CHECK(ran.out == formatted());
  CHECK(weft_tool("fmt --check " + file).code == 1);
  CHECK_THAT(weft_tool("fmt --check " + file).err, contains_text("not as weft fmt prints it: " + file));
  CHECK(read_file(file) == commented);
  CHECK(weft_tool("fmt -i " + file).code == 0);
  CHECK(read_file(file) == formatted());
  CHECK(weft_tool("fmt --check " + file).code == 0);
  CHECK(weft_tool("fmt " + file).out == formatted());
  const std::string ragged = dir.write("b.weft",
                                       "weft 1 func @f { input %a: f32[2] # first\n%b = fused(%a) : f32[2] { # body\n input %c: f32[2]\n"
                                       "# inside\n%d = exp(%c) : f32[2] output %d } output y=%b }");
  CHECK(weft_tool("fmt " + ragged).out ==
        "weft 1\nfunc @f {\n  input %a: f32[2]  # first\n  %b = fused(%a) : f32[2] {  # body\n    input %c: f32[2]\n    # inside\n"
        "    %d = exp(%c) : f32[2]\n    output %d\n  }\n  output y = %b\n}\n");
  CHECK_THAT(weft_tool("fmt -i --check " + file).err, contains_text("one of them"));
  CHECK_THAT(weft_tool("fmt -i -").err, contains_text("standard input has no place"));
}

TEST_CASE("an empty list of passes is none, and comments outlive passes with their ops") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", commented);
  CHECK(weft_tool("opt " + file + " --passes=").out == formatted());
  const std::string step = weft_tool("opt " + file + " --passes=autodiff,training_step").out;
  CHECK_THAT(step, contains_text("\n  # two lines\n  # above an op\n  %") && contains_text("# the weight\n") &&
                       contains_text("# a product\n") && contains_text("  output loss = %loss  # the loss\n"));
  CHECK_THAT(step, !contains_text("how it is trained"));  // the train block is gone
}

TEST_CASE("weft opt prints before and after passes, and stops where it is told") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", commented);
  const std::string passes = " --passes=cse,decompose,dce";
  const Ran before = weft_tool("opt " + file + passes + " --print-before=decompose");
  CHECK(before.err.starts_with("# before decompose\nweft 1\nmodule target = \"cpu\" stage = \"cse\"\n"));
  const Ran changed = weft_tool("opt " + file + passes + " --print-after-change");
  CHECK_THAT(changed.err, contains_text("# after decompose\n") && !contains_text("# after cse") && !contains_text("# after dce"));
  CHECK_THAT(weft_tool("opt " + file + passes + " --stop-after=decompose").out, contains_text("stage = \"decompose\""));
  CHECK_THAT(weft_tool("opt " + file + passes + " --stop-after=fuse").err,
             contains_text("--stop-after: the pass 'fuse' does not run here; these do: cse, decompose, dce"));
  CHECK(weft_tool("opt " + file + " --verify-each").out == weft_tool("opt " + file).out);
  const auto times =
      nlohmann::json::parse(read_file((weft_tool("opt " + file + passes + " --timing-json " + (dir / "t.json")), dir / "t.json")));
  REQUIRE(times.size() == 3);
  CHECK(times[1]["pass"] == "decompose");
  CHECK(times[1]["changed"] == true);
  CHECK(times[0]["ops"] == 3);
  CHECK(times[1]["ops"].get<int>() > 3);
  CHECK(times[2]["milliseconds"].get<double>() >= 0);
  CHECK_THAT(weft_tool("opt " + file + passes + " --timing").err, contains_text("pass       changed"));
}

TEST_CASE("a pass that fails leaves a program with which weft opt fails again") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", commented), again = dir / "again.weft";
  const Ran ran = weft_tool("opt " + file + " --passes=cse,fuse,dce --target=generic --reproducer " + again);
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("to see it again: weft opt " + again) && contains_text("the pass 'fuse' needs this to be so"));
  CHECK(
      read_file(again).starts_with("# weft opt --passes=fuse,dce --target=generic\nweft 1\nmodule target = \"generic\" stage = \"cse\"\n"));
  const Ran replayed = weft_tool("opt " + again);
  CHECK(replayed.code == 1);
  CHECK_THAT(replayed.err, contains_text("the pass 'fuse' needs this to be so"));
  const Ran other = weft_tool("opt " + again + " --passes=dce");
  CHECK(other.code == 0);
  CHECK_THAT(other.out, !contains_text("weft opt"));
  CHECK(weft_tool("opt " + file + " --passes=cse --reproducer " + (dir / "none.weft")).code == 0);
  CHECK_FALSE(std::filesystem::exists(dir / "none.weft"));
}

TEST_CASE("weft diff speaks of ops, not of names, comments and places") {
  const TempDir dir;
  const std::string a = dir.write("a.weft", commented);
  std::string renamed = formatted();
  for (const char* name : {"%broadcast", "%mul", "%loss"})
    for (size_t at = 0; (at = renamed.find(name, at)) != std::string::npos; at += 5) renamed.replace(at, 1, "%name");
  CHECK(weft_tool("diff " + a + " " + dir.write("b.weft", renamed)).code == 0);
  std::string other = formatted();
  other.replace(other.find("mul(%broadcast, %x)"), 3, "add");
  other.replace(other.find("input %x: f32[4]"), 0, "input %more: i64[]\n  ");
  const Ran ran = weft_tool("diff " + a + " " + dir.write("c.weft", other));
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, contains_text("+   input %more: i64[] batch\n") && contains_text("-   %mul = mul(%broadcast, %x) : f32[4]\n") &&
                          contains_text("+   %mul = add(%broadcast, %x) : f32[4]\n") && !contains_text("broadcast(%w)"));
  CHECK_THAT(ran.out, contains_text("add       0      1") && contains_text("mul       1      0"));
  CHECK_THAT(ran.err, contains_text("the programs differ: "));
}

TEST_CASE("weft reduce leaves what a command looks for, and little else") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", commented);
  const Ran ran = weft_tool("reduce " + file + " --while 'grep -q mul'");
  CHECK(ran.code == 0);
  CHECK(ran.out ==
        "weft 1\nfunc @line {\n  input %x: f32[1]\n  input %cut0: f32[1]\n  %loss = mul(%cut0, %x) : f32[1]\n  output loss = %loss\n}\n");
  CHECK_THAT(ran.err, contains_text("1 of 3 ops are left"));
  const Ran named = weft_tool("reduce " + file + " --while 'test -s {} && grep -q broadcast {}' -o " + (dir / "small.weft"));
  CHECK(named.code == 0);
  CHECK_THAT(read_file(dir / "small.weft"), contains_text("broadcast(%w) {shape = [1]}") && !contains_text("mean"));
  CHECK_THAT(weft_tool("reduce " + file + " --while 'grep -q tanh'").err, contains_text("fails with the program as it is"));
}

TEST_CASE("fmt, opt and show print names or numbers, and source lines where they are wanted") {
  const TempDir dir;
  const std::string file =
      dir.write("a.weft",
                "weft 1\nfunc @f {\n  input %x: f32[2] at \"a.cpp\":1\n  %mine = exp(%x) : f32[2] at \"a.cpp\":2 \"fc\"\n"
                "  %fc.neg = neg(%mine) : f32[2] at \"a.cpp\":2 \"fc\"\n  output y = %fc.neg\n}\n");
  const std::string named =
      "weft 1\nfunc @f {\n  input %x: f32[2] at 1\n  %mine = exp(%x) : f32[2] at 2\n  %fc.neg = neg(%mine) : f32[2] at 2\n"
      "  output y = %fc.neg\n}\nat 1 = \"a.cpp\":1\nat 2 = \"a.cpp\":2 \"fc\"\n";
  CHECK(weft_tool("fmt --locations=end " + file).out == named);
  CHECK(weft_tool("fmt " + dir.write("named.weft", named)).out == read_file(file));
  const std::string numbers =
      "weft 1\nfunc @f {\n  input %x: f32[2]\n  %0 = exp(%x) : f32[2]\n  %1 = neg(%0) : f32[2]\n  output y = %1\n}\n";
  CHECK(weft_tool("fmt --names=numbers --locations=none " + file).out == numbers);
  CHECK(weft_tool("opt --names=numbers --locations=none --passes= " + file).out == numbers);
  CHECK_THAT(weft_tool("opt --names=numbers --passes=cse --print-after=cse -o /dev/null " + file).err, contains_text("%1 = neg(%0)"));
  CHECK_THAT(weft_tool("show " + file).out, contains_text("%mine exp") && contains_text("%fc.neg neg") && contains_text("a.cpp:2 (fc)"));
  CHECK_THAT(weft_tool("show --names=numbers --locations=none " + file).out,
             contains_text("%0 exp") && contains_text("%1 neg") && !contains_text("a.cpp:2"));
  CHECK_THAT(weft_tool("show --locations=end " + file).out, contains_text("%mine    a.cpp:2 (fc)\n"));
  CHECK(weft_tool("fmt --names=letters " + file).code == 1);
}

TEST_CASE("a train block without an optimizer makes gradients outputs") {
  const TempDir dir;
  const std::string file = dir.write("a.weft",
                                     "weft 1\ntrain {loss = \"loss\", inputs = [\"w\"]}\nfunc @f {\n  input %x: f32[2] parameter\n"
                                     "  input %w: f32[2] parameter\n  %0 = mul(%w, %x) : f32[2]\n  %1 = sum(%0) {axes = [0]} : f32[]\n"
                                     "  output loss = %1\n}\n");
  CHECK_THAT(weft_tool("fmt " + file).out, contains_text("train {loss = \"loss\", inputs = [\"w\"]}\n"));
  CHECK_THAT(weft_tool("opt " + file).out, contains_text("output w.grad = ") && !contains_text("train") && !contains_text("aliases"));
  for (const char* device : {"cpu", "reference"}) {
    const Ran ran = weft_tool("run " + file + " --zeros --device " + device);
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, contains_text("w.grad") && contains_text("loss"));
  }
  CHECK(weft_tool("grad-check " + file).code == 0);
  CHECK(weft_tool("compile " + file + " -o " + (dir / "a.weftprog")).code == 0);
}

TEST_CASE("weft opt --remarks says of the dearest boundaries what they cost, and with --all of all") {
  const TempDir dir;
  std::string text = "weft 1\nfunc @f {\n  input %x: f32[64,64]\n  input %w: f32[64,64]\n  %m0 = matmul(%x, %w) : f32[64,64]\n";
  for (int i = 1; i < 30; ++i) text += fmt::format("  %m{} = matmul(%m{}, %w) : f32[64,64]\n", i, i - 1);
  const std::string file = dir.write("a.weft", text + "  output y = %m29\n}\n");
  const auto lines = [](const std::string& all) { return std::count(all.begin(), all.end(), '\n'); };
  const std::string few = weft_tool("opt " + file + " --target=generic --remarks -o /dev/null").err,
                    all = weft_tool("opt " + file + " --target=generic --remarks --all -o /dev/null").err;
  INFO(few);
  CHECK(lines(few) == 9);
  CHECK(lines(all) == 29);
  CHECK_THAT(few, contains_text("matmul is a call of the target's own; costs 32768 bytes") &&
                      contains_text("\nand 21 boundaries more, which cost 688128 bytes in all: --all shows them\n"));
  CHECK(all.starts_with(few.substr(0, few.find("\nand 21"))));
}
