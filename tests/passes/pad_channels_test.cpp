#include "weft/passes/pad_channels.h"

#include <algorithm>
#include <cmath>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/convolution.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/evaluated.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Wants channels in fours, where they are none yet.
class InFours final : public passes::Target {
 public:
  std::string_view name() const override { return "in fours"; }
  bool claims(const ir::Op&) const override { return true; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  std::optional<Channels> channels(const ir::Op& op) const override {
    const Convolution c = ir::convolution_of(op);
    if (c.groups > 1) return std::nullopt;
    const Channels fours{(c.x[1] + 3) / 4 * 4, (c.w[0] + 3) / 4 * 4};
    return fours.x == c.x[1] && fours.y == c.w[0] ? std::nullopt : std::optional(fours);
  }
};

const InFours in_fours;

}  // namespace

TEST_CASE("pad_channels: both operands get channels of zeros, and the result loses them", "[passes][pad_channels]") {
  check_becomes("pad_channels", R"(
    input %x: f32[2,3,9]
    input %w: f32[6,3,3]
    %0 = convolution(%x, %w) {low = [1], high = [0]} : f32[2,6,8]
    output y = %0)",
                R"(
    input %x: f32[2,3,9]
    input %w: f32[6,3,3]
    %0 = pad(%x) {low = [0,0,0], high = [0,1,0]} : f32[2,4,9]
    %1 = pad(%w) {low = [0,0,0], high = [2,0,0]} : f32[8,3,3]
    %2 = pad(%1) {low = [0,0,0], high = [0,1,0]} : f32[8,4,3]
    %3 = convolution(%0, %2) {low = [1], high = [0]} : f32[2,8,8]
    %4 = slice(%3) {start = [0,0,0], end = [2,6,8]} : f32[2,6,8]
    output y = %4)",
                in_fours);
}

TEST_CASE("pad_channels: it computes the same, and so do both gradients", "[passes][pad_channels]") {
  for (const char* before : {"input %x: f64[2,3,6,7]\n input %w: f64[6,3,3,2]\n"
                             " %0 = convolution(%x, %w) {stride = [2,1], low = [1,0], high = [2,1]} : f64[2,6,4,7]\n output y = %0",
                             "input %y: f64[2,6,7]\n input %w: f64[6,5,3]\n"
                             " %0 = convolution_data(%y, %w) {extents = [8], low = [1], high = [0]} : f64[2,5,8]\n output y = %0",
                             "input %x: f64[2,5,8]\n input %y: f64[2,4,6]\n"
                             " %0 = convolution_weight(%x, %y) {extents = [3]} : f64[4,5,3]\n output y = %0",
                             "input %x: f64[2,8,8]\n input %y: f64[2,1,6]\n"
                             " %0 = convolution_weight(%x, %y) {extents = [3]} : f64[1,8,3]\n output y = %0"}) {
    INFO(before);
    const ir::Module padded = run_passes("pad_channels", before, in_fours);
    CHECK(text_of(padded).find("pad(") != std::string::npos);
    const auto want = output_of(module_from(before)), got = output_of(padded);
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK(std::fabs(got[i] - want[i]) < 1e-12);
  }
}

TEST_CASE("pad_channels: an operand is padded once for all that read it so", "[passes][pad_channels]") {
  const ir::Module m = run_passes("pad_channels", R"(
    input %x: f32[2,3,9]
    input %w: f32[6,3,3]
    input %g: f32[2,6,7]
    %0 = convolution(%x, %w) : f32[2,6,7]
    %1 = convolution_weight(%x, %g) {extents = [3]} : f32[6,3,3]
    %2 = convolution_data(%g, %w) {extents = [9]} : f32[2,3,9]
    output y = %0
    output dw = %1
    output dx = %2)",
                                  in_fours);
  const auto pads = std::count_if(m.graph().ops().begin(), m.graph().ops().end(), [](const auto& op) { return op->is("pad"); });
  CHECK(pads == 4);  // x, g, and both axes of w
}

TEST_CASE("pad_channels: what the target runs as it is stays", "[passes][pad_channels]") {
  check_stays("pad_channels", "input %x: f32[2,4,9]\n input %w: f32[8,4,3]\n %0 = convolution(%x, %w) : f32[2,8,7]\n output y = %0",
              in_fours);
  check_stays("pad_channels",
              "input %x: f32[2,6,9]\n input %w: f32[9,2,3]\n %0 = convolution(%x, %w) {groups = 3} : f32[2,9,7]\n output y = %0", in_fours);
  check_stays("pad_channels",
              "input %x: f32[2,3,9]\n input %g: f32[2,6,7]\n %0 = convolution_weight(%x, %g) {extents = [3], parts = 2} : f32[2,6,3,3]\n "
              "output y = %0",
              in_fours);
  check_stays("pad_channels", "input %x: f32[2,3,9]\n input %w: f32[6,3,3]\n %0 = convolution(%x, %w) : f32[2,6,7]\n output y = %0");
}
