// What no program, command line or file means is refused where it stands, and what has been asked for in vain is said.

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "weft/support/utf8.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

Ran weft_tool(const std::string& arguments) { return weft::test::run_command(WEFT_TOOL " " + arguments); }

std::string program(const std::string& header, const std::string& statements) {
  return "weft 1\n" + header + "func @f {\n  input %x: f32[4]\n  input %w: f32[4] parameter\n" + statements + "}\n";
}

const std::string trained = program("train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\", momentum = true}\n",
                                    "  %mul = mul(%w, %x) : f32[4]\n  %loss = mean(%mul) {axes = [0]} : f32[]\n  output loss = %loss\n");

}  // namespace

TEST_CASE("weft: headers, places and updates that mean nothing are refused where they stand", "[tool]") {
  const TempDir dir;
  const std::string exp = "  %exp = exp(%x) : f32[4]\n", out = "  output y = %exp\n";
  const std::pair<std::string, std::string> refused[] = {
      {program("module target = \"cpu\" stage = \"fuze\"\n", exp + out), "2:31: unknown stage 'fuze' in the header; did you mean 'fuse'?"},
      {program("module target = \"cpy\"\n", exp + out), "2:17: unknown target 'cpy' in the header; did you mean 'cpu'?"},
      {program("", "  %exp = exp(%x) : f32[4] @64\n" + out), "5:28: a place in the arena, but the header says nothing of an arena"},
      {program("module arena = 64\n", "  %exp = exp(%x) : f32[4] @-64\n" + out), "6:28: a place in the arena is not negative"},
      {program("", exp + "  output y = %exp aliases %x\n"),
       "6:27: only a parameter or a state is replaced by an output, but 'x' is a batch"},
      {program("", "  %\"\" = exp(%x) : f32[4]\n  output y = %\"\"\n"), "5:3: a result's name is not empty"}};
  for (const auto& [text, why] : refused) {
    const std::string file = dir.write("a.weft", text);
    for (const char* command : {"fmt ", "opt ", "show ", "run --zeros "}) {
      INFO(command << why);
      const Ran ran = weft_tool(command + file);
      CHECK(ran.code == 1);
      CHECK(ran.err == "weft: error: " + file + ":" + why + "\n");
    }
  }
  for (const std::string& accepted :
       {program("module target = \"cpu\" stage = \"simplify\"\n", exp + out), program("", exp + "  output w = %exp aliases %w\n")})
    CHECK(weft_tool("opt " + dir.write("b.weft", accepted)).code == 0);
}

TEST_CASE("weft: no byte of a name moves the terminal's cursor", "[tool]") {
  const TempDir dir;
  const std::string text = program("", "  %exp = exp(%x) : f32[4] at \"n\x1b[31m.cpp\":3 \"fc\x07\"\n  output \"a\x1b[2Jb\" = %exp\n");
  const std::string file = dir.write("a.weft", text);
  for (const char* command : {"fmt ", "opt ", "show ", "opt --time --remarks ", "show --names=numbers "}) {
    INFO(command);
    const Ran ran = weft_tool(command + file);
    CHECK(ran.code == 0);
    CHECK((ran.out + ran.err).find_first_of("\x1b\x07") == std::string::npos);
  }
  const std::string printed = weft_tool("fmt " + file).out;
  CHECK_THAT(printed, contains_text("output \"a\\x1b[2Jb\" = "));
  CHECK(weft_tool("fmt " + dir.write("again.weft", printed)).out == printed);
}

TEST_CASE("weft opt: a first line that says how a reproducer runs is said, and refused where it says something else", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", "# weft opt --passes=dce --target=generic\n" + trained);
  const Ran ran = weft_tool("opt " + file);
  CHECK(ran.code == 0);
  CHECK(ran.err == "weft: the first line of " + file + " says how it runs: weft opt --passes=dce --target=generic\n");
  CHECK_THAT(ran.out, contains_text("stage = \"dce\""));
  const std::string other = dir.write("b.weft", "# weft opt --pases=dce\n" + trained);
  CHECK_THAT(weft_tool("opt " + other).err, contains_text(other + ":1:12: ") && contains_text("'--pases=dce' is no word of one"));
  CHECK(weft_tool("opt " + dir.write("c.weft", "# weft optimizes this\n" + trained)).err == "");
}

