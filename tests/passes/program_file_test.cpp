// Tests that are files (tests/programs) say what is wrong with them, and show what differs with their own lines.

#include "weft/tests/programs/runner/program_file.h"

#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;
using namespace weft::testing;

namespace {

const std::string run = "# run: opt --passes=cse --target=generic\n";
const std::string program =
    "weft 1\n"
    "func @test {\n"
    "  input %x: f32[4]\n"
    "  %0 = exp(%x) : f32[4]\n"
    "  %1 = exp(%x) : f32[4]\n"
    "  output a = %0\n"
    "  output b = %1\n"
    "}\n\n";
const std::string becomes =
    "# becomes:\n"
    "# weft 1\n"
    "# module target = \"generic\" stage = \"cse\"\n"
    "# func @test {\n"
    "#   input %x: f32[4]\n"
    "#   %0 = exp(%x) : f32[4]\n"
    "#   output a = %0\n"
    "#   output b = %0\n"
    "# }\n";

std::string with(std::string text, const std::string& what, const std::string& other) {
  REQUIRE(text.find(what) != std::string::npos);
  return text.replace(text.find(what), what.size(), other);
}

std::string checked(const std::string& text) { return check_program_file(text, "a.weft"); }
std::string blessed(const std::string& text) { return blessed_program_file(text, "a.weft"); }

}  // namespace

TEST_CASE("program file: it holds where each run gives the text", "[programs]") {
  CHECK(checked(run + program + becomes) == "");
  CHECK(checked(run + "# run: opt --passes=dce,cse --target=generic\n" + program + becomes) == "");
  CHECK_THAT(checked(run + "# run: opt --passes=cse,dce --target=generic\n" + program + becomes), contains_text("--passes=cse,dce"));
}

TEST_CASE("program file: a difference is shown with the file's lines", "[programs]") {
  CHECK(checked(run + program + with(becomes, "output b = %0", "output b = %x")) ==
        "a.weft:18: `opt --passes=cse --target=generic` gives another text (- expected, + given; WEFT_BLESS=1 takes what is given):\n"
        "   16    %0 = exp(%x) : f32[4]\n"
        "   17    output a = %0\n"
        "-  18    output b = %x\n"
        "+        output b = %0\n"
        "   19  }\n");
}

TEST_CASE("program file: what is to stay must stay, what is to fail must fail with this error", "[programs]") {
  CHECK(checked(with(run, "cse", "dce") + program + "# stays\n") == "");
  CHECK_THAT(checked(run + program + "# stays\n"),
             contains_text("a.weft:11: `opt --passes=cse --target=generic` changes what is to stay:"));
  const std::string bad = with(program, "exp(%x)", "expo(%x)");
  const std::string error = "# fails:\n# a.weft:5:8: unknown op 'expo'; did you mean 'exp', 'exp2', 'expm1'?\n";
  CHECK(checked(run + bad + error) == "");
  CHECK_THAT(checked(run + bad + with(error, "expo", "expa")), contains_text("-  12  a.weft:5:8: unknown op 'expa'"));
  CHECK_THAT(checked(run + bad + becomes), contains_text("a.weft:12: `opt --passes=cse --target=generic` fails:\na.weft:5:8: unknown op"));
  CHECK_THAT(checked(run + program + error), contains_text("a.weft:12: `opt --passes=cse --target=generic` does not fail:\nweft 1"));
}

TEST_CASE("program file: blessing writes what comes, and nothing else", "[programs]") {
  CHECK(blessed(run + program) == run + program + becomes);
  CHECK(blessed(run + program + with(becomes, "exp", "sin")) == run + program + becomes);
  CHECK(blessed(run + program + "# becomes:\n") == run + program + becomes);
  CHECK(blessed(with(run, "cse", "dce") + program) == with(run, "cse", "dce") + program + "# stays\n");
  const std::string bad = with(program, "exp(%x)", "expo(%x)");
  CHECK(checked(blessed(run + bad)) == "");
  // A claim that no longer holds at all is the writer's to change.
  CHECK(blessed(run + program + "# stays\n") == run + program + "# stays\n");
  CHECK_THROWS_WITH(blessed(run + bad + becomes), contains_text("fails:\n"));
  CHECK_THROWS_WITH(blessed(run + program + "# fails:\n# no\n"), contains_text("does not fail:\n"));
  CHECK_THROWS_WITH(blessed(run + "# run: opt --passes=dce --target=generic\n" + program), contains_text("give unequal texts"));
}

TEST_CASE("program file: a file that lacks something is refused", "[programs]") {
  CHECK_THROWS_WITH(checked(program + becomes), contains_text("a.weft:1: no line says what runs: '# run: opt "));
  CHECK_THROWS_WITH(checked(run + program), contains_text("a.weft:10: no line says what is expected: "));
  CHECK_THROWS_WITH(checked(run + program + "# becomes:\n"), contains_text("the expected text is missing"));
  CHECK_THROWS_WITH(checked(program + run + becomes), contains_text("a.weft:10: a line '# run:' must stand above the program"));
  CHECK_THROWS_WITH(checked(run + program + becomes + "# stays\n"), contains_text("a.weft:20: there is an expectation above already"));
  CHECK_THROWS_WITH(checked(run + program + "# stays\n# weft 1\n"), contains_text("a.weft:12: nothing may stand below '# stays'"));
  CHECK_THROWS_WITH(checked(run + program + "# becomes:\nweft 1\n"),
                    contains_text("a.weft:12: below '# becomes:' and '# fails:' every line"));
}

TEST_CASE("program file: a run that there is not is refused", "[programs]") {
  const auto refused = [](const std::string& command, const std::string& why) {
    INFO(command);
    CHECK_THROWS_WITH(checked("# run: " + command + "\n" + program + becomes), contains_text(why));
  };
  refused("run --passes=cse --target=generic", "the command must be opt");
  refused("opt --passes=cse --target=generic --time", "'--time' is none of --passes=A,B --pipeline=NAME --disable=A,B --target=generic");
  refused("opt --passes=cse", "must say --target=generic, which answers the same on every machine");
  refused("opt --passes=cse --target=cpu", "'--target=cpu' is none of");
  refused("opt --passes=csee --target=generic", "unknown pass 'csee'; did you mean 'cse'");
  refused("opt --passes=cse --disable=csee --target=generic", "unknown pass 'csee'");
  refused("opt --pipeline=compil --target=generic", "unknown pipeline 'compil'");
  refused("opt --target=generic", "must give either --passes=A,B or --pipeline=NAME");
  refused("opt --passes=cse --passes=dce --target=generic", "gives --passes twice");
}
