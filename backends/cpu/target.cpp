#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/lowering.h"
#include "weft/ir/op_def.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

class CpuTarget final : public passes::Target {
 public:
  std::string_view name() const override { return "cpu"; }
  bool claims(const ir::Op& op) const override {
    if (op.is("matmul")) return supports_matmul(op.operand(0).dtype());
    if (is_convolution(op)) {
      // The library knows no empty tensors.
      const bool empty = op.operand(0).shape().numel() == 0 || op.operand(1).shape().numel() == 0 || op.result().shape().numel() == 0;
      return op.operand(0).dtype() == f32 && !empty && knows_formats(convolution_spec(op));
    }
    return true;
  }
  bool accepts_epilogue(const ir::Op& op, const ir::Graph& body) const override { return op.is("matmul") && epilogue_of(body).has_value(); }
  bool mirrors(const ir::Op& op) const override {
    if (!op.is("convolution") || !claims(op)) return false;
    const auto other = ir::mirrored(ir::convolution_of(op));
    return other && runs_faster_as(convolution_spec(*other, ConvolutionSpec::Wanted::x), convolution_spec(op));
  }
  ir::NamedAttributes layouts(const ir::Op& op) const override {
    if (!is_convolution(op)) return {};
    ConvolutionSpec spec = convolution_spec(op);
    spec.slices = useful_slices(spec, cores_);
    const ConvolutionLayouts wanted = preferred_layouts(spec);
    return {{"x_layout", wanted.x}, {"w_layout", wanted.w}, {"y_layout", wanted.y}};
  }
  int64_t parts(const ir::Op& op) const override { return is_convolution(op) ? useful_slices(convolution_spec(op), cores_) : 1; }
  int64_t slices(const ir::Op& op) const override {
    if (op.is("matmul")) return useful_slices(matmul_spec(op), cores_);
    return is_convolution(op) ? useful_slices(convolution_spec(op), cores_) : 1;
  }
  int64_t scratch_bytes(const ir::Op& op) const override {
    if (op.is("matmul")) return matmul_scratch_bytes(matmul_spec(op));
    if (op.is("coalesce")) return coalesce_scratch_bytes(indexing_spec(op).count);
    return is_convolution(op) ? convolution_scratch_bytes(convolution_spec(op)) : 0;
  }

 private:
  int cores_ = available_cores();
};

}  // namespace

const passes::Target& target() {
  static const CpuTarget instance;
  return instance;
}

std::optional<Epilogue> epilogue_of(const ir::Graph& body) {
  Epilogue result;
  ir::Value last = body.input(0);
  for (const auto& op : body.ops()) {
    if (op->is("broadcast")) {
      // Only a vector along the last axis, read by the addition that follows.
      const ir::Value vector = op->operand(0);
      if (!vector.is_input() || vector.shape().rank() != 1 || vector.shape()[0] != last.shape()[last.shape().rank() - 1]) return std::nullopt;
    } else if (op->is("add") && !result.bias && !result.addend) {
      const ir::Value other = op->operand(0) == last ? op->operand(1) : op->operand(0);
      if (other == last) return std::nullopt;
      if (other.is_input()) result.addend = other.index();
      else if (other.op()->is("broadcast")) result.bias = other.op()->operand(0).index();
      else return std::nullopt;
    } else {
      // Not ReLU: oneDNN's turns nan into 0, which would hide a loss of numbers.
      return std::nullopt;
    }
    if (!op->is("broadcast")) last = op->result();
  }
  return result;
}

}  // namespace weft::cpu
