#include "weft/passes/analysis/loop_nest.h"

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;
using passes::LoopNest;

namespace {

/// The nest of all ops of the text, its outputs the results; in_place as "output aliases input".
std::optional<LoopNest> analyze(const std::string& text, passes::NoNest* why = nullptr) {
  const ir::Module m = module_from(text);
  passes::NestRegion region = passes::region_of(m.graph());
  for (size_t i = 0; i < region.outputs.size(); ++i)
    if (const auto alias = m.graph().outputs()[i].alias) region.in_place.emplace_back(static_cast<int>(i), m.graph().input(*alias));
  auto nest = passes::analyze(region, why);
  // The map from ops to stages would dangle once the module is gone.
  if (nest) nest->reduction_stage.clear();
  return nest;
}

std::string reason(const std::string& text) {
  passes::NoNest no;
  REQUIRE_FALSE(analyze(text, &no));
  return no.why;
}

/// Loops as text, reduced ones in parentheses: "64 (10)".
std::string loops(const std::string& text) {
  passes::NoNest no;
  const auto nest = analyze(text, &no);
  INFO(no.why);
  REQUIRE(nest);
  std::string all;
  for (size_t i = 0; i < nest->extents.size(); ++i) {
    const std::string extent = std::to_string(nest->extents[i]);
    all += (i ? " " : "") + (nest->reduced[i] ? "(" + extent + ")" : extent);
  }
  return all;
}

int stages(const std::string& text) {
  passes::NoNest no;
  const auto nest = analyze(text, &no);
  INFO(no.why);
  REQUIRE(nest);
  return nest->stages;
}

const std::string softmax = R"(
    input %x: f32[64,10]
    %m = max(%x) {axes = [1], keep_dims = true} : f32[64,1]
    %mb = broadcast(%m) {shape = [64,10]} : f32[64,10]
    %d = sub(%x, %mb) : f32[64,10]
    %e = exp(%d) : f32[64,10]
    %s = sum(%e) {axes = [1], keep_dims = true} : f32[64,1]
    %sb = broadcast(%s) {shape = [64,10]} : f32[64,10]
    %y = div(%e, %sb) : f32[64,10]
)";

}  // namespace

TEST_CASE("loop_nest: elementwise ops loop over their shape, axes of extent 1 are no loops", "[passes][loop_nest]") {
  CHECK(loops("input %x: f32[2,1,3]\n %0 = exp(%x) : f32[2,1,3]\n output y = %0") == "2 3");
  CHECK(loops("input %x: f32[]\n %0 = exp(%x) : f32[]\n output y = %0").empty());
  CHECK(stages("input %x: f32[2,3]\n %0 = exp(%x) : f32[2,3]\n output y = %0") == 1);
}

TEST_CASE("loop_nest: an empty value makes an empty loop", "[passes][loop_nest]") {
  CHECK(loops("input %x: f32[0,3]\n %0 = exp(%x) : f32[0,3]\n output y = %0") == "0 3");
  CHECK(loops("input %x: f32[3,0]\n %0 = sum(%x) {axes = [1]} : f32[3]\n output y = %0") == "3 (0)");
}

TEST_CASE("loop_nest: reductions along rows, columns and everything", "[passes][loop_nest]") {
  const std::string x = "input %x: f32[4,5,6]\n %e = exp(%x) : f32[4,5,6]\n";
  CHECK(loops(x + "%0 = sum(%e) {axes = [2]} : f32[4,5]\n output y = %0") == "4 5 (6)");
  CHECK(loops(x + "%0 = sum(%e) {axes = [0]} : f32[5,6]\n output y = %0") == "(4) 5 6");
  CHECK(loops(x + "%0 = sum(%e) {axes = [0,2]} : f32[5]\n output y = %0") == "(4) 5 (6)");
  CHECK(loops(x + "%0 = sum(%e) {axes = [0,1,2]} : f32[]\n output y = %0") == "(4) (5) (6)");
}

TEST_CASE("loop_nest: a reduction and what it reads may both be results", "[passes][loop_nest]") {
  CHECK(stages("input %x: f32[4,5]\n %e = exp(%x) : f32[4,5]\n %0 = sum(%e) {axes = [1]} : f32[4]\n output e = %e\n output y = %0") == 1);
}

