#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("cse: of two equal computations one stays", "[passes][cse]") {
  check_becomes("cse", R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = exp(%x) : f32[4]
    %2 = add(%0, %1) : f32[4]
    output y = %2)",
                R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = add(%0, %0) : f32[4]
    output y = %1)");
}

TEST_CASE("cse: chains of equal computations merge from the top", "[passes][cse]") {
  check_becomes("cse", R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = neg(%0) : f32[4]
    %2 = exp(%x) : f32[4]
    %3 = neg(%2) : f32[4]
    output y = %1
    output z = %3)",
                R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = neg(%0) : f32[4]
    output y = %1
    output z = %1)");
}

TEST_CASE("cse: equal bodies are equal computations", "[passes][cse]") {
  const std::string body = " : f32[4] {\n input %a: f32[4]\n %0 = exp(%a) : f32[4]\n output %0\n}\n";
  check_becomes("cse", "input %x: f32[4]\n %0 = fused(%x)" + body + "%1 = fused(%x)" + body + "output y = %0\n output z = %1",
                "input %x: f32[4]\n %0 = fused(%x)" + body + "output y = %0\n output z = %0");
}

TEST_CASE("cse: the one that stays keeps the lines of both", "[passes][cse]") {
  const ir::Module m = run_passes("cse", R"(
    input %x: f32[4]
    %0 = exp(%x) : f32[4] at "net.cpp":4
    %1 = exp(%x) : f32[4] at "net.cpp":9
    output y = %0
    output z = %1)");
  CHECK(to_string(m.graph().ops().front()->locations()) == "net.cpp:4, net.cpp:9");
}

TEST_CASE("cse: other operands, their order, attributes or types make another computation", "[passes][cse]") {
  check_stays("cse", R"(
    input %x: f32[4]
    input %y: f32[4]
    %0 = sub(%x, %y) : f32[4]
    %1 = sub(%y, %x) : f32[4]
    %2 = exp(%x) : f32[4]
    %3 = exp(%y) : f32[4]
    output a = %0
    output b = %1
    output c = %2
    output d = %3)");
  check_stays("cse", R"(
    input %x: f32[2,2]
    %0 = sum(%x) {axes = [0]} : f32[2]
    %1 = sum(%x) {axes = [1]} : f32[2]
    %2 = cast(%x) {dtype = f64} : f64[2,2]
    %3 = cast(%x) {dtype = i64} : i64[2,2]
    output a = %0
    output b = %1
    output c = %2
    output d = %3)");
}

TEST_CASE("cse: 0 and -0 are different constants, nan and nan are one", "[passes][cse]") {
  check_becomes("cse", R"(
    %0 = constant() {value = f32[] 0.0} : f32[]
    %1 = constant() {value = f32[] -0.0} : f32[]
    %2 = constant() {value = f32[] nan} : f32[]
    %3 = constant() {value = f32[] nan} : f32[]
    output a = %0
    output b = %1
    output c = %2
    output d = %3)",
                R"(
    %0 = constant() {value = f32[] 0.0} : f32[]
    %1 = constant() {value = f32[] -0.0} : f32[]
    %2 = constant() {value = f32[] nan} : f32[]
    output a = %0
    output b = %1
    output c = %2
    output d = %2)");
}

TEST_CASE("cse: random ops of different sites differ, of one site are one", "[passes][cse]") {
  check_becomes("cse", R"(
    input %key: i64[2] key
    %0 = random_uniform(%key) {shape = [4], site = 1} : f32[4]
    %1 = random_uniform(%key) {shape = [4], site = 2} : f32[4]
    %2 = random_uniform(%key) {shape = [4], site = 1} : f32[4]
    output a = %0
    output b = %1
    output c = %2)",
                R"(
    input %key: i64[2] key
    %0 = random_uniform(%key) {shape = [4], site = 1} : f32[4]
    %1 = random_uniform(%key) {shape = [4], site = 2} : f32[4]
    output a = %0
    output b = %1
    output c = %0)");
}

TEST_CASE("cse: two copies are two buffers", "[passes][cse]") {
  check_stays("cse", R"(
    input %x: f32[4]
    input %a: f32[4] state
    input %b: f32[4] state
    %0 = copy(%x) : f32[4]
    %1 = copy(%x) : f32[4]
    output a = %0 aliases %a
    output b = %1 aliases %b)");
}
