#include "weft/passes/layout_remarks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "weft/ir/printer.h"
#include "weft/passes/layout.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/blocking.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Its library has more for blocks than for row-major channels.
class QuickBlocking final : public Blocking {
 public:
  Implementation implementation(const ir::Op& op) const override { return {passes::has_layout(op) ? "quick" : "gemm", false}; }
};

/// What the pass says; the graph is the same as without anybody listening.
std::vector<std::string> said_of(const std::string& text) {
  const QuickBlocking target;
  ir::Module m = module_from(text), unheard = module_from(text);
  passes::Remarks remarks;
  CHECK(passes::layout(m, target, &remarks));
  CHECK(passes::layout(unheard, target));
  CHECK(ir::print(m) == ir::print(unheard));
  std::vector<std::string> all;
  for (const passes::Remark& r : remarks.all()) all.push_back(to_string(r));
  return all;
}

bool says(const std::vector<std::string>& all, const std::string& first, const std::string& then, const std::string& last) {
  INFO(fmt::format("{}", fmt::join(all, "\n")));
  for (const std::string& text : all)
    if (text.starts_with(first) && text.find(then) != std::string::npos && text.ends_with(last)) return true;
  UNSCOPED_INFO("none is: " + first + " ... " + then + " ... " + last);
  return false;
}

const std::string convolution = R"(
    input %x: f32[3,4,9]
    input %w: f32[6,4,2] parameter
    input %p: f32[3,6,8]
    input %q: f32[3,8,5]
    input %t: f32[3,8,6]
    %0 = convolution(%x, %w) : f32[3,6,8]
    %1 = relu(%0) : f32[3,6,8]
)";

}  // namespace

TEST_CASE("layout: remarks say what lies otherwise, why, and up to where", "[passes][layout]") {
  const auto all = said_of(convolution + "%2 = sum(%1) {axes = [0,1,2]} : f32[]\n output y = %2");
  CHECK(says(all, "laid out: convolution of f32[3,6,8] at ",
             ": the target wants this: x as aBc2b, w as ABc2b2a, its result as aBc2b; then it has quick for it, row-major gemm",
             "; its result stays so through relu"));
  CHECK(says(all, "reordered: batch x f32[3,4,9] (", ") -> convolution f32[3,3,8,2] (",
             ": convolution wants it as aBc2b, and an input lies row-major; costs 864 bytes"));
  CHECK(says(all, "reordered: parameter w f32[6,4,2] (", ") -> convolution f32[3,3,8,2] (",
             ": convolution wants it as ABc2b2a, and a parameter lies row-major between steps; costs 384 bytes"));
  INFO(fmt::format("{}", fmt::join(all, "\n")));
  // Its lanes would be others.
  CHECK(says(all, "reordered: relu f32[3,6,8] (", ") -> sum f32[] (", ": sum reads it row-major; costs 1152 bytes"));
  CHECK(all.size() == 4);
}

TEST_CASE("layout: remarks say why a value is brought back", "[passes][layout]") {
  const auto back = [](const std::string& rest) { return said_of(convolution + rest); };
  CHECK(says(
      back("%2 = reshape(%1) {shape = [3,48]} : f32[3,48]\n output y = %2"), "reordered: relu f32[3,6,8] (", ") -> reshape f32[3,48] (",
      ": reshape joins or splits axes that are cut, or lie apart; costs 1152 bytes, unless reshape keeps axes that are cut, and joins "
      "what lies side by side"));
  CHECK(says(back("output z = %1"), "reordered: relu of f32[3,6,8] at ", "",
             ": it is an output (z), which lies row-major; costs 1152 bytes"));
  CHECK(says(back("%2 = slice(%1) {start = [0,0,0], end = [3,3,8]} : f32[3,3,8]\n output y = %2"), "reordered: relu f32[3,6,8] (",
             ") -> slice f32[3,3,8] (", ": slice finds elements by their row-major places; costs 1152 bytes"));
  CHECK(says(back("%2 = add(%1, %p) : f32[3,6,8]\n output y = %2"), "reordered: relu f32[3,6,8] (", ") -> add f32[3,6,8] (",
             ": add also reads p, which lies row-major; costs 1152 bytes"));
  CHECK(says(back("%2 = matmul(%1, %q) : f32[3,6,5]\n output y = %2"), "reordered: relu f32[3,6,8] (", ") -> matmul f32[3,6,5] (",
             ": matmul wants it row-major; costs 1152 bytes"));
}

TEST_CASE("layout: remarks say what is reordered for an op beside what lies otherwise", "[passes][layout]") {
  const auto all = said_of(convolution +
                           "%2 = transpose(%t) {permutation = [0,2,1]} : f32[3,6,8]\n %3 = mul(%1, %2) : "
                           "f32[3,6,8]\n %4 = sum(%3) {axes = [0,1,2]} : f32[]\n output y = %4");
  CHECK(says(all, "reordered: transpose f32[3,6,8] (", ") -> mul f32[3,3,8,2] (",
             ": mul also reads what lies as aBc2b, and transpose gives it row-major; costs 1152 bytes"));
}
