#pragma once
// The heavy ops of the IR, a row each: generated kernels, and where one of NVIDIA's libraries has the same, how it is asked.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/product.h"
#include "weft/ir/graph.h"

namespace llvm {
class Module;
}

namespace weft::cuda {

/// See passes/target.h for what is asked. Null, where nothing is said of it.
struct HeavyOp {
  std::string_view name;
  /// Null: it runs whatever its operands are.
  bool (*claims)(const ir::Op&) = nullptr;
  bool (*accepts_epilogue)(const ir::Op&, const ir::Graph& body, bool tf32) = nullptr;
  std::vector<const ir::Graph*> (*activations)(DType, bool tf32) = nullptr;
  ir::NamedAttributes (*layouts)(const ir::Op&, bool tf32) = nullptr;
  int64_t (*scratch_bytes)(const ir::Op&) = nullptr;
  /// Adds the op's kernels to the module and returns how they are launched, one after the other; none for a result without elements.
  /// Each takes the same table: the op's operands in order, then its results, all at multiples of 64 bytes. Their names begin with
  /// `name`. The bits of the results follow from the op alone, but for products of bf16 and attention of bf16 and f16 by matrix units,
  /// which an Assembly for sm_80 or newer has.
  std::vector<KernelLaunch> (*emit)(llvm::Module&, const ir::Op&, const std::string& name) = nullptr;
  /// The call that one of NVIDIA's libraries may carry out (exec/library_call.h) in place of these kernels. Null: the kernels alone.
  CallDescriptor (*describe)(const ir::Op&, const KernelCall& kernels, bool tf32) = nullptr;
  /// Of an op whose attribute `algorithm` says by which of the library's it runs: what is to be measured.
  ProductSpec (*measured)(const ir::Op&, bool tf32) = nullptr;
};

std::span<const HeavyOp> heavy_ops();
/// Null: there is no row for it.
const HeavyOp* find_heavy(const ir::Op& op);

}  // namespace weft::cuda
