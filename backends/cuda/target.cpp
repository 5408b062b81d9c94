#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/heavy.h"

namespace weft::cuda {
namespace {

class CudaTarget final : public passes::Target {
 public:
  explicit CudaTarget(std::optional<DType> autocast = {}) : autocast_(autocast) {}

  std::string_view name() const override { return "cuda"; }
  std::optional<DType> autocast() const override { return autocast_; }
  bool claims(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && (!row->claims || row->claims(op));
  }
  bool runs_loops() const override { return false; }
  bool accepts_epilogue(const ir::Op& op, const ir::Graph& body) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->accepts_epilogue && row->accepts_epilogue(body);
  }
  int64_t scratch_bytes(const ir::Op& op) const override {
    const HeavyOp* row = find_heavy(op);
    return row && row->scratch_bytes ? row->scratch_bytes(op) : 0;
  }

 private:
  std::optional<DType> autocast_;
};

}  // namespace

const passes::Target& target() {
  static const CudaTarget instance;
  return instance;
}

const passes::Target& autocast_target() {
  static const CudaTarget instance(bf16);
  return instance;
}

}  // namespace weft::cuda