TEST_CASE("loop_nest: what a reduction is broadcast back into is a further sweep", "[passes][loop_nest]") {
  CHECK(loops(softmax + "output y = %y") == "64 (10)");
  CHECK(stages(softmax + "output y = %y") == 3);
  CHECK(stages(softmax + "output s = %s") == 2);
}

TEST_CASE("loop_nest: an output of the kept loops is written after the last sweep", "[passes][loop_nest]") {
  const auto nest = analyze(softmax + "%l = log(%s) : f32[64,1]\n output l = %l\n output e = %e");
  REQUIRE(nest);
  CHECK(nest->output_stage == std::vector<int>{2, 1});
}

TEST_CASE("loop_nest: movements cost no loops", "[passes][loop_nest]") {
  CHECK(loops("input %x: f32[4,5]\n %0 = transpose(%x) {permutation = [1,0]} : f32[5,4]\n %1 = exp(%0) : f32[5,4]\n output y = %1") ==
        "5 4");
  CHECK(loops("input %x: f32[8]\n %0 = slice(%x) {start = [2], end = [8], step = [2]} : f32[3]\n %1 = exp(%0) : f32[3]\n output y = %1") ==
        "3");
  CHECK(loops("input %x: f32[8]\n %0 = reshape(%x) {shape = [2,4]} : f32[2,4]\n %1 = exp(%0) : f32[2,4]\n output y = %1") == "2 4");
  CHECK(loops("input %x: f32[3]\n %0 = exp(%x) : f32[3]\n %1 = pad(%0) {low = [1], high = [1]} : f32[5]\n output y = %1") == "5");
}

TEST_CASE("loop_nest: a merging reshape is no affine movement", "[passes][loop_nest]") {
  CHECK(reason("input %x: f32[2,4]\n %0 = reshape(%x) {shape = [8]} : f32[8]\n %1 = exp(%0) : f32[8]\n output y = %1") ==
        "reshape is no affine movement");
}

TEST_CASE("loop_nest: reductions of other axes or extents do not share loops", "[passes][loop_nest]") {
  const std::string x = "input %x: f32[4,4]\n %0 = sum(%x) {axes = [0]} : f32[4]\n";
  CHECK(reason(x + "%1 = sum(%x) {axes = [1]} : f32[4]\n output a = %0\n output b = %1") == "sum reduces other loops");
  CHECK(reason(x + "%1 = sum(%0) {axes = [0]} : f32[]\n output b = %1") == "a result f32[] does not fit the loops [4,4]");
  CHECK(reason("input %x: f32[4,4]\n input %y: f32[4,6]\n %0 = sum(%x) {axes = [1]} : f32[4]\n"
               "%1 = sum(%y) {axes = [1]} : f32[4]\n output a = %0\n output b = %1") == "sum has other loops");
}

TEST_CASE("loop_nest: reductions of the same loops share them", "[passes][loop_nest]") {
  CHECK(loops("input %x: f32[4,6]\n input %y: f32[4,6]\n %0 = sum(%x) {axes = [1]} : f32[4]\n"
              "%1 = max(%y) {axes = [1]} : f32[4]\n output a = %0\n output b = %1") == "4 (6)");
}

TEST_CASE("loop_nest: a reduction's result is read where it is computed, or not at all", "[passes][loop_nest]") {
  CHECK(reason("input %x: f32[4,4]\n %s = sum(%x) {axes = [1]} : f32[4]\n %b = broadcast(%s) {shape = [4,4]} : f32[4,4]\n"
               "%0 = add(%x, %b) : f32[4,4]\n output y = %0") == "sum is read at another place than it is computed");
}

TEST_CASE("loop_nest: nothing is computed twice at two places", "[passes][loop_nest]") {
  CHECK(reason("input %x: f32[4,4]\n %e = exp(%x) : f32[4,4]\n %t = transpose(%e) {permutation = [1,0]} : f32[4,4]\n"
               "%0 = add(%e, %t) : f32[4,4]\n output y = %0") == "exp would be computed twice, at two places");
  // The input itself may be read at two places.
  CHECK(loops("input %x: f32[4,4]\n %t = transpose(%x) {permutation = [1,0]} : f32[4,4]\n"
              "%0 = add(%x, %t) : f32[4,4]\n output y = %0") == "4 4");
}