TEST_CASE("weft opt: what fails under --autocast fails again as it was written down", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", trained), again = dir / "again.weft";
  CHECK(weft_tool("opt " + file + " --autocast bf16 --passes=autocast,fuse,dce --target=generic --reproducer " + again).code == 1);
  CHECK_THAT(read_file(again), contains_text("# weft opt --passes=fuse,dce --target=generic --autocast=bf16\n"));
  CHECK_THAT(weft_tool("opt " + again).err, contains_text("the pass 'fuse' needs this to be so"));
}

TEST_CASE("weft opt: passes behind a training step that is left out are refused", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", trained);
  CHECK_THAT(weft_tool("opt " + file + " --disable training_step").err,
             contains_text("--disable: without training_step the train block stays, and the pass 'decompose' behind it would not see it; "
                           "stop before: --stop-after=autodiff"));
  CHECK(weft_tool("opt " + file + " --pipeline=step --disable training_step").code == 0);
}

TEST_CASE("weft opt: standard output has one text", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", trained);
  CHECK_THAT(weft_tool("opt " + file + " --timing-json - --remarks-json -").err, contains_text("cannot both go to standard output"));
  const Ran json = weft_tool("opt " + file + " --timing-json -");
  CHECK(json.out.starts_with("["));
  CHECK_THAT(json.out, !contains_text("weft 1"));
  CHECK(weft_tool("opt " + file + " --timing-json - -o " + (dir / "planned.weft")).out.starts_with("["));
  CHECK(read_file(dir / "planned.weft").starts_with("weft 1\n"));
}

TEST_CASE("weft reduce, machine and grad-check: what cannot be is said before anything runs", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", trained);
  const Ran tmp = weft::test::run_command("TMPDIR=/nowhere " WEFT_TOOL " reduce " + file + " --while true");
  CHECK(tmp.code == 1);
  CHECK_THAT(tmp.err, contains_text("weft: error: there is no folder for temporary files: ") && contains_text("set TMPDIR to one"));
  const std::string marks = dir / "marks";
  const Ran lost = weft_tool("reduce " + file + " --while 'echo >> " + marks + "; true' -o /nowhere/small.weft");
  CHECK_THAT(lost.err, contains_text("/nowhere/small.weft: cannot write the file: No such file or directory"));
  CHECK_FALSE(std::filesystem::exists(marks));
  CHECK_THAT(weft_tool("reduce " + file + " --while true --attempts 1").err,
             contains_text("all of 1 attempts are used up: more (--attempts) may leave less"));
  CHECK_THAT(weft_tool("reduce " + file + " --while true").err, !contains_text("used up"));
  const Ran machine = weft_tool("machine --cache " + file + "/folder");
  CHECK_THAT(machine.err, contains_text("cannot make the folder") && !contains_text("measuring"));
  for (const char* wrong : {"nan", "-1"})
    CHECK_THAT(weft_tool("grad-check " + file + " --tolerance=" + wrong).err, contains_text("--tolerance must not be negative, nor nan"));
}

