// updates: every new value of an input is the result of an op that may write over the old one, and old values are read
// before they are replaced.

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("updates: an elementwise update may write in place", "[passes][updates]") {
  check_stays("updates", R"(
    input %w: f32[4] parameter
    input %g: f32[4]
    %0 = sub(%w, %g) : f32[4]
    output w = %0 aliases %w)");
}

TEST_CASE("updates: a product that does not read the old value may write over it", "[passes][updates]") {
  check_stays("updates", R"(
    input %w: f32[2,4] state
    input %a: f32[2,3]
    input %b: f32[3,4]
    %0 = matmul(%a, %b) : f32[2,4]
    output w = %0 aliases %w)");
}

TEST_CASE("updates: an input as the new value gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %s: f32[4] state
    input %x: f32[4]
    output s = %x aliases %s)",
                R"(
    input %s: f32[4] state
    input %x: f32[4]
    %0 = copy(%x) : f32[4]
    output s = %0 aliases %s)");
}

TEST_CASE("updates: a constant as the new value gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %s: f32[4] state
    %0 = constant() {value = f32[4] 0.0} : f32[4]
    output s = %0 aliases %s)",
                R"(
    input %s: f32[4] state
    %0 = constant() {value = f32[4] 0.0} : f32[4]
    %1 = copy(%0) : f32[4]
    output s = %1 aliases %s)");
}

TEST_CASE("updates: a view as the new value gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %s: f32[4] state
    input %x: f32[2,2]
    %0 = exp(%x) : f32[2,2]
    %1 = reshape(%0) {shape = [4]} : f32[4]
    output s = %1 aliases %s)",
                R"(
    input %s: f32[4] state
    input %x: f32[2,2]
    %0 = exp(%x) : f32[2,2]
    %1 = reshape(%0) {shape = [4]} : f32[4]
    %2 = copy(%1) : f32[4]
    output s = %2 aliases %s)");
}

TEST_CASE("updates: one value for two states is copied for the second", "[passes][updates]") {
  check_becomes("updates", R"(
    input %s: f32[4] state
    input %t: f32[4] state
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    output s = %0 aliases %s
    output t = %0 aliases %t)",
                R"(
    input %s: f32[4] state
    input %t: f32[4] state
    input %x: f32[4]
    %0 = exp(%x) : f32[4]
    %1 = copy(%0) : f32[4]
    output s = %0 aliases %s
    output t = %1 aliases %t)");
}

TEST_CASE("updates: an op that reads other elements than it writes gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[3,3] state
    %0 = transpose(%w) {permutation = [1,0]} : f32[3,3]
    output w = %0 aliases %w)",
                R"(
    input %w: f32[3,3] state
    %0 = transpose(%w) {permutation = [1,0]} : f32[3,3]
    %1 = copy(%0) : f32[3,3]
    output w = %1 aliases %w)");
}

TEST_CASE("updates: a product that reads the old value gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[3,3] state
    %0 = matmul(%w, %w) : f32[3,3]
    output w = %0 aliases %w)",
                R"(
    input %w: f32[3,3] state
    %0 = matmul(%w, %w) : f32[3,3]
    %1 = copy(%0) : f32[3,3]
    output w = %1 aliases %w)");
}

TEST_CASE("updates: an op that reads other elements through a view gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[2,1,2] state
    %0 = reshape(%w) {shape = [2,2,1]} : f32[2,2,1]
    %1 = transpose(%0) {permutation = [1,2,0]} : f32[2,1,2]
    output w = %1 aliases %w)",
                R"(
    input %w: f32[2,1,2] state
    %0 = reshape(%w) {shape = [2,2,1]} : f32[2,2,1]
    %1 = transpose(%0) {permutation = [1,2,0]} : f32[2,1,2]
    %2 = copy(%1) : f32[2,1,2]
    output w = %2 aliases %w)");
}

TEST_CASE("updates: readers of an old value come before its writer", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = sub(%w, %g) : f32[4]
    %1 = exp(%w) : f32[4]
    output w = %0 aliases %w
    output y = %1)",
                R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = exp(%w) : f32[4]
    %1 = sub(%w, %g) : f32[4]
    output w = %1 aliases %w
    output y = %0)");
}

TEST_CASE("updates: readers through a view count", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = sub(%w, %g) : f32[4]
    %1 = reshape(%w) {shape = [2,2]} : f32[2,2]
    %2 = exp(%1) : f32[2,2]
    output w = %0 aliases %w
    output y = %2)",
                R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = reshape(%w) {shape = [2,2]} : f32[2,2]
    %1 = exp(%0) : f32[2,2]
    %2 = sub(%w, %g) : f32[4]
    output w = %2 aliases %w
    output y = %1)");
}

TEST_CASE("updates: what reads the new value still comes after it", "[passes][updates]") {
  check_stays("updates", R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = exp(%w) : f32[4]
    %1 = sub(%w, %g) : f32[4]
    %2 = add(%1, %0) : f32[4]
    output w = %1 aliases %w
    output y = %2)");
}

