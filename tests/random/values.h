#pragma once
// The numbers that a graph is run on.

#include <cstdint>

#include "weft/backends/reference/reference.h"
#include "weft/ir/graph.h"

namespace weft::test {

/// The elements of an input: a function of its name, role, type and the seed, and the same for a program at every stage.
/// Every type holds them exactly. Parameters and batches lie in [-1, 1), a quarter of them on a few numbers where
/// functions turn (-2, -1, -0.0, 0, 0.5, 1, 2); states and hyper-parameters lie in [0.1, 0.9), since a running square or a
/// decay does; integers in [-4, 4], states of them in [1, 9]. What an op takes for indices lies in its axis, but one input
/// in sixteen also holds some that do not.
reference::Tensor value_of(const ir::Input& input, uint64_t seed);

/// Each floating element moved up or down by `ulps` units in the last place of f32, of f64 where `fine`.
reference::Tensor moved(reference::Tensor t, uint64_t seed, double ulps, bool fine);

}  // namespace weft::test
