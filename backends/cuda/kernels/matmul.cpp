#include "weft/backends/cuda/kernels/matmul.h"

#include <algorithm>

#include "weft/backends/cuda/kernels/product.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"

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

Product product_of(const ir::Op& op) {
  const MatrixProduct p = ir::matrix_product_of(op);
  const int result = static_cast<int>(op.operands().size());
  Product product{op.result().dtype(), p.batch, p.m, p.n, p.k};
  product.left = matrices(0, p.m, p.k, p.transpose_a);
  product.right = matrices(1, p.k, p.n, p.transpose_b);
  product.result_buffer = result, product.result_places = matrices(result, p.m, p.n, false).places;
  product.most_elements = p.batch * std::max({p.m * p.k, p.k * p.n, p.m * p.n});
  return product;
}

}  // namespace

bool claims_matmul(const ir::Op& op) { return op.bodies().empty() && is_launchable(product_of(op)); }

int64_t matmul_scratch_bytes(const ir::Op& op) { return scratch_bytes(product_of(op)); }

std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name) {
  const Product product = product_of(op);
  return product.batch == 0 ? std::vector<KernelLaunch>() : emit_product(module, op, name, product);
}

std::vector<KernelLaunch> emit_matmul(llvm::Module& module, const ir::Op& op, const std::string& name, const ProductTile& tile) {
  return emit_product(module, op, name, product_of(op), tile);
}

}  // namespace weft::cuda
