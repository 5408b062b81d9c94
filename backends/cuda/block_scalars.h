#pragma once
// Scalars that all threads need and that are dear, such as an optimizer's corrections, which are powers in f64: one thread of a block
// computes them for the others.

#include "weft/backends/codegen/kernel_buffers.h"
#include "weft/passes/analysis/loop_nest.h"

namespace weft::cuda {

/// Of a nest's body: the values of one element that follow no reduction of it and that every element's computation reads, if all
/// together are worth a barrier. What only the results need that have the kept loops, few threads compute.
std::vector<ir::Value> block_scalars(const ir::Graph& body, const passes::LoopNest& nest);

}  // namespace weft::cuda
