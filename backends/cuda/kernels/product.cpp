#include "weft/backends/cuda/kernels/product.h"

#include <algorithm>

#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/kernels/product_kernel.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

ProductExtents extents_of(const Product& p) { return {p.dtype, p.batch, p.m, p.n, p.k}; }
int64_t elements_of(const Product& p) { return p.batch * p.m * p.n; }
ir::Value last_result(const ir::Op& op) { return op.result(op.result_count() - 1); }
DType sum_dtype(const Product& p) { return computed_in(p.dtype); }

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
  all.result_buffer = scratch_buffer, all.result_dtype = sum_dtype(p), all.added = {}, all.activation = {};
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
    store_element(k, p, sum[0], at[0], at[1], at[2]);
  });
  return k.finish(blocks_for(elements_of(p)));
}

/// `sum`, and what is added to it, for that element of the result.
Value* with_added(KernelBuilder& k, const Product& p, Value* sum, Value* batch, Value* row, Value* column) {
  if (!p.added) return sum;
  Value* more = k.load(p.dtype, k.buffer(p.added->buffer), p.added->places(k.b, batch, row, column).offset);
  return sum->getType()->isFloatingPointTy() ? k.b.CreateFAdd(sum, more) : k.b.CreateAdd(sum, more);
}

/// Threads of a block have neighbouring columns; each adds up every 8th row, and then one of them what the 8 have.
KernelLaunch emit_sum_over_rows(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& p) {
  constexpr int64_t columns = 32, groups = block_threads / columns;
  KernelBuilder k(module, op, name);
  IRBuilder& b = k.b;
  const auto number = [&](int64_t v) { return b.getInt64(static_cast<uint64_t>(v)); };
  const Values at = digits_of(b, b.CreateZExt(k.thread(), b.getInt64Ty()), {groups, columns});
  Value* column = b.CreateAdd(b.CreateMul(b.CreateZExt(k.block(), b.getInt64Ty()), number(columns)), at[1]);
  Value *is_there = b.CreateICmpULT(column, number(p.n)), *rows = k.buffer(p.result_buffer);
  Value* last = b.CreateSelect(is_there, number(p.m), number(0));
  llvm::Type* type = codegen::register_type(b.getContext(), sum_dtype(p));
  Value* zero = llvm::Constant::getNullValue(type);
  const Values mine = k.loop(at[0], last, number(groups), {zero}, [&](Value* row, const Values& sum) -> Values {
    return {b.CreateFAdd(sum[0], k.load(p.dtype, rows, p.result_places(b, number(0), row, column).offset))};
  });
  Value* sums = k.shared(type, groups * columns);
  const auto place = [&](Value* group) { return b.CreateGEP(type, sums, b.CreateAdd(b.CreateMul(group, number(columns)), at[1])); };
  b.CreateStore(mine[0], place(at[0]));
  k.barrier();
  k.when(b.CreateAnd(is_there, b.CreateICmpEQ(at[0], number(0))), [&] {
    Value* sum = zero;
    for (int64_t group = 0; group < groups; ++group) sum = b.CreateFAdd(sum, b.CreateLoad(type, place(number(group))));
    k.store(p.dtype, k.buffer(*p.sum_buffer), column, sum);
  });
  return k.finish((p.n + columns - 1) / columns);
}

/// With and without matrix units, for one who does not know the architecture.
template <class Visit>
void for_each_tile(const Product& p, bool memory_for_parts, Visit visit) {
  for (const bool matrix_units : {false, true}) visit(tile_for(extents_of(p), {matrix_units, memory_for_parts}));
}

}  // namespace

void store_element(KernelBuilder& k, const Product& p, Value* sum, Value* batch, Value* row, Value* column) {
  Value *element = with_added(k, p, sum, batch, row, column), *offset = p.result_places(k.b, batch, row, column).offset;
  if (p.activation) {
    element = codegen::rounded(k.b, p.dtype, element);
    if (p.activation->kept_buffer) k.store(p.dtype, k.buffer(*p.activation->kept_buffer), offset, element);
    const auto& operand = p.activation->operand_buffer;
    element = p.activation->apply(k.b, element, operand ? k.load(p.dtype, k.buffer(*operand), offset) : nullptr);
  }
  k.store(p.result_dtype, k.buffer(p.result_buffer), offset, element);
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
  std::vector<KernelLaunch> launches;
  if (tile.parts == 1) {
    launches = {kernel(module, op, name, product, tile)->emit()};
  } else {
    WEFT_CHECK(ir::is_scratch(last_result(op)), "{} has no memory for the sums of parts", op.name());
    const int scratch = static_cast<int>(op.operands().size()) + last_result(op).index();
    const Product parts = of_parts(product, tile.parts, scratch);
    launches = {kernel(module, op, name + "_parts", parts, tile)->emit(),
                emit_sum_of_parts(module, op, name, product, tile.parts, scratch)};
  }
  if (product.sum_buffer) launches.push_back(emit_sum_over_rows(module, op, name + "_rows", product));
  return launches;
}

std::vector<KernelLaunch> emit_product(llvm::Module& module, const ir::Op& op, const std::string& name, const Product& product) {
  const ir::Value last = last_result(op);
  const bool has_scratch = ir::is_scratch(last) && last.type().bytes() >= scratch_bytes(product);
  return emit_product(module, op, name, product, tile_for(extents_of(product), {multiplies_bf16_matrices(module), has_scratch}));
}

}  // namespace weft::cuda
