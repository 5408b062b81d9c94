// ValueEmitter's loads and stores.

#include <algorithm>

#include "weft/backends/codegen/value_emitter.h"
#include "weft/support/error.h"

namespace weft::codegen {
namespace {

using ir::IndexMap;

/// A square of vectors: element j of vector i becomes element i of vector j. A perfect shuffle of the first half's elements
/// with the second's, as many times as the number of vectors has bits.
std::vector<llvm::Value*> transposed(IRBuilder& b, std::vector<llvm::Value*> lines) {
  const int count = static_cast<int>(lines.size());
  const auto interleaved = [&](llvm::Value* x, llvm::Value* y, int first) {
    std::vector<int> order;
    for (int i = 0; i < count / 2; ++i) order.push_back(first + i), order.push_back(count + first + i);
    return b.CreateShuffleVector(x, y, order);
  };
  for (int step = 1; step < count; step *= 2) {
    std::vector<llvm::Value*> next;
    for (size_t i = 0; i < lines.size() / 2; ++i)
      for (int first : {0, count / 2}) next.push_back(interleaved(lines[i], lines[i + lines.size() / 2], first));
    lines = std::move(next);
  }
  return lines;
}

/// What nothing writes may be read at any time, and twice as well as once.
void mark(llvm::Value* load, const ValueBuffer& buffer) {
  if (buffer.is_invariant)
    llvm::cast<llvm::LoadInst>(load)->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(load->getContext(), {}));
}

}  // namespace

/// One element. Where there is none at this place of the loops, it may be another thread's, which writes it.
llvm::Value* ValueEmitter::load_scalar(DType t, const ValueBuffer& buffer, llvm::Value* offset, bool is_everywhere) {
  llvm::Type* element = memory_type(b_.getContext(), t);
  llvm::Value* pointer = b_.CreateGEP(element, buffer.pointer, offset);
  if (active_ && !buffer.is_invariant && !is_everywhere) {
    auto* one = llvm::FixedVectorType::get(element, 1);
    llvm::Value* mask = b_.CreateVectorSplat(1, active_);
    return b_.CreateExtractElement(b_.CreateMaskedLoad(one, pointer, alignment_of(t), mask, llvm::Constant::getNullValue(one)),
                                   uint64_t{0});
  }
  llvm::Value* raw = b_.CreateAlignedLoad(element, pointer, alignment_of(t));
  mark(raw, buffer);
  return raw;
}

llvm::Value* ValueEmitter::load_element(int input, const Walk& walk) {
  const DType t = body_.inputs()[static_cast<size_t>(input)].value().dtype();
  return load_scalar(t, inputs_[static_cast<size_t>(input)], first_index(walk), true);
}

/// Of a whole vector: the vector loop stands at multiples of its lanes.
llvm::Align ValueEmitter::vector_alignment(DType t, const ValueBuffer& buffer, const Walk& walk) const {
  const auto size = static_cast<uint64_t>(size_of(t));
  if (buffer.alignment <= size) return alignment_of(t);
  uint64_t bytes = std::min(buffer.alignment, size * static_cast<uint64_t>(lanes_));
  const auto limit = [&](int64_t elements) {
    while (bytes > size && static_cast<uint64_t>(elements) * size % bytes != 0) bytes /= 2;
  };
  limit(walk.along.offset);
  for (size_t l = 0; l < walk.along.coefficients.size(); ++l)
    if (static_cast<int>(l) != loops_.vector) limit(walk.along.coefficients[l]);
  return llvm::Align(bytes);
}

