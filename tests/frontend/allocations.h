#pragma once
// Counts what goes through operator new in this test program.

#include <cstdint>

namespace weft::testing {

int64_t allocations_so_far();

}  // namespace weft::testing
