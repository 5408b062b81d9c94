#pragma once
// Counts the allocations of this test program, those of the libraries included, and apart those inside oneDNN's calls.

#include <cstdint>

namespace weft::testing {

/// Calls of malloc and its kin so far, on any thread. Under a sanitizer, which has an allocator of its own, only what
/// goes through operator new.
int64_t allocations_so_far();

/// Of these, the ones that oneDNN made while it ran a primitive; and how many primitives it ran.
int64_t library_allocations_so_far();
int64_t library_calls_so_far();

}  // namespace weft::testing
