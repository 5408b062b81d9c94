#pragma once
// Random graphs over the op registry, and what must hold of each.

#include <cstdint>
#include <optional>
#include <string>

#include "weft/ir/module.h"

namespace weft::test {

/// A function of the seed alone: shapes (ragged, rank 0 to 4, sometimes empty axes), element types and ops drawn over the
/// registry; half of the graphs also hold the gradients of a loss.
ir::Module random_module(uint64_t seed);

/// Compiles the module in three ways (all passes, as few as possible, a subset drawn by `seed`), lets the reference
/// interpret every stage, and compares. Returns what is wrong, or nothing.
std::optional<std::string> find_fault(const ir::Module& module, uint64_t seed);

/// The smallest module that `find_fault` still faults, found by dropping outputs and cutting ops out.
ir::Module shrink(const ir::Module& module, uint64_t seed);

}  // namespace weft::test
