#include "weft/support/dtype.h"

#include <limits>

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("epsilon is from 1 to the next number") {
  CHECK(epsilon_of(f64) == std::numeric_limits<double>::epsilon());
  CHECK(epsilon_of(f32) == std::numeric_limits<float>::epsilon());
  const f16_t half = to_f16(1);
  CHECK(epsilon_of(f16) == from_f16({static_cast<uint16_t>(half.bits + 1)}) - 1);
  const bf16_t brain = to_bf16(1);
  CHECK(epsilon_of(bf16) == from_bf16({static_cast<uint16_t>(brain.bits + 1)}) - 1);
}
