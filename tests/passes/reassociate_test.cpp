#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

const std::string inputs = "input %x: f32[2,8]\n input %y: f32[2,9]\n input %s: f32[]\n";
/// [8, 9] from a factor with 16 elements and one with 18.
const std::string product = "%p = matmul(%x, %y) {transpose_a = true} : f32[8,9]\n";
const std::string stretched = "%c = broadcast(%s) {shape = [8,9]} : f32[8,9]\n";

}  // namespace

TEST_CASE("reassociate: the smaller factor is scaled in place of the product", "[passes][reassociate]") {
  check_becomes("reassociate", inputs + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n output y = %q", inputs + R"(
    %c = broadcast(%s) {shape = [2,8]} : f32[2,8]
    %a = mul(%x, %c) : f32[2,8]
    %q = matmul(%a, %y) {transpose_a = true} : f32[8,9]
    output y = %q)");
}

TEST_CASE("reassociate: the scale may stand on the left and may be a constant", "[passes][reassociate]") {
  check_becomes("reassociate",
                inputs + product + "%c = constant() {value = f32[8,9] 3.0} : f32[8,9]\n%q = mul(%c, %p) : f32[8,9]\n output y = %q",
                inputs + R"(
    %c = constant() {value = f32[2,8] 3.0} : f32[2,8]
    %a = mul(%x, %c) : f32[2,8]
    %q = matmul(%a, %y) {transpose_a = true} : f32[8,9]
    output y = %q)");
}

TEST_CASE("reassociate: a subtracted product is added with its smaller factor negated", "[passes][reassociate]") {
  check_becomes("reassociate", inputs + "input %w: f32[8,9]\n" + product + "%q = sub(%w, %p) : f32[8,9]\n output y = %q",
                inputs + "input %w: f32[8,9]\n" + R"(
    %a = neg(%x) : f32[2,8]
    %p = matmul(%a, %y) {transpose_a = true} : f32[8,9]
    %q = add(%w, %p) : f32[8,9]
    output y = %q)");
}

TEST_CASE("reassociate: a plain SGD update accumulates into the weight", "[passes][reassociate]") {
  const ir::Module m = compiled(inputs + "input %w: f32[8,9] parameter\n" + product + stretched +
                                "%q = mul(%c, %p) : f32[8,9]\n %n = sub(%w, %q) : f32[8,9]\n output w = %n aliases %w", "plan");
  CHECK(m.graph().ops().size() == 2);  // a nest for -s x, and the product
  CHECK(m.arena_bytes == 64);
}

TEST_CASE("reassociate: a product with another reader stays", "[passes][reassociate]") {
  check_stays("reassociate", inputs + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n output y = %q\n output p = %p");
}

TEST_CASE("reassociate: a product smaller than its factors stays", "[passes][reassociate]") {
  check_stays("reassociate", R"(
    input %x: f32[4,100]
    input %y: f32[100,4]
    input %s: f32[]
    %p = matmul(%x, %y) : f32[4,4]
    %c = broadcast(%s) {shape = [4,4]} : f32[4,4]
    %q = mul(%p, %c) : f32[4,4]
    output y = %q)");
}

TEST_CASE("reassociate: a scale of each row stays", "[passes][reassociate]") {
  check_stays("reassociate", inputs + "input %v: f32[9]\n" + product + "%c = broadcast(%v) {shape = [8,9]} : f32[8,9]\n"
                             "%q = mul(%p, %c) : f32[8,9]\n output y = %q");
}
