#include "weft/ir/op_def.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("decompose: a composite becomes what it is made of", "[passes][decompose]") {
  check_becomes("decompose", R"(
    input %x: f32[2,3]
    %0 = softmax(%x) {axis = 1} : f32[2,3]
    output y = %0)",
                R"(
    input %x: f32[2,3]
    %0 = max(%x) {axes = [1], keep_dims = true} : f32[2,1]
    %1 = broadcast(%0) {shape = [2,3]} : f32[2,3]
    %2 = sub(%x, %1) : f32[2,3]
    %3 = exp(%2) : f32[2,3]
    %4 = constant() {value = f32[2,1] 1.0} : f32[2,1]
    %5 = sum(%3) {axes = [1], keep_dims = true} : f32[2,1]
    %6 = div(%4, %5) : f32[2,1]
    %7 = broadcast(%6) {shape = [2,3]} : f32[2,3]
    %8 = mul(%3, %7) : f32[2,3]
    output y = %8)");
}

TEST_CASE("decompose: composites of composites go all the way down", "[passes][decompose]") {
  const ir::Module m = run_passes("decompose", R"(
    input %x: f32[4,3]
    input %y: i64[4]
    %0 = cross_entropy(%x, %y) : f32[]
    output loss = %0)");
  for (const auto& op : m.graph().ops()) CHECK(op->def().kind != ir::Kind::composite);
}

TEST_CASE("decompose: what is no composite stays", "[passes][decompose]") {
  check_stays("decompose", R"(
    input %x: f32[2,3]
    %0 = exp(%x) : f32[2,3]
    %1 = sum(%0) {axes = [1]} : f32[2]
    output y = %1)");
}

TEST_CASE("decompose: the parts carry the composite's line", "[passes][decompose]") {
  const ir::Module m = run_passes("decompose", R"(
    input %x: f32[2,3]
    %0 = mean(%x) {axes = [1]} : f32[2] at "net.cpp":4 "norm"
    output y = %0)");
  for (const auto& op : m.graph().ops()) CHECK(to_string(op->locations()) == "net.cpp:4 (norm)");
}

TEST_CASE("decompose: neighbours keep their order", "[passes][decompose]") {
  check_becomes("decompose", R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = mean(%0) {axes = [0]} : f32[]
    %2 = neg(%1) : f32[]
    output y = %2)",
                R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = sum(%0) {axes = [0]} : f32[]
    %2 = constant() {value = f32[] 4.0} : f32[]
    %3 = div(%1, %2) : f32[]
    %4 = neg(%3) : f32[]
    output y = %4)");
}