TEST_CASE("loop_nest: dear work is not repeated for every outer iteration", "[passes][loop_nest]") {
  const auto column = [](const std::string& work) {
    return "input %x: f32[64]\n input %y: f32[32,64]\n" + work +
           "%b = broadcast(%e) {shape = [32,64]} : f32[32,64]\n"
           "%0 = add(%y, %b) : f32[32,64]\n output y = %0";
  };
  CHECK(loops(column("%e = neg(%x) : f32[64]\n")) == "32 64");
  CHECK(reason(column("%i = constant() {value = i64[64] 1} : i64[64]\n %p = philox(%i, %i, %i) {site = 1} : i32[64]\n"
                      "%e = cast(%p) {dtype = f32} : f32[64]\n")) == "philox is too dear to be computed again for every outer iteration");
}

TEST_CASE("loop_nest: results of other shapes need other loops", "[passes][loop_nest]") {
  CHECK(reason("input %x: f32[4]\n input %y: f32[6]\n %0 = exp(%x) : f32[4]\n %1 = exp(%y) : f32[6]\n"
               "output a = %0\n output b = %1") == "a result f32[4] does not fit the loops [6]");
  CHECK(reason("input %x: f32[4,6]\n %t = transpose(%x) {permutation = [1,0]} : f32[6,4]\n %0 = exp(%x) : f32[4,6]\n"
               "output a = %0\n output b = %t") == "a result f32[4,6] does not fit the loops [6,4]");
}

TEST_CASE("loop_nest: constants of unequal elements and products are no part of a nest", "[passes][loop_nest]") {
  CHECK(reason("input %x: f32[2]\n %c = constant() {value = f32[2] [1.0,2.0]} : f32[2]\n %0 = add(%x, %c) : f32[2]\n output y = %0") ==
        "constant holds unequal elements");
  CHECK(reason("input %x: f32[2,2]\n %0 = matmul(%x, %x) : f32[2,2]\n output y = %0") == "matmul is no part of a loop nest");
}

TEST_CASE("loop_nest: an update reads the old value at the element that it writes", "[passes][loop_nest]") {
  CHECK(loops("input %w: f32[4,4]\n input %g: f32[4,4]\n %0 = sub(%w, %g) : f32[4,4]\n output w = %0 aliases %w") == "4 4");
  const std::string other = "the old value is read at other elements than the one replaced";
  CHECK(reason("input %w: f32[4,4]\n %t = transpose(%w) {permutation = [1,0]} : f32[4,4]\n %0 = add(%w, %t) : f32[4,4]\n"
               "output w = %0 aliases %w") == other);
  CHECK(reason("input %w: f32[4]\n %s = slice(%w) {start = [0], end = [3]} : f32[3]\n"
               "%0 = pad(%s) {low = [1], high = [0]} : f32[4]\n output w = %0 aliases %w") == other);
  // w is read by columns for the sums, but by rows where it is written.
  CHECK(reason("input %w: f32[4]\n input %x: f32[4,4]\n %b = broadcast(%w) {shape = [4,4]} : f32[4,4]\n"
               "%m = mul(%b, %x) : f32[4,4]\n %0 = sum(%m) {axes = [1]} : f32[4]\n output w = %0 aliases %w") == other);
}

TEST_CASE("loop_nest: a reduction may replace what it reads at the kept loops", "[passes][loop_nest]") {
  CHECK(loops("input %w: f32[4]\n input %x: f32[4,6]\n %s = sum(%x) {axes = [1]} : f32[4]\n %0 = add(%w, %s) : f32[4]\n"
              "output w = %0 aliases %w") == "4 (6)");
}

TEST_CASE("loop_nest: an old value is replaced in the last sweep that reads it", "[passes][loop_nest]") {
  const std::string rows = R"(
    input %x: f32[4,6]
    %s = sum(%x) {axes = [1], keep_dims = true} : f32[4,1]
    %b = broadcast(%s) {shape = [4,6]} : f32[4,6]
    %d = sub(%x, %b) : f32[4,6]
    %e = exp(%x) : f32[4,6]
)";
  CHECK(loops(rows + "output x = %d aliases %x") == "4 (6)");
  CHECK(reason(rows + "output x = %e aliases %x\n output d = %d") == "the old value may be read again by a later sweep");
}

TEST_CASE("loop_nest: reductions over axes of extent 1 combine nothing", "[passes][loop_nest]") {
  CHECK(loops("input %x: f32[4,1]\n %0 = sum(%x) {axes = [1]} : f32[4]\n %1 = exp(%0) : f32[4]\n output y = %1") == "4");
}
