#include <limits>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/lowering.h"
#include "weft/ir/op_def.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

/// Inside the library some sizes are ints.
bool fits_library(const ir::Op& op) {
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  const ir::Convolution c = ir::convolution_of(op);
  for (const Shape* shape : {&c.x, &c.w, &c.y})
    for (int64_t extent : *shape)
      if (extent > most) return false;
  return true;
}

class CpuTarget final : public passes::Target {
 public:
  std::string_view name() const override { return "cpu"; }
  bool claims(const ir::Op& op) const override {
    if (op.is("matmul")) return supports_matmul(op.operand(0).dtype());
    if (is_convolution(op)) {
      // The library knows no empty tensors.
      const bool empty = op.operand(0).shape().numel() == 0 || op.operand(1).shape().numel() == 0 || op.result().shape().numel() == 0;
      return op.operand(0).dtype() == f32 && !empty && fits_library(op) && knows_formats(convolution_spec(op));
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
    if (!is_convolution(op) || !claims(op)) return {};
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
    if (op.is("scatter_add")) return scatter_add_scratch_bytes(indexing_spec(op));
    if (op.is("coalesce")) return coalesce_scratch_bytes(indexing_spec(op).count);
    return answer(op).scratch_bytes;
  }
  Implementation implementation(const ir::Op& op) const override {
    const Answer a = answer(op);
    return {a.implementation, a.is_plain()};
  }
  bool is_better_expanded(const ir::Op& op) const override {
    return is_convolution(op) && claims(op) && has_only_plain_loops(convolution_spec(op)) && !mirrors(op);
  }

 private:
  /// What the library says of the op as it is.
  static Answer answer(const ir::Op& op) {
    if (op.is("matmul")) return matmul_answer(matmul_spec(op));
    return is_convolution(op) ? convolution_answer(convolution_spec(op)) : Answer();
  }

  int cores_ = available_cores();
};

}  // namespace

const passes::Target& target() {
  static const CpuTarget instance;
  return instance;
}

std::optional<Epilogue> epilogue_of(const ir::Graph& body) {
  Epilogue result;
  const ir::Value product = body.input(0);
  ir::Value last = product;
  for (const auto& op : body.ops()) {
    if (op->is("broadcast")) {
      // Only a vector along the last axis, read by the addition that follows.
      const ir::Value vector = op->operand(0);
      if (!vector.is_input() || vector.shape().rank() != 1 || vector.shape()[0] != product.shape()[product.shape().rank() - 1]) return std::nullopt;
    } else if (op->is("add") && last == product) {
      const ir::Value other = op->operand(0) == last ? op->operand(1) : op->operand(0);
      if (other == last || (op->operand(0) != last && op->operand(1) != last)) return std::nullopt;
      if (other.is_input()) result.addend = other.index();
      else if (other.op()->is("broadcast")) result.bias = other.op()->operand(0).index();
      else return std::nullopt;
      last = op->result();
    } else {
      // Not ReLU: oneDNN's turns nan into 0, which would hide a loss of numbers.
      return std::nullopt;
    }
  }
  // The call has room for one further operand.
  const size_t further = result.bias || result.addend ? 1 : 0;
  if (body.outputs().size() != 1 || body.outputs()[0].value != last || body.inputs().size() != 1 + further) return std::nullopt;
  return result;
}

}  // namespace weft::cpu
