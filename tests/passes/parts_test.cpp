#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("parts: a long reduction to few numbers is taken in parts, whole axes first", "[passes][parts]") {
  check_becomes("parts", R"(
    input %x: f32[1,784,512]
    %0 = sum(%x) {axes = [0,1,2], keep_dims = true} : f32[1,1,1]
    output s = %0)",
                R"(
    input %x: f32[1,784,512]
    %0 = sum(%x) {axes = [0,2]} : f32[784]
    %1 = sum(%0) {axes = [0]} : f32[]
    %2 = reshape(%1) {shape = [1,1,1]} : f32[1,1,1]
    output s = %2)");
}

TEST_CASE("parts: else an axis is cut where it has a divisor, the parts among the kept axes", "[passes][parts]") {
  check_becomes("parts", R"(
    input %x: f32[2,1000000,3]
    %0 = max(%x) {axes = [1]} : f32[2,3]
    %1 = max(%x) {axes = [1,2]} : f32[2]
    output few = %1
    output more = %0)",
                R"(
    input %x: f32[2,1000000,3]
    %0 = max(%x) {axes = [1]} : f32[2,3]
    %1 = reshape(%x) {shape = [2,64,15625,3]} : f32[2,64,15625,3]
    %2 = max(%1) {axes = [2,3]} : f32[2,64]
    %3 = max(%2) {axes = [1]} : f32[2]
    output few = %3
    output more = %0)");
}

TEST_CASE("parts: what no divisor takes is a part of its own, and those of bf16 are f32", "[passes][parts]") {
  check_becomes("parts", R"(
    input %x: bf16[150001]
    %0 = sum(%x) {axes = [0]} : bf16[]
    output s = %0)",
                R"(
    input %x: bf16[150001]
    %0 = cast(%x) {dtype = f32} : f32[150001]
    %1 = slice(%0) {start = [0], end = [149952]} : f32[149952]
    %2 = reshape(%1) {shape = [64,2343]} : f32[64,2343]
    %3 = sum(%2) {axes = [1]} : f32[64]
    %4 = slice(%0) {start = [149952], end = [150001]} : f32[49]
    %5 = reshape(%4) {shape = [1,49]} : f32[1,49]
    %6 = sum(%5) {axes = [1]} : f32[1]
    %7 = concat(%3, %6) {axis = 0} : f32[65]
    %8 = sum(%7) {axes = [0]} : f32[]
    %9 = cast(%8) {dtype = bf16} : bf16[]
    output s = %9)");
}

TEST_CASE("parts: short reductions and those to several numbers stay", "[passes][parts]") {
  check_stays("parts", R"(
    input %x: f32[1000,131]
    %0 = sum(%x) {axes = [0,1]} : f32[]
    output s = %0)");
  check_stays("parts", R"(
    input %x: f32[4,1000000]
    %0 = sum(%x) {axes = [1]} : f32[4]
    output s = %0)");
  check_stays("parts", R"(
    input %x: f32[0,1000000]
    %0 = sum(%x) {axes = [1]} : f32[0]
    output s = %0)");
}
