#include "weft/passes/partition.h"

#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/plan.h"
#include "weft/passes/schedule.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Cuts every product in two, each half with 100 bytes of scratch.
class Halving final : public passes::Target {
 public:
  std::string_view name() const override { return "halving"; }
  bool claims(const ir::Op&) const override { return true; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  int64_t slices(const ir::Op&) const override { return 2; }
  int64_t scratch_bytes(const ir::Op& op) const override { return 100 * op.integer("slices"); }
};

ir::Module product() {
  return ir::parse(R"(weft 1
func @main {
  input %x: f32[4,8]
  input %w: f32[8,16]
  %0 = matmul(%x, %w) : f32[4,16]
  %1 = matmul(%x, %w) {transpose_a = false} : f32[4,16]
  %2 = fused(%0, %1) : f32[4,16] {
    input %a: f32[4,16]
    input %b: f32[4,16]
    %0 = add(%a, %b) : f32[4,16]
    output %0
  }
  output y = %2
}
)");
}

}  // namespace

TEST_CASE("partition: what a library works in is no work: a call's bytes are those of its operands and result", "[passes][partition]") {
  const auto bytes_with = [](const std::string& call) {
    const ir::Module module =
        ir::parse("weft 1\nfunc @f {\n  input %x: f32[4,8]\n  input %w: f32[8,16]\n  " + call + "\n  output y = %0\n}\n");
    return ir::bytes_of(*module.graph().ops().front());
  };
  CHECK(bytes_with("%0 = matmul(%x, %w) : f32[4,16]") == 4 * (4 * 8 + 8 * 16 + 4 * 16));
  CHECK(bytes_with("%0, %1 = matmul(%x, %w) {scratch = 200} : f32[4,16], u8[200]") == 4 * (4 * 8 + 8 * 16 + 4 * 16));
}

TEST_CASE("partition: a call gets the slices and the scratch that the target asks for", "[passes][partition]") {
  ir::Module m = product();
  CHECK(passes::partition(m, Halving()));
  const std::string text = ir::print(m, {.names = ir::Names::numbers});
  CHECK_THAT(text, contains_text("%0, %1 = matmul(%x, %w) {slices = 2, scratch = 200} : f32[4,16], u8[200]"));
  CHECK_THAT(text, contains_text("fused(%0, %2)"));
  CHECK(ir::print(ir::parse(text), {.names = ir::Names::numbers}) == text);
}

TEST_CASE("partition: a second time changes nothing", "[passes][partition]") {
  ir::Module m = product();
  passes::partition(m, Halving());
  CHECK_FALSE(passes::partition(m, Halving()));
}

TEST_CASE("partition: a target that asks for nothing leaves the calls whole, cut ones too", "[passes][partition]") {
  ir::Module m = product();
  CHECK_FALSE(passes::partition(m, passes::generic_target()));
  passes::partition(m, Halving());
  CHECK(passes::partition(m, passes::generic_target()));
  CHECK(ir::print(m) == ir::print(product()));
}

TEST_CASE("partition: scratch lives as long as its call and its bytes serve others afterwards", "[passes][partition]") {
  ir::Module m = product();
  const Halving target;
  passes::partition(m, target);
  passes::schedule(m);
  passes::plan(m, target);
  const auto ops = m.graph().op_list();
  REQUIRE(ops[0]->result_count() == 2);
  CHECK(*m.arena_bytes == 3 * 256);  // two products and one call's scratch: never three, never both calls'
  CHECK(*m.arena_bytes == passes::largest_live_set(m.graph(), target));
}
