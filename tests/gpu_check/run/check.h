#pragma once
// The checks of a bundle, one after the other.

#include "weft/tests/gpu_check/run/options.h"

namespace weft::gpu_check {

/// Says what failed and ends with "N passed, N failed"; returns 0 where something passed and nothing failed.
int check(const Options& options);

}  // namespace weft::gpu_check
