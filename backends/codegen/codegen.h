#pragma once
// Loop nests and scalar expressions to LLVM IR, for any LLVM target: code_shape.h says what differs between them.
//
// A kernel reads a table of pointers (kernel_buffers.h) and runs work units that are independent of each other, so threads may
// share them out; how they are shared out changes no bit of the result.

#include <deque>
#include <unordered_map>
#include <utility>

#include "weft/backends/codegen/code_shape.h"
#include "weft/backends/codegen/kernel_buffers.h"
#include "weft/ir/graph.h"

namespace weft::codegen {

/// One loop nest as a function `void (ptr buffers, i64 begin, i64 end, ptr numbers)` that runs its work units begin to end - 1.
/// Units are independent of each other: they may run in any order and at the same time. `numbers` points to i32: which of the
/// buffers are the nest's inputs, then which are its outputs.
struct EmittedNest {
  llvm::Function* function;
  int64_t units;
  std::vector<int> buffers = {};  // those numbers
};

/// Nests that are emitted already, by what they compute: kernels of equal nests call the same functions.
class Nests {
 public:
  explicit Nests(llvm::Module& module) : module_(module) {}
  /// The `fused` op as a function, an earlier one's if it computes the same; `name` is that of a new one, and `lanes` the elements
  /// that its innermost loop computes at once: reduction_lanes, in a vector; or 1, every point of the kept loops being a work unit.
  EmittedNest of(const ir::Op& fused, const std::string& name, int lanes, const std::vector<int>& buffers);

 private:
  llvm::Module& module_;
  std::unordered_multimap<size_t, std::pair<const ir::Op*, EmittedNest>> known_;
};

/// Adds the functions for a `fused` or `kernel` op to `module`; returns what launches call, in order. Throws weft::Error with
/// the op's source lines for a function that the target does not have.
std::vector<EntryPoint> emit_kernel(llvm::Module& module, const CodeShape& shape, const ir::Op& op, const std::string& name);

/// Are these nests to run in order?
bool is_serial(const ir::Op& op);

struct Kernel {
  std::string name;                      // as debuggers and profilers show it
  const ir::Op* op;                      // the first that it computes
  std::vector<EntryPoint> entries = {};  // called one after the other, all with the same table of pointers
};

/// The kernels of a program in one LLVM module; ops that compute the same share one. The ops live as long.
class Kernels {
 public:
  Kernels(llvm::Module& module, const CodeShape& shape) : module_(module), shape_(shape), nests_(module) {}
  /// The kernel of a `fused` or `kernel` op, emitted now unless it was before; throws as emit_kernel does.
  const Kernel& of(const ir::Op& op);
  const std::deque<Kernel>& all() const { return all_; }

 private:
  llvm::Module& module_;
  const CodeShape& shape_;
  Nests nests_;
  std::deque<Kernel> all_;
  struct Known {
    const ir::Op* op;
    std::vector<Overwritten> overwritten;
    const Kernel* kernel;
  };
  std::unordered_multimap<size_t, Known> known_;     // by what they compute
  std::vector<std::unique_ptr<ir::Graph>> counted_;  // of those that are not as in the program
};

}  // namespace weft::codegen
