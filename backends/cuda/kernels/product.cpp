#include "weft/backends/cuda/kernels/product.h"

#include <algorithm>

#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/kernels/product_kernel.h"

namespace weft::cuda {
namespace {

ProductExtents extents_of(const Product& p) { return {p.dtype, p.batch, p.m, p.n, p.k}; }
int64_t elements_of(const Product& p) { return p.batch * p.m * p.n; }
DType sum_dtype(const Product& p) { return p.dtype == bf16 ? f32 : p.dtype; }

/// Those of a part, where k counts on from the part before.
Places in_parts(const Product& p, const ProductSide& side, bool is_left, int64_t parts) {
  return [=, batch = p.batch, k = p.k, places = side.places](IRBuilder& b, Value* number, Value* row, Value* column) {
    const Values at = digits_of(b, number, {parts, batch});
    Value*& along = is_left ? column : row;
    along = b.CreateAdd(along, b.CreateMul(at[0], codegen::integer(at[0], part_of(k, parts))));
    Place place = places(b, at[1], row, column);
    Value* is_there = b.CreateICmpULT(along, codegen::integer(along, k));
    place.exists = place.exists ? b.CreateAnd(place.exists, is_there) : is_there;
    return place;
  };
}

/// The products of parts: part by part, their sums lie row-major in the scratch memory.
Product of_parts(const Product& p, int64_t parts, int scratch_buffer) {
  Product all = p;
  all.batch = parts * p.batch, all.k = part_of(p.k, parts);
  all.left.places = in_parts(p, p.left, true, parts), all.right.places = in_parts(p, p.right, false, parts);
  all.result_buffer = scratch_buffer, all.result_dtype = sum_dtype(p), all.added = {};
  all.result_places = [m = p.m, n = p.n](IRBuilder& b, Value* batch, Value* row, Value* column) -> Place {
    Value* before = b.CreateAdd(b.CreateMul(batch, codegen::integer(batch, m)), row);
    return {b.CreateAdd(b.CreateMul(before, codegen::integer(before, n)), column)};
  };
  all.most_elements = std::max({p.most_elements, parts * elements_of(p), parts * all.k});
  return all;
}

/// A thread for each element of the result.
KernelLaunch emit_sum_of_parts(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& p, int64_t parts,
                               int scratch_buffer) {
  KernelBuilder k(module, op, name);
  IRBuilder& b = k.b;
  const auto number = [&](int64_t v) { return b.getInt64(static_cast<uint64_t>(v)); };
  Value *element = k.grid_thread(), *sums = k.buffer(scratch_buffer);
  k.when(b.CreateICmpULT(element, number(elements_of(p))), [&] {
    Value* first = k.load(sum_dtype(p), sums, element, true);
    const Values sum = k.loop(number(1), number(parts), number(1), {first}, [&](Value* part, const Values& before) -> Values {
      Value* at = b.CreateAdd(b.CreateMul(part, number(elements_of(p))), element);
      return {b.CreateFAdd(before[0], k.load(sum_dtype(p), sums, at, true))};
    });
    const Values at = digits_of(b, element, {p.batch, p.m, p.n});
    Value* whole = with_added(k, p, sum[0], at[0], at[1], at[2]);
    k.store(p.dtype, k.buffer(p.result_buffer), p.result_places(b, at[0], at[1], at[2]).offset, whole);
  });
  return k.finish(blocks_for(elements_of(p)));
}

/// With and without matrix units, for one who does not know the architecture.
template <class Visit>
void for_each_tile(const Product& p, bool memory_for_parts, Visit visit) {
  for (const bool matrix_units : {false, true}) visit(tile_for(extents_of(p), {matrix_units, memory_for_parts}));
}

}  // namespace

Value* with_added(KernelBuilder& k, const Product& p, Value* sum, Value* batch, Value* row, Value* column) {
  if (!p.added) return sum;
  Value* more = k.load(p.dtype, k.buffer(p.added->buffer), p.added->places(k.b, batch, row, column).offset);
  return sum->getType()->isFloatingPointTy() ? k.b.CreateFAdd(sum, more) : k.b.CreateAdd(sum, more);
}

bool is_launchable(const Product& p) {
  bool all = blocks_for(elements_of(p)) <= most_blocks;
  for (const bool parts : {false, true})
    for_each_tile(p, parts, [&](const ProductTile& t) { all = all && t.blocks(p.batch, p.m, p.n) * t.parts <= most_blocks; });
  return all;
}

int64_t scratch_bytes(const Product& p) {
  int64_t most = 0;
  for_each_tile(p, true, [&](const ProductTile& t) {
    if (t.parts > 1) most = std::max(most, t.parts * elements_of(p) * static_cast<int64_t>(size_of(sum_dtype(p))));
  });
  return most;
}

std::vector<KernelLaunch> emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product,
                                       const ProductTile& tile) {
  const auto kernel = tile.matrix_units ? matrix_units_kernel : threads_kernel;
  if (tile.parts == 1) return {kernel(module, op, name, product, tile)->emit()};
  WEFT_CHECK(op.result_count() == 2, "{} has no memory for the sums of parts", op.name());
  const int scratch = product.result_buffer + 1;
  const Product parts = of_parts(product, tile.parts, scratch);
  return {kernel(module, op, name + "_parts", parts, tile)->emit(), emit_sum_of_parts(module, op, name, product, tile.parts, scratch)};
}

std::vector<KernelLaunch> emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product) {
  const bool has_scratch = op.result_count() == 2 && op.result(1).type().bytes() >= scratch_bytes(product);
  return emit_product(module, op, name, product, tile_for(extents_of(product), {multiplies_bf16_matrices(module), has_scratch}));
}

}  // namespace weft::cuda
