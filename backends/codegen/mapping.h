#pragma once
// How a nest's loops are shared out among the threads of a GPU, chosen from its extents and accesses:
//
//   single   one thread: there is one element
//   flat     elements: neighbouring threads have neighbouring vectors of the innermost loop, 16 bytes of it where that is aligned
//   row      reductions along what is contiguous in memory: 16 neighbouring threads hold a reduction's 16 partial results
//   column   reductions over outer loops: neighbouring threads have neighbouring results
//   tile     elements of which some operand lies along another loop than the innermost: squares of it go through shared memory
//
// A reduction's order (support/reduction_order.h) is a tree, whose nodes of level 0 are the pieces; 16 nodes of a level make one of
// the next. A thread computes whole nodes of one level for its lane, the groups of a block those of a node of a higher level, which
// they combine in order. Where that is not the top, a second launch combines what the blocks have; so it is for each stage of the nest.

#include "weft/backends/codegen/loops.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {

/// A nest's reductions as a tree for each of the 16 lanes.
struct ReductionTree {
  Dims extents;  // of the reduced loops, the lane axis last; empty: nothing is reduced
  std::optional<ReductionPieces> pieces;
  Dims nodes;  // per level from the pieces on, the last of 1 node

  ReductionTree(const ir::Graph& body, const passes::LoopNest& nest);
  int top() const { return static_cast<int>(nodes.size()) - 1; }
  /// The reduced loop whose indices are cut into pieces, and into how many of what length.
  size_t cut_axis() const { return pieces ? pieces->axis : 0; }
  int64_t cut_length() const;
  int64_t cuts() const { return pieces ? (extents[cut_axis()] + cut_length() - 1) / cut_length() : 1; }
  /// Elements that a lane has of a whole piece.
  int64_t lane_elements() const;
};

struct Mapping {
  enum class Kind { single, flat, row, column, tile };

  Kind kind = Kind::flat;
  int threads = 256;     // of a block
  int64_t blocks = 1;    // of its launch, each striding over what is to do
  bool is_wide = false;  // indices need 64 bits

  // elements
  int vector = 1;   // that a thread computes at once, along the innermost loop
  int at_once = 1;  // such vectors that a thread has in flight

  // reductions: a block's threads are points * lanes * groups
  int points = 1;            // results that a block computes at a time
  int lanes = 16;            // threads that a reduction's partial results are shared out to: 16, or 1, which has them all
  int groups = 1;            // threads that a lane's nodes are shared out to
  int level = 0;             // of the nodes that a thread computes alone
  int block_level = 0;       // of the nodes that a block computes
  bool is_unrolled = false;  // a thread's elements are few: its code has them one after the other and keeps their values
};

/// What a nest may take.
struct MappingLimits {
  int most_threads = 512;  // of a block: at least 256; with more, registers are too few for what a thread keeps
  bool one_block = false;  // others wait for it in the same launch
};

/// Instructions of one element, about; and up to how many a thread's elements have code of their own.
int64_t code_of(const ir::Graph& body);
constexpr int64_t most_unrolled_code = 2400;

/// Squares of so many elements a side are transposed.
constexpr int64_t tile_extent = 32;

/// The loop along which an operand lies that is strided along the innermost one, so that squares of both are worth it; or -1.
int transposed_loop(const ir::Graph& body, const passes::LoopNest& nest, const Loops& loops, const NestAccesses& accesses);

/// The mapping of a nest, of one launch or, where its `block_level` is not the tree's top, of the sweeps.
Mapping choose_mapping(const ir::Graph& body, const passes::LoopNest& nest, const MappingLimits& limits);

/// Of the launches whose leaves are the nodes of the sweeps' block level.
Mapping combining_mapping(const Mapping& first, const ReductionTree& tree, const passes::LoopNest& nest);

}  // namespace weft::codegen
