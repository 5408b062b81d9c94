#include "weft/backends/cuda/ptx.h"

#include <algorithm>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/gpu_shape.h"
#include "weft/ir/op_def.h"
#include "weft/passes/lowered.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// The ops that are kernels.
std::vector<const ir::Op*> kernel_ops(const ir::Graph& graph) {
  std::vector<const ir::Op*> all;
  for (const auto& op : graph.ops()) {
    switch (op->def().kind) {
      case ir::Kind::view:
      case ir::Kind::constant:
      case ir::Kind::heavy: break;
      case ir::Kind::nest:
      case ir::Kind::launch: passes::verify_kernel(*op), all.push_back(op); break;
      case ir::Kind::loop:
        throw Error("{} is a loop, which no program for a GPU has: run the passes from 'expand' on for the target 'cuda'", op->name())
            .at(to_string(op->locations()));
      case ir::Kind::elementwise:
      case ir::Kind::reduction:
      case ir::Kind::movement:
      case ir::Kind::index:
      case ir::Kind::composite:
        throw Error("{} is not part of a kernel: the module has not been through the pass 'fuse'", op->name())
            .at(to_string(op->locations()));
    }
  }
  return all;
}

}  // namespace

Ptx emit_ptx(const ir::Module& module, const std::string& arch) {
  const std::vector<const ir::Op*> ops = kernel_ops(module.graph());
  int buffers = 0;
  for (const ir::Op* op : ops) buffers = std::max(buffers, pointers_of(*op));
  Assembly code(arch, buffers);
  const GpuShape shape;
  codegen::Kernels kernels(code.module(), shape);
  for (const ir::Op* op : ops) kernels.of(*op);

  Ptx ptx{code.finish(), {}};
  for (const codegen::Kernel& k : kernels.all()) ptx.kernels.push_back({k.name, launches_of(k), to_string(k.op->locations())});
  return ptx;
}

}  // namespace weft::cuda
