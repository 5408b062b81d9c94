#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

const std::string inputs = "input %x: f32[2,8]\n input %y: f32[2,9]\n";
const std::string rate = "input %s: f32[] hyper\n input %w: f32[8,9] parameter\n";
/// [8, 9] from a factor with 16 elements and one with 18.
const std::string product = "%p = matmul(%x, %y) {transpose_a = true} : f32[8,9]\n";
const std::string stretched = "%c = broadcast(%s) {shape = [8,9]} : f32[8,9]\n";
const std::string update = "%n = sub(%w, %q) : f32[8,9]\n output w = %n aliases %w";

}  // namespace

TEST_CASE("reassociate: an update's rate moves to the smaller factor", "[passes][reassociate]") {
  check_becomes(
      "reassociate",
      inputs + rate + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n %n = add(%w, %q) : f32[8,9]\n output w = %n aliases %w",
      inputs + rate + R"(
    %c = broadcast(%s) {shape = [2,8]} : f32[2,8]
    %a = mul(%x, %c) : f32[2,8]
    %q = matmul(%a, %y) {transpose_a = true} : f32[8,9]
    %n = add(%w, %q) : f32[8,9]
    output w = %n aliases %w)");
}

TEST_CASE("reassociate: a scale that could turn finite into infinite or nonzero into zero stays where it was written",
          "[passes][reassociate]") {
  const std::string one = "input %w: f32[8,9] parameter\n";
  const std::string used[] = {"output y = %q", update};
  for (const std::string& use : used) {
    check_stays("reassociate",
                inputs + one + product + "%c = constant() {value = f32[8,9] 1e+30} : f32[8,9]\n%q = mul(%p, %c) : f32[8,9]\n" + use);
    check_stays("reassociate",
                inputs + one + product + "%c = constant() {value = f32[8,9] 7.888609e-31} : f32[8,9]\n%q = mul(%c, %p) : f32[8,9]\n" + use);
    check_stays("reassociate", inputs + one + "%s = constant() {value = f32[] 1e+30} : f32[]\n" + product + stretched +
                                   "%q = mul(%p, %c) : f32[8,9]\n" + use);
    check_stays("reassociate", inputs + "input %s: f32[]\n" + one + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n" + use);
  }
  // A rate, but of what is no update; and a product of a rate and data.
  check_stays("reassociate", inputs + rate + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n output y = %q");
  check_stays("reassociate",
              inputs + rate + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n %n = sub(%w, %q) : f32[8,9]\n output y = %n");
  check_stays("reassociate", inputs + "input %d: f32[]\n" + rate + product +
                                 "%t = mul(%s, %d) : f32[]\n %c = broadcast(%t) {shape = [8,9]} : f32[8,9]\n"
                                 "%q = mul(%p, %c) : f32[8,9]\n" +
                                 update);
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
  const ir::Module m = compiled(inputs + rate + product + stretched + "%q = mul(%c, %p) : f32[8,9]\n" + update, "plan");
  CHECK(m.graph().ops().size() == 2);  // a nest for -s x, and the product
  CHECK(m.arena_bytes == 64);
}

TEST_CASE("reassociate: a product with another reader stays", "[passes][reassociate]") {
  check_stays("reassociate", inputs + rate + product + stretched + "%q = mul(%p, %c) : f32[8,9]\n output p = %p\n" + update);
}

TEST_CASE("reassociate: a product smaller than its factors stays", "[passes][reassociate]") {
  check_stays("reassociate", R"(
    input %x: f32[4,100]
    input %y: f32[100,4]
    input %s: f32[] hyper
    input %w: f32[4,4] parameter
    %p = matmul(%x, %y) : f32[4,4]
    %c = broadcast(%s) {shape = [4,4]} : f32[4,4]
    %q = mul(%p, %c) : f32[4,4]
    %n = sub(%w, %q) : f32[4,4]
    output w = %n aliases %w)");
}

TEST_CASE("reassociate: a scale of each row stays", "[passes][reassociate]") {
  check_stays("reassociate", inputs + rate + "input %v: f32[9] hyper\n" + product +
                                 "%c = broadcast(%v) {shape = [8,9]} : f32[8,9]\n"
                                 "%q = mul(%p, %c) : f32[8,9]\n" +
                                 update);
}