TEST_CASE("weft run: what is not finite is said though its reproducer cannot be written, which never lands elsewhere", "[tool]") {
  const TempDir dir;
  const std::string statements = "  %log = log(%w) : f32[4]\n  %mul = mul(%log, %w) : f32[4]\n  output y = %mul\n";
  const std::string text = "weft 1\nfunc @\"../out\" {\n  input %w: f32[4] parameter\n" + statements + "}\n";
  const std::string file = dir.write("a.weft", text);
  const Ran ran = weft_tool("run --zeros --check-finite " + file + " --reproducer " + file + "/r");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("element [0] is -inf: the result of log") &&
                          contains_text("there is no reproducer: '" + file + "/r': cannot make"));
  std::filesystem::create_directories(dir / "in");
  const Ran piped = weft::test::run_command("cd " + (dir / "in") + " && " WEFT_TOOL " run --zeros --check-finite - < " + file);
  CHECK_THAT(piped.err, contains_text("to replay it: weft run .._out.not_finite --check-finite"));
  CHECK(std::filesystem::exists(dir / "in/.._out.not_finite/program.weft"));
  CHECK_FALSE(std::filesystem::exists(dir / "out.not_finite"));
  const std::string bytes = dir.write("b.weft",
                                      "weft 1\nfunc @f {\n  input %\"w\xff\": f32[4] parameter\n  %log = log(%\"w\xff\") : f32[4]\n"
                                      "  %mul = mul(%log, %\"w\xff\") : f32[4]\n  output y = %mul\n}\n");
  CHECK_THAT(
      weft_tool("run --zeros --check-finite " + bytes + " --reproducer " + (dir / "r")).err,
      contains_text("element [0] is -inf: the result of log") && contains_text("there is no reproducer: ") && contains_text("not UTF-8"));
}

TEST_CASE("weft: a name that is not UTF-8 is refused by what cannot hold it, and shown by what can", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft",
                                     "weft 1\nfunc @f {\n  input %w: f32[4] parameter at \"n\xff.cpp\":3 \"l\xfe\"\n"
                                     "  %exp = exp(%w) : f32[4] at \"n\xff.cpp\":3 \"l\xfe\"\n  output \"y\xff\" = %exp\n}\n");
  for (const std::string& command :
       {std::string("show --json "), std::string("show --model-explorer "), std::string("show "), std::string("run --zeros --json "),
        std::string("opt --timing-json - --target=cpu "), std::string("opt --remarks-json - "),
        "run --zeros --trace " + (dir / "t.json") + " ", "report -o " + (dir / "p.html") + " "}) {
    INFO(command);
    const Ran ran = weft_tool(command + file);
    INFO(ran.err);
    CHECK(ran.code == 0);
    const auto has = [&](const char* option) { return command.find(option) != std::string::npos; };
    if (has("--json ") || has("-json - ") || has("--model-explorer ")) CHECK_NOTHROW(nlohmann::json::parse(ran.out));
  }
  CHECK_NOTHROW(nlohmann::json::parse(read_file(dir / "t.json")));
  CHECK_FALSE(weft::first_byte_outside_utf8(read_file(dir / "p.html")));
  const Ran dot = weft_tool("show --dot " + file), onnx = weft_tool("show --onnx " + (dir / "a.onnx") + " " + file);
  CHECK_FALSE(weft::first_byte_outside_utf8(dot.out));
  CHECK_THAT(dot.out, contains_text("y\\\\xff"));
  CHECK(onnx.code == 0);
  CHECK_THAT(read_file(dir / "a.onnx"), contains_text("y\\xff") && !contains_text("y\xff"));
  const Ran ran = weft_tool("compile " + file + " -o " + (dir / "p.weftprog"));
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("weft: error: 'n\\xff.cpp:3 (l\\xfe)' is not UTF-8, as names and texts in a file must be"));
  CHECK_THAT(weft_tool("opt --remarks --all -o /dev/null " + file).err, !contains_text("\xff"));
}

TEST_CASE("weft run: a checkpoint with a name that is not UTF-8 is refused where that stands, and a program's is shown", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft",
                                     "weft 1\nfunc @f {\n  input %\"w\xff\": f32[1] parameter\n  %exp = exp(%\"w\xff\") : f32[1]\n"
                                     "  output y = %exp\n}\n");
  const auto weights = [&](const std::string& name) {
    std::string header = "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    return dir.write("w.safetensors",
                     std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + std::string(4, '\0'));
  };
  const Ran bad = weft_tool("run " + file + " --weights " + weights("w\xff"));
  CHECK(bad.code == 1);
  CHECK_THAT(bad.err, contains_text("w.safetensors', byte 11: a name or a text in the header is not UTF-8, as it must be: byte 0xff"));
  CHECK_THAT(weft_tool("run " + file + " --weights " + weights("w")).err,
             contains_text("holds no parameter or state of the program (it holds: w)"));
  const Ran missing = weft_tool("run " + file);
  CHECK_THAT(missing.err, contains_text("w\\xff f32[1] (parameter): --input w\\xff=FILE.npy") && !contains_text("\xff"));
}

