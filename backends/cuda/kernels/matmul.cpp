#include "weft/backends/cuda/kernels/matmul.h"

#include <algorithm>
#include <unordered_map>

#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/backends/cuda/kernels/product.h"
#include "weft/backends/cuda/product_epilogue.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

/// One matrix behind the other, each row-major with so many rows and columns, or transposed.
ProductSide matrices(int buffer, int64_t rows, int64_t columns, bool transposed) {
  const auto places = [=](IRBuilder& b, Value* batch, Value* row, Value* column) -> Place {
    Value* first = b.CreateMul(batch, codegen::integer(batch, rows * columns));
    Value *major = transposed ? column : row, *minor = transposed ? row : column;
    Value* in_matrix = b.CreateAdd(b.CreateMul(major, codegen::integer(major, transposed ? rows : columns)), minor);
    return {b.CreateAdd(first, in_matrix)};
  };
  return {buffer, places, transposed};
}

/// The elements that are known of a body's values.
using Elements = std::unordered_map<ir::Value, Value*, ir::ValueHash>;

/// An element of a value, made of those that are known; rounded where its type says so.
Value* element_of(IRBuilder& b, ir::Value v, Elements& known) {
  if (const auto found = known.find(v); found != known.end()) return found->second;
  const ir::Op& op = *v.op();
  Value* element = nullptr;
  if (op.def().kind == ir::Kind::constant) {
    element = llvm::ConstantFP::get(codegen::register_type(b.getContext(), v.dtype()), op.attribute<ir::Dense>("value").at(0));
  } else {
    Values operands;
    for (const ir::Value operand : op.operands()) operands.push_back(element_of(b, operand, known));
    element = codegen::emit_scalar(b, ir::scalar_of(op), operands);
  }
  return known[v] = element;
}

ProductActivation activation_of(const ir::Op& op, const ProductEpilogue& epilogue, const ProductSpec& spec) {
  const auto apply = [&body = op.body(), epilogue](IRBuilder& b, Value* element, Value* operand) {
    Elements known{{epilogue.before, element}};
    if (epilogue.operand) known[body.input(*epilogue.operand)] = operand;
    return element_of(b, body.outputs()[0].value, known);
  };
  ProductActivation activation{apply};
  if (epilogue.operand) activation.operand_buffer = *epilogue.operand + 1;  // the body's input 0 stands for both factors
  if (spec.keeps_operand) activation.kept_buffer = static_cast<int>(spec.kept_buffer());
  return activation;
}

Product kernel_product(const ir::Op& op) {
  const ProductSpec p = product_spec_of(op, /*tf32=*/false);
  const int result = static_cast<int>(p.result_buffer());
  Product product{p.dtype, p.batch, p.m, p.n, p.k};
  product.left = matrices(0, p.m, p.k, p.transpose_a);
  product.right = matrices(1, p.k, p.n, p.transpose_b);
  product.result_buffer = result, product.result_places = matrices(result, p.m, p.n, false).places;
  if (p.addend) product.added = {2, product.result_places};
  if (p.bias) product.added = {2, [](IRBuilder&, Value*, Value*, Value* column) -> Place { return {column}; }};
  if (p.activation != Activation::none) product.activation = activation_of(op, *product_epilogue_of(op, op.body(), true), p);
  if (p.bias_gradient) product.sum_buffer = static_cast<int>(p.sum_buffer());
  product.most_elements = p.batch * std::max({p.m * p.k, p.k * p.n, p.m * p.n});
  return product;
}

}  // namespace

bool claims_matmul(const ir::Op& op) {
  return (op.bodies().empty() || accepts_matmul_epilogue(op, op.body(), true)) && is_launchable(kernel_product(op));
}

bool accepts_matmul_epilogue(const ir::Op& op, const ir::Graph& body, bool tf32) { return product_epilogue_of(op, body, tf32).has_value(); }

int64_t matmul_scratch_bytes(const ir::Op& op) {
  return std::max(scratch_bytes(kernel_product(op)), workspace_bytes(product_spec_of(op, /*tf32=*/false)));
}

CallDescriptor describe_matmul(const ir::Op& op, const KernelCall& kernels, bool tf32) {
  const ProductSpec spec = product_spec_of(op, tf32);
  return is_for_library(spec) ? describe(spec, kernels) : describe(kernels);
}

std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const Product product = kernel_product(op);
  return product.batch == 0 ? std::vector<KernelLaunch>() : emit_product(module, op, name, product);
}

std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name, const ProductTile& tile) {
  return emit_product(module, op, name, kernel_product(op), tile);
}

}  // namespace weft::cuda
