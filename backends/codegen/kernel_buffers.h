#pragma once
// What the pointers of a kernel's table point to.
//
// Where a nest reads an operand through slices alone, the pointer stands at the first element that they read, and the code
// counts from there: slices that differ only in where they start, as the steps of an unrolled recurrence do, run one kernel.

#include <memory>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::codegen {

/// One pointer.
struct KernelBuffer {
  int number;          // which of the op's operands, or, counted on, results
  int64_t offset = 0;  // bytes from where that starts
};

/// A nest, and which pointers are those of its operands and, behind them, of its results.
struct KernelPart {
  const ir::Op* nest;
  std::vector<int> buffers;
};

/// An operand of an op that one of its results is written over, or may be.
struct Overwritten {
  int operand, result;
  bool operator==(const Overwritten&) const = default;
};
/// Those of an op of a planned program; of another one, all pairs.
std::vector<Overwritten> overwritten_operands(const ir::Op& op);

/// The table of a `fused` or `kernel` op: its operands, its results; for a `kernel`, also one for every operand that one of
/// its nests reads through slices alone.
struct KernelTable {
  std::vector<KernelBuffer> buffers;
  std::vector<KernelPart> parts;         // the op's nests, in order
  std::vector<Overwritten> overwritten;  // where a shape asks for it (code_shape.h)

  explicit KernelTable(const ir::Op& op);
};

inline std::vector<KernelBuffer> buffers_of(const ir::Op& op) { return KernelTable(op).buffers; }

/// Is the operand of a nest, an input of its body, read through slices alone, so that its pointer may stand at any element?
bool is_read_through_slices(ir::Value input);

/// A graph with only that op as its code has it: those slices start at 0. Null: the op is so already.
std::unique_ptr<ir::Graph> counted_from_first_read(const ir::Op& op);

}  // namespace weft::codegen