TEST_CASE("weft run: checks that pass say how much they have looked at", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", program("", "  %exp = exp(%w) : f32[4]\n  output y = %exp\n  output z = %x\n"));
  const std::string inputs = " --zeros --steps 2 --input x=" + (dir / "x.npy");
  std::ofstream(dir / "x.npy", std::ios::binary)
      << std::string("\x93NUMPY\x01\x00\x46\x00", 10) << "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }            \n"
      << std::string(16, '\0');
  const Ran finite = weft_tool("run " + file + inputs + " --check-finite");
  INFO(finite.err);
  CHECK(finite.code == 0);
  CHECK_THAT(finite.err,
             contains_text(" elements that ") && contains_text(" calls gave in 2 steps were checked: none is made nan or infinite"));
  CHECK_THAT(weft_tool("run " + file + inputs + " --verify reference").err, contains_text("were checked: all agree with the reference"));
  CHECK(weft_tool("run " + file + inputs).err == "");
  const Ran traced = weft_tool("run " + file + inputs + " --trace " + (dir / "t.json"));
  CHECK(traced.code == 0);
  CHECK_THAT(read_file(dir / "t.json"), contains_text("\"traceEvents\"") && contains_text("\"step 1\""));
  CHECK_THAT(weft_tool("run " + file + inputs + " --profile").out, contains_text("calls  source line\n") && contains_text("calls  op\n"));
}

TEST_CASE("weft diff: what reads another value is one line, an output without a name is its value, and no program is too long", "[tool]") {
  const TempDir dir;
  const auto with = [&](const std::string& name, const std::string& op) {
    return dir.write(name,
                     program("", "  %a = " + op + "(%x) : f32[4]\n  %b = mul(%a, %w) : f32[4]\n  %c = neg(%b) : f32[4]\n  output %c\n"));
  };
  const Ran ran = weft_tool("diff " + with("a.weft", "exp") + " " + with("b.weft", "tanh"));
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, contains_text(
                          "-   %a = exp(%x) : f32[4]\n+   %a = tanh(%x) : f32[4]\n~   %b = mul(%a, %w) : f32[4]\n  was %b = mul(%a, %w)") &&
                          !contains_text("neg(%b)"));
  CHECK_THAT(ran.err, contains_text("the programs differ: 1 line is gone, 1 line has come, 1 line reads something else"));
  const std::string c = dir.write("c.weft", program("", "  %n = neg(%x) : f32[4]\n  output %n\n"));
  const std::string d = dir.write("d.weft", program("", "  %n = neg(%x) : f32[4]\n  output %x\n"));
  CHECK_THAT(weft_tool("diff " + c + " " + d).out, contains_text("~   output %x f32[4]\n  was output %n f32[4]\n"));
  const auto chain = [&](const std::string& name, const char* last) {
    std::string body = "  %v0 = neg(%x) : f32[4]\n";
    for (int i = 1; i < 12000; ++i)
      body += fmt::format("  %v{} = {}(%v{}) : f32[4] at \"{}.cpp\":{}\n", i, i % 2 ? "exp" : i % 500 ? "neg" : last, i - 1, last, i);
    return dir.write(name, program("", body + "  output y = %v11999\n"));
  };
  const Ran large = weft_tool("diff " + chain("e.weft", "tanh") + " " + chain("f.weft", "sin"));
  CHECK(large.code == 1);
  CHECK_THAT(large.err, contains_text("the programs differ: 23 lines are gone, 23 lines have come, 23 lines read something else"));
}

