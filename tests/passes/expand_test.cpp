// expand on the generic target, which runs every heavy op but products of f64.

#include "weft/passes/legalize.h"

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

class ClaimsNothing : public passes::Target {
 public:
  std::string_view name() const override { return "nothing"; }
  bool claims(const ir::Op&) const override { return false; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
};

}  // namespace

TEST_CASE("expand: a product that the target does not run becomes a sum of products", "[passes][expand]") {
  check_becomes("expand", R"(
    input %a: f64[2,3]
    input %b: f64[3,4]
    %0 = matmul(%a, %b) : f64[2,4]
    output y = %0)", R"(
    input %a: f64[2,3]
    input %b: f64[3,4]
    %0 = reshape(%a) {shape = [2,1,3]} : f64[2,1,3]
    %1 = broadcast(%0) {shape = [2,4,3]} : f64[2,4,3]
    %2 = transpose(%b) {permutation = [1,0]} : f64[4,3]
    %3 = reshape(%2) {shape = [1,4,3]} : f64[1,4,3]
    %4 = broadcast(%3) {shape = [2,4,3]} : f64[2,4,3]
    %5 = mul(%1, %4) : f64[2,4,3]
    %6 = sum(%5) {axes = [2]} : f64[2,4]
    output y = %6)");
}

TEST_CASE("expand: transposed and batched operands", "[passes][expand]") {
  check_becomes("expand", R"(
    input %a: f64[5,3,2]
    input %b: f64[5,4,3]
    %0 = matmul(%a, %b) {transpose_a = true, transpose_b = true} : f64[5,2,4]
    output y = %0)", R"(
    input %a: f64[5,3,2]
    input %b: f64[5,4,3]
    %0 = transpose(%a) {permutation = [0,2,1]} : f64[5,2,3]
    %1 = reshape(%0) {shape = [5,2,1,3]} : f64[5,2,1,3]
    %2 = broadcast(%1) {shape = [5,2,4,3]} : f64[5,2,4,3]
    %3 = reshape(%b) {shape = [5,1,4,3]} : f64[5,1,4,3]
    %4 = broadcast(%3) {shape = [5,2,4,3]} : f64[5,2,4,3]
    %5 = mul(%2, %4) : f64[5,2,4,3]
    %6 = sum(%5) {axes = [3]} : f64[5,2,4]
    output y = %6)");
}

TEST_CASE("expand: bf16 is summed in f32", "[passes][expand]") {
  const ir::Module m = run_passes("expand", R"(
    input %a: bf16[2,3]
    input %b: bf16[3,4]
    %0 = matmul(%a, %b) : bf16[2,4]
    output y = %0)", ClaimsNothing());
  const ir::Op& last = *m.graph().ops().back();
  CHECK(last.is("cast"));
  CHECK(last.operand(0).op()->is("sum"));
  CHECK(last.operand(0).dtype() == f32);
}

TEST_CASE("expand: a product that the target runs stays", "[passes][expand]") {
  check_stays("expand", R"(
    input %a: f32[2,3]
    input %b: f32[3,4]
    %0 = matmul(%a, %b) : f32[2,4]
    output y = %0)");
}

TEST_CASE("expand: the parts carry the product's line", "[passes][expand]") {
  const ir::Module m = run_passes("expand", R"(
    input %a: f64[2,3]
    input %b: f64[3,4]
    %0 = matmul(%a, %b) : f64[2,4] at "net.cpp":8
    output y = %0)");
  for (const auto& op : m.graph().ops()) CHECK(to_string(op->locations()) == "net.cpp:8");
}

TEST_CASE("expand: an op that nobody can run is the user's to know, with its line", "[passes][expand]") {
  REQUIRE_THROWS_WITH(run_passes("expand", R"(
    input %x: f32[4,3]
    input %i: i64[2]
    %0 = gather(%x, %i) : f32[2,3] at "net.cpp":8
    output y = %0)", ClaimsNothing()),
                      "the target 'nothing' cannot run gather f32[2,3], at net.cpp:8");
}

TEST_CASE("expand: an epilogue that the target does not run is taken out of the call", "[passes][expand]") {
  const std::string epilogue = R"( {
      input %p: f32[2,4]
      %0 = exp(%p) : f32[2,4]
      output %0
    } at "net.cpp":8
    output y = %0)";
  check_becomes("expand", "input %a: f32[2,3]\n input %b: f32[3,4]\n %0 = matmul(%a, %b) : f32[2,4]" + epilogue, R"(
    input %a: f32[2,3]
    input %b: f32[3,4]
    %0 = matmul(%a, %b) : f32[2,4]
    %1 = exp(%0) : f32[2,4]
    output y = %1)");
}

TEST_CASE("expand: an epilogue that the target runs stays in the call", "[passes][expand]") {
  check_stays("expand", R"(
    input %a: f32[2,3]
    input %b: f32[3,4]
    %0 = matmul(%a, %b) : f32[2,4] {
      input %p: f32[2,4]
      %0 = relu(%p) : f32[2,4]
      output %0
    }
    output y = %0)");
}

TEST_CASE("expand: a product with an epilogue that is written out keeps it", "[passes][expand]") {
  const ir::Module m = run_passes("expand", R"(
    input %a: f64[2,3]
    input %b: f64[3,4]
    %0 = matmul(%a, %b) : f64[2,4] {
      input %p: f64[2,4]
      %0 = relu(%p) : f64[2,4]
      output %0
    }
    output y = %0)");
  CHECK(count_ops(m, "matmul") == 0);
  CHECK(m.graph().ops().back()->is("relu"));
}
