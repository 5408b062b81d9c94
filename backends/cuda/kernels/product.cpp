#include "weft/backends/cuda/kernels/product.h"

#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/kernels/product_kernel.h"

namespace weft::cuda {

ProductTile tile_of(const llvm::Module& module, const Product& p) {
  return tile_for({p.dtype, p.batch, p.m, p.n, p.k}, multiplies_bf16_matrices(module));
}

bool is_launchable(const Product& p) {
  const ProductExtents extents{p.dtype, p.batch, p.m, p.n, p.k};
  for (const bool with_matrix_units : {false, true})
    if (tile_for(extents, with_matrix_units).blocks(p.batch, p.m, p.n) > most_blocks) return false;
  return true;
}

KernelLaunch emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                          const ProductTile& tile) {
  return (tile.matrix_units ? matrix_units_kernel : threads_kernel)(module, op, name, product, tile)->emit();
}

}  // namespace weft::cuda
