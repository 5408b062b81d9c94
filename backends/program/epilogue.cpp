#include "weft/backends/program/epilogue.h"

#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"
#include "weft/support/error.h"

namespace weft::program {

std::optional<Epilogue> sum_of(const ir::Graph& body, ir::Value v) {
  const ir::Value product = body.input(0);
  if (v == product) return Epilogue();
  if (v.is_input() || v.op()->def().adds != 1) return std::nullopt;
  const ir::Op& sum = *v.op();
  const ir::Value other = sum.operand(0) == product ? sum.operand(1) : sum.operand(0);
  if (other == product || (sum.operand(0) != product && sum.operand(1) != product)) return std::nullopt;
  if (other.is_input()) return Epilogue{.addend = other.index()};
  if (!other.op()->def().broadcasts) return std::nullopt;
  // Only a vector along the last axis.
  const ir::Value vector = other.op()->operand(0);
  if (!vector.is_input() || vector.shape().rank() != 1 || vector.shape()[0] != product.shape()[product.shape().rank() - 1])
    return std::nullopt;
  return Epilogue{.bias = vector.index()};
}

std::optional<Epilogue> epilogue_of(const ir::Graph& body) {
  if (body.outputs().size() != 1) return std::nullopt;
  // Not ReLU: the libraries' turn nan into 0, which would hide a loss of numbers.
  const std::optional<Epilogue> sum = sum_of(body, body.outputs()[0].value);
  if (!sum) return std::nullopt;
  // The call has room for one further operand.
  const size_t further = sum->bias || sum->addend ? 1 : 0, ops = further + (sum->bias ? 1 : 0);
  return body.inputs().size() == 1 + further && body.ops().size() == ops ? sum : std::nullopt;
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
