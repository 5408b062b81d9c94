
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("schedule: what frees memory runs before what takes it", "[passes][schedule]") {
  check_becomes("schedule", R"(
    input %x: f32[1000]
    %0 = exp(%x) : f32[1000]
    %1 = sin(%x) : f32[1000]
    %2 = sum(%0) {axes = [0]} : f32[]
    %3 = sum(%1) {axes = [0]} : f32[]
    output a = %2
    output b = %3)",
                R"(
    input %x: f32[1000]
    %0 = exp(%x) : f32[1000]
    %1 = sum(%0) {axes = [0]} : f32[]
    %2 = sin(%x) : f32[1000]
    %3 = sum(%2) {axes = [0]} : f32[]
    output a = %1
    output b = %3)");
}

TEST_CASE("schedule: of equals the first in the program comes first", "[passes][schedule]") {
  check_stays("schedule", R"(
    input %x: f32[8]
    %0 = sin(%x) : f32[8]
    %1 = exp(%x) : f32[8]
    %2 = neg(%x) : f32[8]
    output a = %0
    output b = %1
    output c = %2)");
}

TEST_CASE("schedule: readers of an old value come before its writer, whatever it costs", "[passes][schedule]") {
  check_becomes("schedule", R"(
    input %w: f32[8] parameter
    input %x: f32[1000]
    %0 = neg(%w) : f32[8]
    %1 = broadcast(%w) {shape = [1000,8]} : f32[1000,8]
    output w = %0 aliases %w
    output y = %1)",
                R"(
    input %w: f32[8] parameter
    input %x: f32[1000]
    %0 = broadcast(%w) {shape = [1000,8]} : f32[1000,8]
    %1 = neg(%w) : f32[8]
    output w = %1 aliases %w
    output y = %0)");
}

TEST_CASE("schedule: an update that takes over memory costs none, so it does not wait", "[passes][schedule]") {
  check_becomes("schedule", R"(
    input %x: f32[100]
    input %w: f32[100] parameter
    %0 = exp(%x) : f32[100]
    %1 = neg(%w) : f32[100]
    output y = %0
    output w = %1 aliases %w)",
                R"(
    input %x: f32[100]
    input %w: f32[100] parameter
    %0 = neg(%w) : f32[100]
    %1 = exp(%x) : f32[100]
    output y = %1
    output w = %0 aliases %w)");
}

TEST_CASE("schedule: a view keeps its owner alive", "[passes][schedule]") {
  // Freeing %0 needs the reader of its view, not the view.
  check_becomes("schedule", R"(
    input %x: f32[1000]
    %0 = exp(%x) : f32[1000]
    %1 = reshape(%0) {shape = [10,100]} : f32[10,100]
    %2 = sin(%x) : f32[1000]
    %3 = sum(%1) {axes = [0,1]} : f32[]
    %4 = sum(%2) {axes = [0]} : f32[]
    output a = %3
    output b = %4)",
                R"(
    input %x: f32[1000]
    %0 = exp(%x) : f32[1000]
    %1 = reshape(%0) {shape = [10,100]} : f32[10,100]
    %2 = sum(%1) {axes = [0,1]} : f32[]
    %3 = sin(%x) : f32[1000]
    %4 = sum(%3) {axes = [0]} : f32[]
    output a = %2
    output b = %4)");
}

TEST_CASE("schedule: what is begun is finished first where that takes less memory", "[passes][schedule]") {
  // Step by step, the beginning of the second part is no dearer than going on with the first; both would be live then.
  check_becomes("schedule", R"(
    input %x: f32[100]
    input %y: f32[100]
    %0 = broadcast(%x) {shape = [8,100]} : f32[8,100]
    %1 = broadcast(%y) {shape = [8,100]} : f32[8,100]
    %2 = broadcast(%0) {shape = [2,8,100]} : f32[2,8,100]
    %3 = broadcast(%1) {shape = [2,8,100]} : f32[2,8,100]
    %4 = sum(%2) {axes = [0,1,2]} : f32[]
    %5 = sum(%3) {axes = [0,1,2]} : f32[]
    output a = %4
    output b = %5)",
                R"(
    input %x: f32[100]
    input %y: f32[100]
    %0 = broadcast(%x) {shape = [8,100]} : f32[8,100]
    %1 = broadcast(%0) {shape = [2,8,100]} : f32[2,8,100]
    %2 = sum(%1) {axes = [0,1,2]} : f32[]
    %3 = broadcast(%y) {shape = [8,100]} : f32[8,100]
    %4 = broadcast(%3) {shape = [2,8,100]} : f32[2,8,100]
    %5 = sum(%4) {axes = [0,1,2]} : f32[]
    output a = %2
    output b = %5)");
}
