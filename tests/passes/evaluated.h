#pragma once
// What a graph computes, for tests that ask whether a pass has changed it.

#include <vector>

#include "weft/ir/module.h"

namespace weft::testing {

/// The first output, by the reference, of inputs in [-0.5, 0.5) that follow from their places alone.
std::vector<double> output_of(const ir::Module& module);

}  // namespace weft::testing
