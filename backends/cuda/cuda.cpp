#include "weft/backends/cuda/cuda.h"

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/gpu_shape.h"
#include "weft/backends/cuda/heavy.h"
#include "weft/backends/program/launches.h"
#include "weft/ir/op_def.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

using ir::Op;

size_t buffers_of(const Op& op) { return op.operands().size() + op.results().size(); }

/// The most pointers that an entry point takes.
int most_pointers(const ir::Graph& graph) {
  int most = 0;
  for (const auto& op : graph.ops()) {
    if (op->def().kind == ir::Kind::loop) most = std::max(most, most_pointers(op->body()));
    else most = std::max(most, op->def().is_region() ? pointers_of(*op) : static_cast<int>(buffers_of(*op)));
  }
  return most;
}

/// Every launch becomes kernels: of a loop nest, or what a heavy op's row emits.
class CudaLowering final : public program::Lowering {
 public:
  CudaLowering(const std::string& arch, int buffers, bool tf32) : code_(arch, buffers), kernels_(code_.module(), shape_), tf32_(tf32) {}

  Made call(const Op& op) override {
    const HeavyOp* row = find_heavy(op);
    WEFT_CHECK(row, "the target claims {}, for which there is no row", op.name());
    const std::string name = fmt::format("weft_h{:02}_{}", heavy_++, op.name());
    KernelCall call{row->emit(code_.module(), op, name), buffers_of(op)};
    for (size_t i = 0; i < call.buffers; ++i) call.pointers.push_back({i, 0});
    return add(row->describe ? row->describe(op, call, tf32_) : describe(call), call.launches.empty() ? "" : call.launches.front().name,
               call.buffers);
  }

  Made kernel(const Op& op) override {
    const codegen::Kernel& kernel = kernels_.of(op);
    KernelCall call{launches_of(kernel), buffers_of(op)};
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op)) call.pointers.push_back({static_cast<size_t>(b.number), b.offset});
    return add(describe(call), kernel.name, call.buffers);
  }

  ProgramData finish(LaunchList list, const std::string& arch, std::vector<KernelText>* texts) {
    const std::string ptx = code_.finish();
    if (texts) texts->push_back({"kernels", {{CodeKind::ptx, ptx}}});
    const auto* bytes = reinterpret_cast<const std::byte*>(ptx.data());
    return {"cuda", std::move(list), std::move(calls_), {{arch, {bytes, bytes + ptx.size()}, {}, {}}}};
  }

 private:
  Made add(CallDescriptor call, const std::string& name, size_t buffers) {
    calls_.push_back(std::move(call));
    return {name, buffers};
  }

  Assembly code_;
  GpuShape shape_;
  codegen::Kernels kernels_;
  std::vector<CallDescriptor> calls_;
  bool tf32_;
  int heavy_ = 0;
};

}  // namespace

ProgramData lower(const ir::Module& module, const std::string& arch, std::vector<KernelText>* kernels, bool tf32) {
  const passes::Target& planned_for = target({}, tf32);
  program::require_planned(module, planned_for);
  CudaLowering lowering(arch, most_pointers(module.graph()), tf32);
  return lowering.finish(program::launches_of(module, planned_for, lowering), arch, kernels);
}

}  // namespace weft::cuda
