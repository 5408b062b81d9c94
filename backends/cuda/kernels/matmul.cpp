#include "weft/backends/cuda/kernels/matmul.h"

#include <algorithm>

#include "weft/backends/cuda/exec/product.h"
#include "weft/backends/cuda/kernels/product.h"
#include "weft/backends/program/epilogue.h"
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

Product kernel_product(const ir::Op& op) {
  const ProductCall p = program::product_of(op);
  const int result = static_cast<int>(p.result_buffer());
  Product product{p.dtype, p.batch, p.m, p.n, p.k};
  product.left = matrices(0, p.m, p.k, p.transpose_a);
  product.right = matrices(1, p.k, p.n, p.transpose_b);
  product.result_buffer = result, product.result_places = matrices(result, p.m, p.n, false).places;
  if (p.addend) product.added = {2, product.result_places};
  if (p.bias) product.added = {2, [](IRBuilder&, Value*, Value*, Value* column) -> Place { return {column}; }};
  product.most_elements = p.batch * std::max({p.m * p.k, p.k * p.n, p.m * p.n});
  return product;
}

}  // namespace

bool claims_matmul(const ir::Op& op) {
  return (op.bodies().empty() || accepts_matmul_epilogue(op.body())) && is_launchable(kernel_product(op));
}

bool accepts_matmul_epilogue(const ir::Graph& body) { return program::epilogue_of(body).has_value(); }

int64_t matmul_scratch_bytes(const ir::Op& op) {
  return std::max(scratch_bytes(kernel_product(op)), workspace_bytes({program::product_of(op)}));
}

CallDescriptor describe_matmul(const ir::Op& op, const KernelCall& kernels, bool tf32) {
  const ProductSpec spec{program::product_of(op), tf32 && op.result().dtype() == f32};
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
