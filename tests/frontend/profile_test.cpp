#include <numeric>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

/// A product, and a sum of its squares.
Step small_program() {
  Graph g("small");
  const Tensor x = g.input("x", f32, {64, 256}), w = g.input("w", f32, {256, 128});
  g.output("y", sum(square(matmul(x, w))));
  return compile(g, Target::cpu({.threads = 2}));
}

void run(Step& step, int times) {
  const std::vector<float> x(64 * 256, 1), w(256 * 128, 1);
  for (int i = 0; i < times; ++i) step({{"x", x}, {"w", w}});
}

}  // namespace

TEST_CASE("a profile has each call's time, and its work") {
  Step step = small_program();
  run(step, 2);
  CHECK(step.profile().empty());  // not asked for
  step.start_profile();
  run(step, 20);
  const std::vector<CallTime> calls = step.profile();
  REQUIRE(calls.size() == step.calls().size());
  CHECK(calls[0].call == step.calls()[0]);
  CHECK(calls[0].flops == 2.0 * 64 * 256 * 128);
  CHECK(calls[0].bytes == 4.0 * (64 * 256 + 256 * 128 + 64 * 128));
  for (const CallTime& c : calls) {
    CHECK(c.microseconds > 0);
    CHECK(c.waiting <= c.microseconds);
  }
  CHECK_THAT(step.profile_table(), contains_text("GFLOP/s") && contains_text("matmul (f32[64,256], f32[256,128])") &&
                                       contains_text("the whole step"));
}

TEST_CASE("a profile counts of a table the rows that a step looks up") {
  Graph g("rows");
  const Tensor table = g.input("table", f32, {1000, 16}), index = g.input("index", i64, {7});
  g.output("y", index_select(table, 0, index));
  Step step = compile(g, Target::cpu({.threads = 1}));
  step.start_profile();
  step({{"table", std::vector<float>(16000, 1)}, {"index", std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7}}});
  REQUIRE(step.profile().size() == 1);
  CHECK(step.profile()[0].bytes == 7 * 8 + 2 * 7 * 16 * 4);
}

TEST_CASE("a profile starts anew when it is started again") {
  Step step = small_program();
  step.start_profile();
  step.start_profile();
  CHECK(step.profile()[0].microseconds == 0);
}

TEST_CASE("the memory of a step: the arena and its values, largest first, with their lines") {
  Step step = small_program();
  const std::string text = step.memory();
  CHECK_THAT(text, contains_text("arena: " + std::to_string(step.arena_bytes()) + " bytes for "));
  CHECK(text.find("32768") < text.find(" 4 "));
  CHECK_THAT(text, contains_text("f32[64,128] of matmul at ") && contains_text("profile_test.cpp:13"));
  Graph g("interpreted");
  g.output("y", g.input("x", f32, {2}) * 2);
  CHECK_THAT(compile(g, Target::reference()).memory(), contains_text("nothing was planned"));
}
