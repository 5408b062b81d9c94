// expand on the generic target, which runs every heavy op but products of f64.

#include "weft/passes/expand.h"

#include "weft/passes/partition.h"
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

/// Runs what has f32 elements.
class ClaimsF32 : public ClaimsNothing {
 public:
  bool claims(const ir::Op& op) const override { return op.operand(0).dtype() == f32; }
};

/// Claims all, but with nothing behind it than plain loops.
class HasPlainLoops : public ClaimsNothing {
 public:
  bool claims(const ir::Op&) const override { return true; }
  bool is_better_expanded(const ir::Op& op) const override { return op.is("convolution"); }
  Implementation implementation(const ir::Op& op) const override { return {op.is("matmul") ? "ref:any" : "jit", op.is("matmul")}; }
};

}  // namespace

TEST_CASE("expand: a product of bf16 is one of f32 where the target runs that", "[passes][expand]") {
  check_becomes("expand", R"(
    input %a: bf16[2,3]
    input %b: bf16[4,3]
    %0 = matmul(%a, %b) {transpose_b = true} : bf16[2,4]
    output y = %0)",
                R"(
    input %a: bf16[2,3]
    input %b: bf16[4,3]
    %0 = cast(%a) {dtype = f32} : f32[2,3]
    %1 = cast(%b) {dtype = f32} : f32[4,3]
    %2 = matmul(%0, %1) {transpose_b = true} : f32[2,4]
    %3 = cast(%2) {dtype = bf16} : bf16[2,4]
    output y = %3)",
                ClaimsF32());
  check_becomes("expand", R"(
    input %x: bf16[2,3,5]
    input %w: bf16[4,3,2]
    %0 = convolution_weight(%x, %x) {extents = [1]} : bf16[3,3,1]
    %1 = convolution(%x, %w) {stride = [2]} : bf16[2,4,2]
    output g = %0
    output y = %1)",
                R"(
    input %x: bf16[2,3,5]
    input %w: bf16[4,3,2]
    %0 = cast(%x) {dtype = f32} : f32[2,3,5]
    %1 = cast(%x) {dtype = f32} : f32[2,3,5]
    %2 = convolution_weight(%0, %1) {extents = [1]} : f32[3,3,1]
    %3 = cast(%2) {dtype = bf16} : bf16[3,3,1]
    %4 = cast(%x) {dtype = f32} : f32[2,3,5]
    %5 = cast(%w) {dtype = f32} : f32[4,3,2]
    %6 = convolution(%4, %5) {stride = [2]} : f32[2,4,2]
    %7 = cast(%6) {dtype = bf16} : bf16[2,4,2]
    output g = %3
    output y = %7)",
                ClaimsF32());
}

TEST_CASE("expand: a remark says what of bf16 is computed in f32", "[passes][expand]") {
  ir::Module m = module_from(R"(
    input %x: bf16[2,3,5]
    input %w: bf16[4,3,2]
    %0 = convolution(%x, %w) : bf16[2,4,4]
    output y = %0)");
  passes::Remarks remarks;
  CHECK(passes::expand(m, ClaimsF32(), &remarks));
  REQUIRE(remarks.all().size() == 1);
  CHECK_THAT(to_string(remarks.all()[0]),
             contains_text("computed in f32: convolution of bf16[2,3,5]") && contains_text("nothing faster for bf16"));
}

TEST_CASE("expand: what a library has only plain loops for is written out, and a remark says so", "[passes][expand]") {
  const char* text = R"(
    input %x: f32[1,1,4]
    input %w: f32[1,1,2]
    %0 = convolution(%x, %w) : f32[1,1,3]
    %1 = matmul(%x, %0) {transpose_a = true} : f32[1,4,3]
    output y = %1)";
  ir::Module m = module_from(text);
  passes::Remarks remarks;
  CHECK(passes::expand(m, HasPlainLoops(), &remarks));
  REQUIRE(remarks.all().size() == 1);
  CHECK_THAT(to_string(remarks.all()[0]),
             contains_text("written out: convolution of f32[1,1,4]") && contains_text("the library has only its plain loops for it"));
  for (const auto& op : m.graph().ops()) CHECK_FALSE(op->is("convolution"));
  passes::Remarks slow;
  passes::remark_on_implementations(m, HasPlainLoops(), slow);
  REQUIRE(slow.all().size() == 1);
  CHECK_FALSE(slow.all()[0].aside);
  CHECK_THAT(to_string(slow.all()[0]), contains_text("slow: matmul of f32[1,1,4]") && contains_text("in its plain loops, ref:any"));
  passes::remark_on_implementations(m, passes::generic_target(), slow);
  CHECK(slow.all().size() == 1);
  // Of a call that is not slow, aside.
  ir::Module fast = module_from("input %x: f32[2,1,4]\n input %w: f32[2,1,2]\n %0 = convolution(%x, %w) : f32[2,2,3]\n output y = %0");
  passes::Remarks others;
  passes::remark_on_implementations(fast, HasPlainLoops(), others);
  REQUIRE(others.all().size() == 1);
  CHECK_THAT(to_string(others.all()[0]), contains_text("library call: convolution of f32[2,2,3]") && contains_text(": jit runs it"));
  CHECK(others.all()[0].aside);
}

TEST_CASE("expand: bf16 is summed in f32", "[passes][expand]") {
  const ir::Module m = run_passes("expand", R"(
    input %a: bf16[2,3]
    input %b: bf16[3,4]
    %0 = matmul(%a, %b) : bf16[2,4]
    output y = %0)",
                                  ClaimsNothing());
  const ir::Op& last = *m.graph().ops().back();
  CHECK(last.is("cast"));
  CHECK(last.operand(0).op()->is("sum"));
  CHECK(last.operand(0).dtype() == f32);
}

TEST_CASE("expand: an op that nobody can run is the user's to know, with its line", "[passes][expand]") {
  REQUIRE_THROWS_WITH(run_passes("expand", R"(
    input %x: f32[4,3]
    input %i: i64[2]
    %0 = gather(%x, %i) : f32[2,3] at "net.cpp":8
    output y = %0)",
                                 ClaimsNothing()),
                      "the target 'nothing' cannot run gather f32[2,3], at net.cpp:8");
}
