#pragma once
// Products of matrices whose elements lie anywhere: of an op matmul, or of a convolution as one.
//
// A block computes a tile of the result. It goes along k in steps: tiles of both operands come into shared memory, and each thread adds
// to its part of the result what it reads of them. Whatever the tiles are, an element of the result is the sum of its products in
// ascending k, each rounded once with the sum before it (fma), from 0 on; of narrow types in f32, rounded at the end. Only where matrix units
// multiply, 16 products are added at once, as the hardware does it; and of a long k, parts are summed so and then added in their order.

#include <functional>
#include <optional>

#include "weft/backends/cuda/kernels/kernel_builder.h"
#include "weft/backends/cuda/kernels/product_tile.h"

namespace weft::cuda {

/// Where an element lies in its buffer. Numbers are of the product's index type.
struct Place {
  Value* offset;
  /// Null: always; else where false, the element is 0 and the offset means nothing.
  Value* exists = nullptr;
};

/// Of the matrix number `batch`.
using Places = std::function<Place(IRBuilder& b, Value* batch, Value* row, Value* column)>;

/// An operand: of the left one rows are m and columns are k; of the right one rows are k and columns are n.
struct ProductSide {
  int buffer;
  Places places;
  bool rows_are_neighbours;  // do elements of one column lie side by side in memory, or else those of one row?
};

/// An element that is added to a result's.
struct ProductAddend {
  int buffer;
  Places places;
};

/// What becomes of each element of the result once all is added to it and rounded to the operands' type. The buffers lie as the result.
struct ProductActivation {
  /// Of the element, and of that of the operand, if there is one.
  std::function<Value*(IRBuilder& b, Value* element, Value* operand)> apply;
  std::optional<int> operand_buffer = {};
  std::optional<int> kept_buffer = {};  // where the element itself goes
};

/// result[batch][m][n] = sum over k of left[batch][m][k] * right[batch][k][n] (+ added)
struct Product {
  DType dtype;
  int64_t batch = 1, m = 0, n = 0, k = 0;
  ProductSide left, right;
  int result_buffer;
  Places result_places;
  /// Once, to the whole sum, before it is rounded to the result's type. It may lie in the result's own memory.
  std::optional<ProductAddend> added = {};
  std::optional<ProductActivation> activation = {};
  /// Where the sum over the result's rows goes, [n]; of one matrix.
  std::optional<int> sum_buffer = {};
  /// More than any offset or number of the matrices.
  int64_t most_elements = 0;
  DType result_dtype = dtype;
};

/// Can its kernels be launched?
bool is_launchable(const Product& product);
/// Writes that element of the result, whose products sum up to `sum`.
void store_element(KernelBuilder& k, const Product& product, Value* sum, Value* batch, Value* row, Value* column);

/// Memory for the sums of parts of k, which an op may have as one more result.
int64_t scratch_bytes(const Product& product);

/// The kernels of a product with elements: for parts of k, a second one adds up what the first one leaves in the scratch memory.
std::vector<KernelLaunch> emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                       const ProductTile& tile);
/// With the tile that it takes on the module's architecture, given the op's scratch memory.
std::vector<KernelLaunch> emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product);

}  // namespace weft::cuda
