#include "weft/backends/reference/scalar_program.h"

#include <algorithm>

#include "weft/backends/reference/kernels.h"

namespace weft::reference {

using ir::Primitive;
using ir::ScalarElements;
using ir::ScalarNode;

ScalarProgram::ScalarProgram(ir::ScalarExpression expression, size_t largest)
    : expression_(std::move(expression)), block_(std::clamp<size_t>(largest, 1, 256)) {
  for (const ScalarNode& node : expression_.nodes) {
    const bool argument = node.primitive == Primitive::argument;
    Tensor buffer(ir::Type{node.dtype, Shape{argument ? 0 : static_cast<int64_t>(block_)}});
    if (node.primitive == Primitive::constant) {
      std::fill(buffer.real.begin(), buffer.real.end(), node.real);
      std::fill(buffer.integer.begin(), buffer.integer.end(), wrapped(node.dtype, node.integer));
    }
    buffers_.push_back(std::move(buffer));
  }
  for (const Tensor& buffer : buffers_) values_.push_back(elements_of(buffer));
}

void ScalarProgram::run_block(std::span<const ScalarElements> arguments, size_t start, size_t count) {
  const auto value = [&](int node) { return node < 0 ? ScalarElements() : values_[static_cast<size_t>(node)]; };
  for (size_t i = 0; i < values_.size(); ++i) {
    const ScalarNode& node = expression_.nodes[i];
    if (node.primitive == Primitive::constant) continue;
    if (node.primitive == Primitive::argument) {
      values_[i] = arguments[static_cast<size_t>(node.integer)].from(start);
      continue;
    }
    const DType operand = expression_.nodes[static_cast<size_t>(node.a)].dtype;
    ir::evaluate(node, operand, {value(node.a), value(node.b), value(node.c), buffers_[i].real.data(), buffers_[i].integer.data(), count});
  }
}

void ScalarProgram::run(std::span<const ScalarElements> arguments, Tensor& out, size_t first, size_t count) {
  for (size_t start = 0; start < count; start += block_) {
    const size_t block = std::min(block_, count - start);
    run_block(arguments, start, block);
    const ScalarElements& result = values_.back();
    if (is_floating(out.type.dtype)) std::copy_n(result.real, block, out.real.data() + first + start);
    else std::copy_n(result.integer, block, out.integer.data() + first + start);
  }
}

Tensor elementwise(const ir::Op& op, Operands operands) {
  Tensor result(op.result().type());
  std::vector<ScalarElements> arguments;
  for (const Tensor* t : operands) arguments.push_back(elements_of(*t));
  const auto count = static_cast<size_t>(result.type.shape.numel());
  ScalarProgram(ir::scalar_of(op), count).run(arguments, result, 0, count);
  return result;
}

}  // namespace weft::reference
