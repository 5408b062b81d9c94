// What is given as a program: a directory, nothing, bytes, text of other editors.

#include <cctype>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using weft::test::Ran;
using weft::test::TempDir;

namespace {

Ran tool(const std::string& arguments) {
  const char* given = std::getenv("WEFT_TOOL");
  return test::run_command(std::string(given ? given : WEFT_TOOL) + " " + arguments);
}

const std::vector<std::string>& commands() {
  static const TempDir dir;
  static const std::vector<std::string> all{"opt", "run --zeros", "compile -o " + dir / "out.weftprog", "show", "ptx"};
  return all;
}

void check_refused(const std::string& file, const std::string& why) {
  for (const std::string& command : commands()) {
    const Ran ran = tool(command + " " + file);
    INFO(command << " " << file);
    CHECK(ran.code == 1);
    const bool has_place = std::isdigit(static_cast<unsigned char>(why[0]));  // line:column follows the name at once
    CHECK(ran.err == "weft: error: " + file + (has_place ? ":" : ": ") + why + "\n");
  }
}

void check_accepted(const std::string& file) {
  for (const std::string& command : commands()) {
    const Ran ran = tool(command + " " + file);
    INFO(command << " " << file << "\n" << ran.err);
    CHECK(ran.code == 0);
  }
}

const std::string program =
    "# a comment\nweft 1\nfunc @f {\n  input %x: f32[2] parameter\n  %0 = exp(%x) : f32[2] at \"a.cpp\":3\n  output o = %0\n}\n";

std::string with_line_ends(const std::string& ends) {
  std::string text;
  for (char c : program) text += c == '\n' ? ends : std::string(1, c);
  return text;
}

}  // namespace

TEST_CASE("weft: what is no program is refused by name", "[tool]") {
  const TempDir dir;
  check_refused(dir.path(), "is a directory, not a program in text form");
  check_refused(dir / "absent", "cannot open the file: No such file or directory");
  const std::string expected = "1:1: expected 'weft' but found ";
  check_refused(dir.write("empty", ""), expected + "the end of the text");
  check_refused(dir.write("elf", std::string("\x7f"
                                             "ELF\0\0\0",
                                             7)),
                expected + "a byte 0x7f: is this a program in text form?");
  check_refused(dir.write("zeros", std::string(100, '\0')), expected + "a byte 0x00: is this a program in text form?");
  check_refused(dir.write("utf16", "\xff\xfew\0e\0f\0t\0"), expected + "a byte 0xff: is this a program in text form?");
  check_refused(dir.write("cut", program.substr(0, program.size() - 2)),
                "7:1: expected 'input', 'output', '}' or an op's result (%name) but found the end of the text");
}

TEST_CASE("weft: text is read as editors leave it", "[tool]") {
  const TempDir dir;
  check_accepted(dir.write("plain", program));
  check_accepted(dir.write("crlf", with_line_ends("\r\n")));
  check_accepted(dir.write("cr", with_line_ends("\r")));
  check_accepted(dir.write("bom", "\xef\xbb\xbf" + program));
  check_accepted(dir.write("no_end", program.substr(0, program.size() - 1)));
}

TEST_CASE("weft: an op without a source line is named by its line in the file", "[tool]") {
  const TempDir dir;
  const std::string file =
      dir.write("lie.weft",
                "weft 1\nmodule target = \"cpu\" stage = \"plan\" arena = 64\nfunc @f {\n  input %x: f32[2] parameter\n"
                "  %0 = exp(%x) : f32[2] @0\n  output o = %0\n}\n");
  const Ran ran = tool("run --zeros " + file);
  CHECK(ran.code == 1);
  CHECK(ran.err == "weft: error: exp: it is not lowered: the program has not been through the passes, at " + file + ":5\n");
}
