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

  /// Adds the function `name` that a launch calls and that runs these nests; all read the same table of `buffers` pointers.
  /// When `serial`, the nests run one after the other, each seeing what those before it wrote; otherwise no nest depends on
  /// another. Returns the number of work units that launches may share out.
  virtual int64_t emit_entry(llvm::Module& module, const std::string& name, std::span<const EmittedNest> nests, int buffers,
                             bool serial) const = 0;
};

}  // namespace weft::codegen
