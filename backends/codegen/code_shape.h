#pragma once
// What generated code looks like on a target: how a kernel's nests become functions that launches call. Values, scalar expressions
// and the order of reductions are the same on all of them, and so are the bits that a kernel computes.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/ir/graph.h"

namespace llvm {
class Function;
class Module;
}  // namespace llvm

namespace weft::codegen {

struct KernelTable;
class Nests;

/// A function that a launch calls. The host shares out the work units; a GPU has a grid of blocks, one-dimensional both.
struct EntryPoint {
  std::string name;
  int64_t units = 0;                 // of a host's
  uint32_t blocks = 0, threads = 0;  // of a GPU's
  bool operator==(const EntryPoint&) const = default;
};

class CodeShape {
 public:
  virtual ~CodeShape() = default;

  /// The target, for messages.
  virtual std::string name() const = 0;
  /// May a kernel call the C library's mathematical functions?
  virtual bool has_libm() const = 0;
  /// Do nests of a serial kernel that need not wait for each other run at the same time? Then its code depends on which of its
  /// operands are overwritten (KernelTable::overwritten).
  virtual bool reorders_nests() const { return false; }

  /// Adds the functions that launches call one after the other, the first of this name, and that run the nests of a `fused` or
  /// `kernel` op. All read the same `table` of pointers. A kernel's nests run one after the other where it is serial, each seeing
  /// what those before it wrote; otherwise no nest depends on another. `nests` are those that are there already.
  virtual std::vector<EntryPoint> emit_kernel(llvm::Module& module, const std::string& name, const ir::Op& op, const KernelTable& table,
                                              Nests& nests) const = 0;
};

}  // namespace weft::codegen
