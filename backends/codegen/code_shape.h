#pragma once
// What generated code looks like on a target. The emitter asks this where machines differ; everything else about a
// kernel (loops, addresses, scalar expressions, the order of reductions) is the same on all of them, and so are the
// bits that it computes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace llvm {
class Function;
class Module;
}  // namespace llvm

namespace weft::codegen {

/// One loop nest as a function `void (ptr buffers, i64 begin, i64 end)` that runs its work units begin to end - 1.
/// Units are independent of each other: they may run in any order and at the same time. Where nests are shared, one more
/// argument points to i32 numbers: which of the buffers are the nest's inputs, then which are its outputs.
struct EmittedNest {
  llvm::Function* function;
  int64_t units;
  std::vector<int> buffers = {};  // those numbers
};

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
  /// Elements that the innermost loop computes at once: reduction_lanes, in a vector; or 1, in scalars, where every point
  /// of the kept loops is a work unit.
  virtual int lanes() const = 0;
  /// May a kernel call the C library's mathematical functions?
  virtual bool has_libm() const = 0;
  /// Do kernels call the same function for equal nests? Else each has its own, which knows its buffers.
  virtual bool shares_nests() const = 0;
  /// LLVM's number of the address space that buffers lie in.
  virtual unsigned buffer_space() const = 0;

  /// Adds the functions, `name` the first, that launches call one after the other and that run these nests; all read the same
  /// table of `buffers` pointers. When `serial`, the nests run one after the other, each seeing what those before it wrote;
  /// otherwise no nest depends on another.
  virtual std::vector<EntryPoint> emit_entries(llvm::Module& module, const std::string& name, std::span<const EmittedNest> nests,
                                               int buffers, bool serial) const = 0;
};

}  // namespace weft::codegen
