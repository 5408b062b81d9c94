#include "weft/backends/program/epilogue.h"

#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"
#include "weft/support/error.h"

namespace weft::program {

std::optional<Epilogue> epilogue_of(const ir::Graph& body) {
  Epilogue result;
  const ir::Value product = body.input(0);
  ir::Value last = product;
  for (const auto& op : body.ops()) {
    if (op->def().broadcasts) {
      // Only a vector along the last axis, read by the addition that follows.
      const ir::Value vector = op->operand(0);
      if (!vector.is_input() || vector.shape().rank() != 1 || vector.shape()[0] != product.shape()[product.shape().rank() - 1])
        return std::nullopt;
    } else if (op->def().adds == 1 && last == product) {
      const ir::Value other = op->operand(0) == last ? op->operand(1) : op->operand(0);
      if (other == last || (op->operand(0) != last && op->operand(1) != last)) return std::nullopt;
      if (other.is_input()) result.addend = other.index();
      else if (other.op()->def().broadcasts) result.bias = other.op()->operand(0).index();
      else return std::nullopt;
      last = op->result();
    } else {
      // Not ReLU: the libraries' turn nan into 0, which would hide a loss of numbers.
      return std::nullopt;
    }
  }
  // The call has room for one further operand.
  const size_t further = result.bias || result.addend ? 1 : 0;
  if (body.outputs().size() != 1 || body.outputs()[0].value != last || body.inputs().size() != 1 + further) return std::nullopt;
  return result;
}

Epilogue epilogue_of(const ir::Op& product) {
  if (product.bodies().empty()) return {};
  const std::optional<Epilogue> epilogue = epilogue_of(product.body());
  WEFT_CHECK(epilogue, "no library can run this epilogue");
  return *epilogue;
}

ProductCall product_of(const ir::Op& op) {
  const Epilogue epilogue = epilogue_of(op);
  return {ir::matrix_product_of(op), op.operand(0).dtype(), epilogue.bias.has_value(), epilogue.addend.has_value()};
}

}  // namespace weft::program
