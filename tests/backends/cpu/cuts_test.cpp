// Along which axis products are cut into slices.

#include "weft/backends/cpu/exec/slices.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Rows and columns of the first of two slices.
std::pair<int64_t, int64_t> half_of(int64_t m, int64_t n, int64_t k, bool transpose_a = false) {
  const std::vector<cpu::Slice> parts = cpu::slices_of({{{.m = m, .n = n, .k = k, .transpose_a = transpose_a}, f32}, 2});
  REQUIRE(parts.size() == 2);
  return {parts[0].rows, parts[0].columns};
}

}  // namespace

TEST_CASE("cuts: where threads read least of what others have written", "[cpu]") {
  // A layer of 784 to 512 over a batch of 64: forward, whose parts are rows of the weight, and the weight's gradient.
  CHECK(half_of(64, 512, 784) == std::pair<int64_t, int64_t>(64, 256));
  CHECK(half_of(512, 784, 64, true) == std::pair<int64_t, int64_t>(256, 784));
  // Few rows of a large result, whose other operand is as large: that is read in parts all the same.
  CHECK(half_of(32, 784, 32) == std::pair<int64_t, int64_t>(32, 384));
  // As a weight's gradient its other operand is the layer's input, which both have read.
  CHECK(half_of(32, 784, 32, true) == std::pair<int64_t, int64_t>(16, 784));
  // Many rows: each thread has its own, and reads all of the weight.
  CHECK(half_of(2048, 512, 128) == std::pair<int64_t, int64_t>(1024, 512));
}
