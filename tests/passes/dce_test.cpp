#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("dce: what no output needs goes, chains included", "[passes][dce]") {
  check_becomes("dce", R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = neg(%0) : f32[4]
    %2 = sin(%x) : f32[4]
    output y = %2)",
                R"(
    input %x: f32[4]
    %0 = sin(%x) : f32[4]
    output y = %0)");
}

TEST_CASE("dce: hyper-parameters that nothing reads go, those that are read stay", "[passes][dce]") {
  check_becomes("dce", R"(
    input %x: f64[]
    input %lr: f64[] hyper
    input %momentum: f64[] hyper
    %0 = mul(%x, %lr) : f64[]
    output y = %0)",
                R"(
    input %x: f64[]
    input %lr: f64[] hyper
    %0 = mul(%x, %lr) : f64[]
    output y = %0)");
}

TEST_CASE("dce: aliases survive the removal of an input before them", "[passes][dce]") {
  check_becomes("dce", R"(
    input %unused: f64[] hyper
    input %w: f32[4] parameter
    %0 = neg(%w) : f32[4]
    output w = %0 aliases %w)",
                R"(
    input %w: f32[4] parameter
    %0 = neg(%w) : f32[4]
    output w = %0 aliases %w)");
}

TEST_CASE("dce: other inputs are the caller's, read or not", "[passes][dce]") {
  check_stays("dce", R"(
    input %x: f32[4]
    input %w: f32[4] parameter
    input %s: f32[4] state
    input %k: i64[2] key
    input %out: f64[] hyper
    output y = %out)");
}

TEST_CASE("dce: an op with one result in use stays", "[passes][dce]") {
  check_stays("dce", R"(
    input %x: f32[4]
    %0, %1 = fused(%x) : f32[4], f32[4] {
      input %a: f32[4]
      %0 = exp(%a) : f32[4]
      %1 = neg(%a) : f32[4]
      output %0
      output %1
    }
    output y = %1)");
}
