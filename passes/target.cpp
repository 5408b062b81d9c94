#include "weft/passes/target.h"

#include "weft/ir/op_def.h"

namespace weft::passes {
namespace {

class GenericTarget : public Target {
 public:
  explicit GenericTarget(std::optional<DType> autocast = {}) : autocast_(autocast) {}

  std::string_view name() const override { return "generic"; }
  std::optional<DType> autocast() const override { return autocast_; }
  bool claims(const ir::Op& op) const override { return op.result().dtype() != f64 || !op.is("matmul"); }
  bool accepts_epilogue(const ir::Op&, const ir::Graph& body) const override {
    // broadcast, add, relu: the body of every linear layer.
    int adds = 0, relus = 0;
    for (const auto& op : body.ops()) {
      if (op->def().adds == 1) ++adds;
      else if (op->is("relu")) ++relus;
      else if (!op->def().broadcasts || op->operand(0).shape().rank() != 1) return false;
    }
    return adds <= 1 && relus <= 1 && body.outputs().size() == 1 && body.outputs()[0].value == body.ops().back()->result();
  }

 private:
  std::optional<DType> autocast_;
};

}  // namespace

const Target& generic_target() {
  static const GenericTarget target;
  return target;
}

const Target& generic_autocast_target() {
  static const GenericTarget target(bf16);
  return target;
}

}  // namespace weft::passes