llvm::Value* ValueEmitter::load(ir::Value v, const IndexMap& map) {
  const DType t = v.dtype();
  llvm::Type* element = memory_type(b_.getContext(), t);
  const ValueBuffer& buffer = inputs_[static_cast<size_t>(v.index())];
  llvm::Value* base = buffer.pointer;
  const Walk walk = collapsed(linear_offset(v.shape(), map, static_cast<int>(nest_.extents.size())), nest_, loops_);
  const int64_t step = vector_step(walk);
  const bool one_place = step == 0 && !is_spread(walk);
  if (guard_ && (!one_place || is_vector(guard_))) return load_guarded(t, element, base, walk);
  if (is_spread(walk)) return from_memory(b_, t, gather(vector_of(element), element, base, lane_index(walk), mask_));
  llvm::Value* offset = first_index(walk);
  if (guard_) offset = b_.CreateSelect(guard_, offset, index_of(0));
  for (const Copy& copy : copies_)
    if (copy.input == v.index() && copy.walk.along == walk.along && !guard_)
      return from_memory(b_, t, b_.CreateAlignedLoad(element, copy.place, alignment_of(t)));
  if (one_place) return from_memory(b_, t, load_scalar(t, buffer, offset, !guard_ && level_of(map) < build_.depth()));
  if (!guard_ && loops_.tile >= 0 && lies_along(walk, loops_.tile, loops_))
    return from_memory(b_, t, load_transposed(v.index(), element, walk));
  auto* vector = vector_of(element);
  llvm::Value* raw = nullptr;
  if (step == 1) {
    llvm::Value* pointer = b_.CreateGEP(element, base, offset);
    if (mask_) {
      raw = b_.CreateMaskedLoad(vector, pointer, alignment_of(t), mask_, llvm::Constant::getNullValue(vector));
    } else {
      raw = b_.CreateAlignedLoad(vector, pointer, vector_alignment(t, buffer, walk));
      mark(raw, buffer);
      prefetch(element, pointer, walk, false);
    }
  } else {
    raw = gather(vector, element, base, lane_index(walk), mask_);
  }
  return from_memory(b_, t, raw);
}

/// Where vectors of several rows run together, each row is a short piece far from the one before: what will be read or written a few rows
/// on is asked for now, since the processor sees no stream to follow.
void ValueEmitter::prefetch(llvm::Type* element, llvm::Value* pointer, const Walk& walk, bool to_write) {
  constexpr int64_t rows = 8;
  if (loops_.strip == 1 || loops_.inner.empty()) return;
  const int64_t step = walk.along.coefficients[static_cast<size_t>(loops_.inner.back())];
  if (step <= int64_t{loops_.strip} * lanes_) return;
  llvm::Value* later = b_.CreateGEP(element, pointer, index_of(rows * step));
  constexpr int keep_in_all_caches = 3, data = 1;
  b_.CreateIntrinsic(llvm::Intrinsic::prefetch, {b_.getPtrTy()},
                     {later, b_.getInt32(to_write), b_.getInt32(keep_in_all_caches), b_.getInt32(data)});
}

/// From this tile's transposed copy, which is made where the tile starts.
llvm::Value* ValueEmitter::load_transposed(int input, llvm::Type* element, const Walk& walk) {
  const auto same = [&](const TransposedTile& t) { return t.input == input && t.at == walk.along; };
  auto found = std::find_if(tiles_.begin(), tiles_.end(), same);
  if (found == tiles_.end()) {
    llvm::Value* memory = build_.at_level(tile_level_, [&] { return transposed_tile(input, element, walk); });
    found = tiles_.insert(tiles_.end(), {input, walk.along, memory});
  }
  auto* vector = vector_of(element);
  return b_.CreateAlignedLoad(vector, b_.CreateGEP(vector, found->memory, tile_row_), llvm::Align(element->getPrimitiveSizeInBits() / 8));
}

llvm::Value* ValueEmitter::transposed_tile(int input, llvm::Type* element, const Walk& walk) {
  auto* vector = vector_of(element);
  const llvm::Align alignment(element->getPrimitiveSizeInBits() / 8);
  Walk corner = walk;
  corner.along.coefficients[static_cast<size_t>(loops_.tile)] = 0;
  llvm::Value* first = b_.CreateAdd(first_index(corner), tile_first_);
  llvm::Value* active = tile_is_ragged_ ? b_.CreateICmpULT(lane_numbers(1), splat(tile_count_)) : nullptr;
  std::vector<llvm::Value*> lines;
  for (int lane = 0; lane < lanes_; ++lane) {
    llvm::Constant* missing = llvm::Constant::getNullValue(vector);
    if (mask_ && llvm::cast<llvm::Constant>(mask_)->getAggregateElement(static_cast<unsigned>(lane))->isNullValue()) {
      lines.push_back(missing);
      continue;
    }
    llvm::Value* place =
        b_.CreateGEP(element, inputs_[static_cast<size_t>(input)].pointer, b_.CreateAdd(first, index_of(lane * vector_step(walk))));
    lines.push_back(active ? static_cast<llvm::Value*>(b_.CreateMaskedLoad(vector, place, alignment, active, missing))
                           : b_.CreateAlignedLoad(vector, place, alignment));
  }
  lines = transposed(b_, std::move(lines));
  llvm::Value* memory = alloca_at_entry(vector, lanes_, "transposed");
  for (int i = 0; i < lanes_; ++i)
    b_.CreateAlignedStore(lines[static_cast<size_t>(i)], b_.CreateGEP(vector, memory, index_of(i)), alignment);
  return memory;
}