TEST_CASE("weft show counts what composite ops are made of, and explain op says all of a sentence", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", program("", "  %s = softmax(%x) {axis = 0} : f32[4]\n  output y = %s\n"));
  const std::string shown = weft_tool("show " + file).out;
  INFO(shown);
  CHECK_THAT(shown.substr(shown.find("softmax")), !contains_text("softmax  f32[4]       -"));
  const std::string explained = weft_tool("explain op convolution").out;
  CHECK_THAT(explained, !contains_text("...\n"));
  // Of a loop also how its body says what is carried, by an example that can be run.
  const std::string scan = weft_tool("explain op scan").out;
  CHECK_THAT(scan, contains_text("`output %next aliases %h`") && contains_text("    output %next aliases %sum"));
  const std::string example = dir.write("scan.weft", "weft 1\n" + scan.substr(std::min(scan.find("func @"), scan.size())));
  CHECK(weft_tool("show " + example).code == 0);
}

TEST_CASE("weft report: the stages that a program has dumped are a page", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft", trained), folder = dir / "ir", page = dir / "page.html";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(file, folder + "/00-recorded.weft");
  CHECK(weft_tool("opt " + file + " --stop-after=autodiff -o " + folder + "/02-autodiff.weft").code == 0);
  CHECK(weft_tool("opt " + file + " -o " + folder + "/23-plan.weft").code == 0);
  const Ran ran = weft_tool("report " + folder + " -o " + page);
  INFO(ran.err);
  CHECK(ran.code == 0);
  const std::string html = read_file(page);
  CHECK_THAT(html, contains_text("\"recorded\"") && contains_text("\"autodiff\"") && contains_text("\"plan\""));
  CHECK_THAT(weft_tool("report " + dir.path() + " -o " + page).err,
             contains_text("is a folder without the stages of a program, 00-recorded.weft and so on; it holds these folders: ir"));
}

TEST_CASE("weft opt goes on from any stage with the same bytes, where gradients are kept too", "[tool]") {
  const TempDir dir;
  for (const char* optimizer : {"sgd", "adam"}) {
    const std::string text = fmt::format(
        "weft 1\ntrain {{loss = \"loss\", inputs = [\"w\", \"b\"], optimizer = \"{}\", keep = [\"w.grad\", \"b.grad\"]}}\nfunc @f {{\n"
        "  input %x: f32[11]\n  input %t: f32[11]\n  input %w: f32[] parameter at \"t.cpp\":3\n  input %b: f32[] parameter at \"t.cpp\":4\n"
        "  %wide = broadcast(%w) {{shape = [11]}} : f32[11] at \"t.cpp\":5\n  %mul = mul(%wide, %x) : f32[11] at \"t.cpp\":5\n"
        "  %wide_b = broadcast(%b) {{shape = [11]}} : f32[11] at \"t.cpp\":5\n  %add = add(%mul, %wide_b) : f32[11] at \"t.cpp\":5\n"
        "  %sub = sub(%add, %t) : f32[11] at \"t.cpp\":6\n  %square = mul(%sub, %sub) : f32[11] at \"t.cpp\":6\n"
        "  %loss = mean(%square) {{axes = [0]}} : f32[] at \"t.cpp\":6\n  output loss = %loss\n}}\n",
        optimizer);
    const std::string file = dir.write("a.weft", text), whole = weft_tool("opt " + file).out;
    CHECK_THAT(whole, contains_text("w.grad"));
    for (const char* stage : {"autodiff", "training_step", "decompose", "simplify", "updates", "fuse", "launch", "partition", "schedule"}) {
      INFO(optimizer << " from " << stage);
      const std::string part = dir / "part.weft";
      CHECK(weft_tool("opt " + file + " --stop-after=" + stage + " -o " + part).code == 0);
      CHECK(weft_tool("opt " + part).out == whole);
    }
  }
}
