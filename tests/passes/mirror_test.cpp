#include "weft/passes/mirror.h"

#include <cmath>

#include "weft/tests/catch.h"
#include "weft/tests/passes/evaluated.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Prefers data gradients, always.
class Backwards final : public passes::Target {
 public:
  std::string_view name() const override { return "backwards"; }
  bool claims(const ir::Op&) const override { return true; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  bool mirrors(const ir::Op& op) const override { return op.is("convolution"); }
};

const Backwards backwards;

}  // namespace

TEST_CASE("mirror: a convolution becomes the data gradient of the mirrored one", "[passes][mirror]") {
  check_becomes("mirror", R"(
    input %x: f32[2,4,9]
    input %w: f32[6,4,3]
    %0 = convolution(%x, %w) {low = [1], high = [0]} : f32[2,6,8]
    output y = %0)",
                R"(
    input %x: f32[2,4,9]
    input %w: f32[6,4,3]
    %0 = windows(%w) {axes = [2], extents = [3], flipped = true} : f32[6,4,1,3]
    %1 = reshape(%0) {shape = [1,6,4,3]} : f32[1,6,4,3]
    %2 = transpose(%1) {permutation = [0,2,1,3]} : f32[1,4,6,3]
    %3 = reshape(%2) {shape = [4,6,3]} : f32[4,6,3]
    %4 = convolution_data(%x, %3) {extents = [8], low = [1], high = [2], dilation = [1]} : f32[2,6,8]
    output y = %4)",
                backwards);
}

TEST_CASE("mirror: it computes the same, with groups, dilation and uneven padding", "[passes][mirror]") {
  for (const char* op : {"convolution(%x, %w) : f64[2,8,4,5]", "convolution(%x, %w) {low = [1,0], high = [2,1]} : f64[2,8,7,6]",
                         "convolution(%x, %w) {dilation = [2,1], low = [3,2], high = [4,0]} : f64[2,8,9,7]"}) {
    const std::string before = std::string("input %x: f64[2,6,6,7]\n input %w: f64[8,6,3,3]\n %0 = ") + op + "\n output y = %0";
    const auto want = output_of(module_from(before)), got = output_of(run_passes("mirror", before, backwards));
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK(std::fabs(got[i] - want[i]) < 1e-12);
  }
  const std::string grouped =
      "input %x: f64[2,6,5]\n input %w: f64[9,2,2]\n %0 = convolution(%x, %w) {groups = 3, low = [1], high = [0]} : f64[2,9,5]\n output y "
      "= %0";
  const auto want = output_of(module_from(grouped)), got = output_of(run_passes("mirror", grouped, backwards));
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(std::fabs(got[i] - want[i]) < 1e-12);
}

TEST_CASE("mirror: what is no such gradient stays, and what the target runs as well", "[passes][mirror]") {
  check_stays("mirror",
              "input %x: f32[2,4,9]\n input %w: f32[6,4,3]\n %0 = convolution(%x, %w) {stride = [2]} : f32[2,6,4]\n output y = %0",
              backwards);
  check_stays("mirror", "input %x: f32[2,4,9]\n input %w: f32[6,4,3]\n %0 = convolution(%x, %w) {low = [3]} : f32[2,6,10]\n output y = %0",
              backwards);
  check_stays("mirror", "input %x: f32[2,4,9]\n input %w: f32[6,4,3]\n %0 = convolution(%x, %w) : f32[2,6,7]\n output y = %0");
}
