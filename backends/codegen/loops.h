#pragma once
// The loops that a nest is emitted with: neighbouring kept loops that every access walks as one are collapsed, and so are
// the reduced ones that a reduction's order counts as one (support/reduction_order.h), whoever walks them. Vectors run along the
// innermost loop, or where that is reduced to few elements along the innermost kept one; the other kept ones are shared out as
// work units. Without vectors all kept loops are shared out.

#include <vector>

#include "weft/passes/analysis/loop_nest.h"

namespace weft::codegen {

/// One emitted loop: a run of the nest's loops, first to last, collapsed.
struct Loop {
  int first = 0, last = 0;
  int64_t extent = 1;
  bool reduced = false;
};

struct Loops {
  std::vector<Loop> all;   // outermost first, as in the nest
  std::vector<int> rows;   // kept loops without the vector loop: numbers into `all`
  std::vector<int> inner;  // reduced loops, the vector loop last if it is one of them
  int vector = -1;         // the loop that vectors run along; -1 when there is none
  /// The loop that runs in tiles of `lanes` inside a kept vector loop: a row loop, or the innermost reduced one; -1: none. Some
  /// operand lies along it and is strided along the vector loop: a tile of it is read in whole vectors and transposed.
  int tile = -1;
  /// So many neighbouring vectors along a kept vector loop run together inside the reduced loops, so that a strip of every row is
  /// read at a time; 1: each by itself.
  int strip = 1;
  int64_t row_count = 1;  // points of `rows`, of the tiled loop its tiles
  int64_t blocks = 1;     // vectors along a kept vector loop
  /// The work units are rows, or the vectors along the vector loop of every row.
  bool units_are_blocks = false;
  int64_t units = 1;

  /// How often a row loop runs: once a tile for the tiled one.
  int64_t rows_of(int loop, int lanes) const {
    const int64_t extent = all[static_cast<size_t>(loop)].extent;
    return loop == tile ? (extent + lanes - 1) / lanes : extent;
  }
  bool tiles_rows() const { return tile >= 0 && !all[static_cast<size_t>(tile)].reduced; }
  bool vector_reduced() const { return vector >= 0 && all[static_cast<size_t>(vector)].reduced; }
};

/// An affine function of the nest's loops as a function of the collapsed ones.
struct Walk {
  ir::Affine along;  // of the collapsed loops
  /// What it follows of loops that were collapsed though it does not walk them as one: loops of the nest, and the steps.
  std::vector<std::pair<int, int64_t>> apart;
};
Walk collapsed(const ir::Affine& a, const passes::LoopNest& nest, const Loops& loops);

/// Does an operand that is read so lie along this loop, while the lanes of a vector are apart?
bool lies_along(const Walk& walk, int loop, const Loops& loops);

/// One place of the body that reads an operand.
struct OperandRead {
  int input;
  ir::IndexMap map;
  ir::Affine offset;  // of the element
  bool guarded;       // behind a pad or a concat, where it may be none
};

struct NestAccesses {
  std::vector<OperandRead> reads;
  std::vector<ir::Affine> writes;  // per output
  int64_t largest_index = 0;       // no index on the way to an element is of larger magnitude
};
NestAccesses accesses_of(const ir::Graph& body, const passes::LoopNest& nest);

/// For vectors of so many lanes; with one lane there is no vector loop.
Loops plan_loops(const ir::Graph& body, const passes::LoopNest& nest, int lanes);

/// The linear element offset of an index into a dense row-major value of this shape.
ir::Affine linear_offset(const Shape& shape, const ir::IndexMap& map, int loop_count);

}  // namespace weft::codegen
