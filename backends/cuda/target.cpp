#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/heavy.h"
#include "weft/backends/program/targets.h"
#include "weft/ir/ops/loop.h"
#include "weft/runtime/array.h"

namespace weft::cuda {
namespace {

class CudaTarget final : public passes::Target {
 public:
  CudaTarget(std::optional<DType> autocast, bool tf32, std::optional<int64_t> memory_limit)
      : autocast_(autocast), tf32_(tf32), memory_limit_(memory_limit) {}

  std::string_view name() const override { return "cuda"; }
  std::optional<DType> autocast() const override { return autocast_; }
  std::optional<int64_t> memory_limit() const override { return memory_limit_; }
  bool claims(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && (!row->claims || row->claims(op));
  }
  /// Its kernels and libraries take for granted that buffers are aligned, and so slices must be.
  bool runs_loop(const ir::Op& op) const override {
    const ir::Scan s = ir::scan_of(op);
    const auto fits = [](const ir::Value& stacked) { return ir::slice_of(stacked.type()).bytes() % int64_t{buffer_alignment} == 0; };
    for (int i = 0; i < s.operands(); ++i)
      if (s.is_sliced(i) && !fits(op.operand(i))) return false;
    for (int i = s.carried; i < s.carried + s.stacked; ++i)
      if (!fits(op.result(i))) return false;
    return true;
  }
  bool accepts_epilogue(const ir::Op& op, const ir::Graph& body) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->accepts_epilogue && row->accepts_epilogue(op, body, tf32_);
  }
  std::vector<const ir::Graph*> activations(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->activations ? row->activations(op.operand(0).dtype(), tf32_) : std::vector<const ir::Graph*>();
  }
  ir::NamedAttributes layouts(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->layouts ? row->layouts(op, tf32_) : ir::NamedAttributes();
  }
  int64_t scratch_bytes(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->scratch_bytes ? row->scratch_bytes(op) : 0;
  }

 private:
  std::optional<DType> autocast_;
  bool tf32_;
  std::optional<int64_t> memory_limit_;
};

}  // namespace

const passes::Target& target(std::optional<DType> autocast, bool tf32, std::optional<int64_t> memory_limit) {
  static auto* const all = new program::Targets<CudaTarget, std::optional<DType>, bool, std::optional<int64_t>>;
  return all->of(autocast, tf32, memory_limit);
}

}  // namespace weft::cuda