/// Only lanes whose index is in range may touch memory.
llvm::Value* ValueEmitter::load_guarded(DType t, llvm::Type* element, llvm::Value* base, const Walk& walk) {
  llvm::Value* active = splat(guard_);
  if (mask_) active = b_.CreateAnd(active, mask_);
  if (vector_step(walk) == 1 && !is_spread(walk)) {
    llvm::FixedVectorType* vector = vector_of(element);
    llvm::Value* pointer = b_.CreateGEP(element, base, first_index(walk));
    return from_memory(b_, t, b_.CreateMaskedLoad(vector, pointer, alignment_of(t), active, llvm::Constant::getNullValue(vector)));
  }
  return from_memory(b_, t, gather(vector_of(element), element, base, splat(lane_index(walk)), active));
}

llvm::Value* ValueEmitter::gather(llvm::FixedVectorType* vector, llvm::Type* element, llvm::Value* base, llvm::Value* offsets,
                                  llvm::Value* active) {
  if (!active) active = llvm::Constant::getAllOnesValue(vector_of(b_.getInt1Ty()));
  llvm::Value* pointers = b_.CreateGEP(element, base, offsets);
  return b_.CreateMaskedGather(vector, pointers, llvm::Align(element->getPrimitiveSizeInBits() / 8), active,
                               llvm::Constant::getNullValue(vector));
}

void ValueEmitter::scatter(llvm::Value* vector, llvm::Type* element, llvm::Value* base, llvm::Value* offsets) {
  llvm::Value* active = mask_ ? mask_ : llvm::Constant::getAllOnesValue(vector_of(b_.getInt1Ty()));
  b_.CreateMaskedScatter(vector, b_.CreateGEP(element, base, offsets), llvm::Align(element->getPrimitiveSizeInBits() / 8), active);
}

llvm::FixedVectorType* ValueEmitter::vector_of(llvm::Type* element) const {
  return llvm::FixedVectorType::get(element, static_cast<unsigned>(lanes_));
}

void ValueEmitter::store_outputs(int stage) { store(eval_outputs(stage)); }

std::vector<std::pair<size_t, llvm::Value*>> ValueEmitter::eval_outputs(int stage) {
  std::vector<std::pair<size_t, llvm::Value*>> ready;
  for (size_t i = 0; i < outputs_.size(); ++i)
    if (nest_.output_stage[i] == stage) ready.emplace_back(i, eval(body_.outputs()[i].value, nest_.outputs[i]));
  return ready;
}

void ValueEmitter::store(const std::vector<std::pair<size_t, llvm::Value*>>& values) {
  for (const auto& [i, value] : values) store(i, value);
}

void ValueEmitter::store(size_t i, llvm::Value* value) {
  const ir::Value v = body_.outputs()[i].value;
  const DType t = v.dtype();
  llvm::Type* element = memory_type(b_.getContext(), t);
  const Walk walk = collapsed(linear_offset(v.shape(), nest_.outputs[i], static_cast<int>(nest_.extents.size())), nest_, loops_);
  WEFT_CHECK(walk.apart.empty(), "a result's loops walk as one wherever they are neighbours");
  const int64_t step = vector_step(walk);
  if (step != 0) value = splat(value);
  llvm::Value* raw = to_memory(b_, t, value);
  if (step != 0 && step != 1) return scatter(raw, element, outputs_[i].pointer, lane_index(walk));
  llvm::Value* pointer = b_.CreateGEP(element, outputs_[i].pointer, first_index(walk));
  if (step == 1 && !mask_) prefetch(element, pointer, walk, true);
  if (mask_ && is_vector(raw)) b_.CreateMaskedStore(raw, pointer, alignment_of(t), mask_);
  else b_.CreateAlignedStore(raw, pointer, is_vector(raw) ? vector_alignment(t, outputs_[i], walk) : alignment_of(t));
}

}  // namespace weft::codegen
