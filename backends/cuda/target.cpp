#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/heavy.h"

namespace weft::cuda {
namespace {

class CudaTarget final : public passes::Target {
 public:
  CudaTarget(std::optional<DType> autocast, bool tf32) : autocast_(autocast), tf32_(tf32) {}

  std::string_view name() const override { return "cuda"; }
  std::optional<DType> autocast() const override { return autocast_; }
  bool claims(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && (!row->claims || row->claims(op));
  }
  bool runs_loops() const override { return false; }
  bool accepts_epilogue(const ir::Op& op, const ir::Graph& body) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->accepts_epilogue && row->accepts_epilogue(op, body, tf32_);
  }
  std::vector<const ir::Graph*> activations(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->activations ? row->activations(op.operand(0).dtype(), tf32_) : std::vector<const ir::Graph*>();
  }
  int64_t scratch_bytes(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->scratch_bytes ? row->scratch_bytes(op) : 0;
  }

 private:
  std::optional<DType> autocast_;
  bool tf32_;
};

}  // namespace

const passes::Target& target(std::optional<DType> autocast, bool tf32) {
  static const CudaTarget all[] = {CudaTarget({}, false), CudaTarget({}, true), CudaTarget(bf16, false), CudaTarget(bf16, true)};
  return all[(autocast ? 2 : 0) + (tf32 ? 1 : 0)];
}

}  // namespace weft::cuda