TEST_CASE("updates: an old value that is also an output is copied before it is replaced", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = sub(%w, %g) : f32[4]
    output w = %0 aliases %w
    output old = %w)",
                R"(
    input %w: f32[4] state
    input %g: f32[4]
    %0 = copy(%w) : f32[4]
    %1 = sub(%w, %g) : f32[4]
    output w = %1 aliases %w
    output old = %0)");
  check_becomes("updates", R"(
    input %w: f32[4] state
    %0 = exp(%w) : f32[4]
    %1 = reshape(%w) {shape = [2,2]} : f32[2,2]
    output w = %0 aliases %w
    output old = %1)",
                R"(
    input %w: f32[4] state
    %0 = reshape(%w) {shape = [2,2]} : f32[2,2]
    %1 = copy(%0) : f32[2,2]
    %2 = exp(%w) : f32[4]
    output w = %2 aliases %w
    output old = %1)");
}

TEST_CASE("updates: a new value that is read together with the old one is copied at the end", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[4] state
    %0 = exp(%w) : f32[4]
    %1 = neg(%0) : f32[4]
    %2 = sub(%1, %w) : f32[4]
    output w = %0 aliases %w
    output change = %2)",
                R"(
    input %w: f32[4] state
    %0 = exp(%w) : f32[4]
    %1 = neg(%0) : f32[4]
    %2 = sub(%1, %w) : f32[4]
    %3 = copy(%0) : f32[4]
    output w = %3 aliases %w
    output change = %2)");
}

TEST_CASE("updates: an output that is an input, or a view of one, gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %x: f32[4]
    input %w: f32[4] state
    %0 = add(%w, %x) : f32[4]
    %1 = reshape(%x) {shape = [2,2]} : f32[2,2]
    output w = %0 aliases %w
    output x = %x
    output square = %1)",
                R"(
    input %x: f32[4]
    input %w: f32[4] state
    %0 = add(%w, %x) : f32[4]
    %1 = reshape(%x) {shape = [2,2]} : f32[2,2]
    %2 = copy(%x) : f32[4]
    %3 = copy(%1) : f32[2,2]
    output w = %0 aliases %w
    output x = %2
    output square = %3)");
}

TEST_CASE("updates: an output that is what replaces an input, or a view of it, gets a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %w: f32[4] state
    %0 = exp(%w) : f32[4]
    %1 = reshape(%0) {shape = [2,2]} : f32[2,2]
    output new = %0
    output w = %0 aliases %w
    output square = %1)",
                R"(
    input %w: f32[4] state
    %0 = exp(%w) : f32[4]
    %1 = reshape(%0) {shape = [2,2]} : f32[2,2]
    %2 = copy(%0) : f32[4]
    %3 = copy(%1) : f32[2,2]
    output new = %2
    output w = %0 aliases %w
    output square = %3)");
}

TEST_CASE("updates: values of the program's own may be outputs as they are", "[passes][updates]") {
  check_stays("updates", R"(
    input %x: f32[4]
    %0 = constant() {value = f32[4] 0.0} : f32[4]
    %1 = exp(%x) : f32[4]
    %2 = reshape(%1) {shape = [2,2]} : f32[2,2]
    output zero = %0
    output y = %1
    output square = %2
    output again = %1)");
}

TEST_CASE("updates: two states that trade places do so through a copy", "[passes][updates]") {
  check_becomes("updates", R"(
    input %a: f32[4] state
    input %b: f32[4] state
    output a = %b aliases %a
    output b = %a aliases %b)",
                R"(
    input %a: f32[4] state
    input %b: f32[4] state
    %0 = copy(%a) : f32[4]
    %1 = copy(%b) : f32[4]
    %2 = copy(%0) : f32[4]
    output a = %1 aliases %a
    output b = %2 aliases %b)");
}

TEST_CASE("updates: a longer circle needs one copy, too", "[passes][updates]") {
  check_becomes("updates", R"(
    input %a: f32[4] state
    input %b: f32[4] state
    input %c: f32[4] state
    input %d: f32[4] state
    %0 = add(%a, %b) : f32[4]
    %1 = add(%b, %c) : f32[4]
    %2 = add(%c, %a) : f32[4]
    %3 = add(%d, %d) : f32[4]
    output a = %0 aliases %a
    output b = %1 aliases %b
    output c = %2 aliases %c
    output d = %3 aliases %d)",
                R"(
    input %a: f32[4] state
    input %b: f32[4] state
    input %c: f32[4] state
    input %d: f32[4] state
    %0 = copy(%a) : f32[4]
    %1 = add(%0, %b) : f32[4]
    %2 = add(%b, %c) : f32[4]
    %3 = add(%c, %0) : f32[4]
    %4 = add(%d, %d) : f32[4]
    output a = %1 aliases %a
    output b = %2 aliases %b
    output c = %3 aliases %c
    output d = %4 aliases %d)");
}

TEST_CASE("updates: a chain of states moves along in the right order", "[passes][updates]") {
  check_becomes("updates", R"(
    input %x: f32[4]
    input %s: f32[4] state
    input %t: f32[4] state
    output s = %x aliases %s
    output t = %s aliases %t)",
                R"(
    input %x: f32[4]
    input %s: f32[4] state
    input %t: f32[4] state
    %0 = copy(%s) : f32[4]
    %1 = copy(%x) : f32[4]
    output s = %1 aliases %s
    output t = %0 aliases %t)");
}
