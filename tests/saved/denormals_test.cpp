// Denormal numbers in programs from files.

#include <algorithm>

#include "weft/backends/saved/load_step.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;

TEST_CASE("saved: a step that takes denormal numbers for 0 does so from a file") {
  Graph g("denormals");
  g.output("half", g.input("x", f32, {16}) * 0.5);
  const test::TempDir dir;
  const std::vector<float> x(16, 1.5e-38f);
  for (const bool flush : {false, true}) {
    compile(g, Target::cpu({.flush_denormals = flush})).save(dir / "step.weftprog");
    SavedStep saved = load_step(dir / "step.weftprog");
    saved({{"x", x}});
    const auto* half = reinterpret_cast<const float*>(saved.output("half").data());
    CHECK(std::all_of(half, half + 16, [&](float y) { return (y == 0) == flush; }));
  }
}
