// Numbers in a text that no memory holds, and that a library would count up to, take no time and name their line.

#include <fmt/format.h>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::TempDir;

namespace {

Ran weft_tool(const std::string& arguments) { return weft::test::run_command(WEFT_TOOL " " + arguments); }

std::string text_of(const std::string& a, const std::string& b, const std::string& op, const std::string& result) {
  return fmt::format("weft 1\nfunc @f {{\n  input %a: {} parameter\n  input %b: {} parameter\n  %r = {} : {}\n  output r = %r\n}}\n", a, b,
                     op, result);
}

}  // namespace

TEST_CASE("weft run: an input that no memory holds is named with its line, and one that is missing takes none", "[tool]") {
  const TempDir dir;
  const std::string large = dir.write("large.weft",
                                      "weft 1\nfunc @f {\n  input %w: f32[1099511627776,4] parameter at \"net.cpp\":7\n"
                                      "  %s = sum(%w) {axes = [0,1]} : f32[]\n  output s = %s\n}\n");
  const Ran zeros = weft_tool("run --zeros " + large);
  CHECK(zeros.code == 1);
  CHECK_THAT(zeros.err, contains_text("the input 'w': an array f32[1099511627776,4] needs 17592186044416 bytes") &&
                            contains_text("at net.cpp:7") && !contains_text("stl_construct"));
  const Ran missing = weft_tool("run " + large);
  CHECK_THAT(missing.err, contains_text("these inputs are missing:") && contains_text("w f32[1099511627776,4]"));
}

TEST_CASE("weft: strides, dilations and padding as large as a number gets are no work", "[tool]") {
  const TempDir dir;
  for (const std::string type : {"f32", "bf16"})
    for (const std::string& text :
         {text_of(type + "[2,3,56]", type + "[2,64,1]", "convolution_weight(%a, %b) {extents = [5], stride = [268435456]}",
                  type + "[64,3,5]"),
          text_of(type + "[2,8,54,1]", type + "[8,1,3,2]", "convolution_data(%a, %b) {extents = [56,8], stride = [1,16777216], groups = 8}",
                  type + "[2,8,56,8]"),
          text_of(type + "[5,16,32,8]", type + "[16,16,3,3]",
                  "convolution(%a, %b) {low = [1,1000000000], high = [1,1000000000], dilation = [1,1000000000]}", type + "[5,16,32,8]"),
          text_of(type + "[5,16,32,8]", type + "[5,16,32,8]",
                  "convolution_weight(%a, %b) {extents = [3,3], low = [1,1000000000], high = [1,1000000000], dilation = [1,1000000000]}",
                  type + "[16,16,3,3]"),
          text_of(type + "[1,4,8,8]", type + "[4,4,1,1]", "convolution(%a, %b) {dilation = [1073741824,1073741824]}",
                  type + "[1,4,8,8]")}) {
      INFO(text);
      const std::string file = dir.write("conv.weft", text);
      const Ran ran = weft::test::run_command("timeout 20 " WEFT_TOOL " run --zeros " + file);
      CHECK(ran.code == 0);
      CHECK(ran.err.empty());
    }
  // oneDNN divides by 0 where a matrix has more rows than an int counts.
  const std::string rows = dir.write("rows.weft", text_of("f32[1099511627776,3]", "f32[3,4]", "matmul(%a, %b)", "f32[1099511627776,4]"));
  CHECK(weft_tool("opt -o /dev/null " + rows).code == 0);
}
