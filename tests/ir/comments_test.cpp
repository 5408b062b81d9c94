// Comments stay with their statements.

#include "weft/ir/comments.h"
#include "weft/ir/parser.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string formatted(const std::string& text) {
  const ir::Module module = ir::parse(text);
  return ir::print(module, ir::comments_of(text, module));
}

}  // namespace

TEST_CASE("comments inside of a statement, before and behind braces stay where they belong", "[text]") {
  const std::string printed = formatted(R"(weft 1  # of the version
train {loss = "y",  # of training
  # inside of the block
  inputs = ["x"]}
func @f {  # of f
  input %x: f32[4] parameter
  %a = fused(  # a
    # inside of a
    %x) : f32[4] {
    input %p: f32[4]
    output %p  # what it gives
    # before its end
  }  # behind a
  # above b
  %b = exp(%a) : f32[4] at 1  # b
  output y = %b
  # before the end
}  # the end
# behind
at 1 = "a.cpp":3  # a line
# last
)");
  CHECK(printed == R"(weft 1  # of the version
# inside of the block
train {loss = "y", inputs = ["x"]}  # of training
func @f {  # of f
  input %x: f32[4] parameter
  # inside of a
  %a = fused(%x) : f32[4] {  # a behind a
    input %p: f32[4]
    output %p  # what it gives
    # before its end
  }
  # above b
  %b = exp(%a) : f32[4] at "a.cpp":3  # b
  output y = %b
  # before the end
}  # the end
# behind
# last
# a line
)");
  CHECK(formatted(printed) == printed);
}
