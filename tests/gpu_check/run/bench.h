#pragma once
// The times of a bundle's programs.

#include "weft/tests/gpu_check/run/options.h"

namespace weft::gpu_check {

/// A table: of each program the median time of a call, what it moves and computes in it, and that as a fraction of the best that was
/// measured on this machine: the copy "memory/copy", and the fastest product of the same precision. Returns 0 where something was
/// measured and nothing failed.
int bench(const Options& options);

/// Serves one program, named by --only, to whoever compares it with others: "ready" once it is warm, then for each line with a number
/// of seconds on standard input a line with the median milliseconds of a call, measured for so long.
int serve(const Options& options);

}  // namespace weft::gpu_check
