#pragma once
// Keeps the memory of a step below what the target may have (Target::memory_limit), by computing again what is wanted later.
//
//   %a = fused(%x) { .. }                       %a = fused(%x) { .. }
//   ..                              becomes     ..
//   %g = matmul(%d, %a)                         %a' = fused(%x) { .. }
//                                               %g = matmul(%d, %a')
//
// Where most is live, a value that is not read before the backward half comes back to it need not lie there: its kernel or call, and
// those before it whose results are gone by then, run once more right before the reader. Of all such values the one goes first that
// frees most for what it costs to compute. The ops are the same, and so are the bits. Where nothing more can be computed again and the
// rest is still too much, that is an error, which names the largest values that are live then.
//
// Runs on what `schedule` has put in order.

#include <optional>
#include <string_view>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// Throws weft::Error where the limit cannot be met.
bool rematerialize(ir::Module& module, const Target& target);

/// Throws weft::Error, naming the target, for a limit that is none.
void require_memory_limit(std::optional<int64_t> limit, std::string_view target);

}  // namespace weft::passes
