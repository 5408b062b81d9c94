#pragma once
// Counts the allocations of this test program, those of the libraries included.

#include <cstdint>

namespace weft::testing {

/// Calls of malloc and its kin so far, on any thread. Under a sanitizer, which has an allocator of its own, only what
/// goes through operator new.
int64_t allocations_so_far();

}  // namespace weft::testing
