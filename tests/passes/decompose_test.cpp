#include "weft/ir/op_def.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

TEST_CASE("decompose: composites of composites go all the way down", "[passes][decompose]") {
  const ir::Module m = run_passes("decompose", R"(
    input %x: f32[4,3]
    input %y: i64[4]
    %0 = cross_entropy(%x, %y) : f32[]
    output loss = %0)");
  for (const auto& op : m.graph().ops()) CHECK(op->def().kind != ir::Kind::composite);
}
