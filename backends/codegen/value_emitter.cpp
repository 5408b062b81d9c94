#include "weft/backends/codegen/value_emitter.h"

#include <algorithm>
#include <functional>

#include "weft/backends/codegen/accumulators.h"
#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/ir/op_def.h"

namespace weft::codegen {
namespace {

using ir::Affine;
using ir::IndexMap;
using ir::Kind;
using ir::Op;

/// So many joined values and more are worth branches.
constexpr std::ptrdiff_t branching = 3;

}  // namespace

ValueEmitter::ValueEmitter(IRBuilder& b, LoopBuilder& build, const ir::Graph& body, const passes::LoopNest& nest, const Loops& loops,
                           int lanes, std::vector<ValueBuffer> inputs, std::vector<ValueBuffer> outputs, llvm::Type* index_type)
    : b_(b), build_(build), body_(body), nest_(nest), loops_(loops), lanes_(lanes), inputs_(std::move(inputs)),
      outputs_(std::move(outputs)), index_type_(index_type), index_(loops.all.size(), nullptr), apart_(nest.extents.size(), nullptr),
      level_(loops.all.size(), 0), needs_(body, nest) {
  build_.on_close = [this](int level) { std::erase_if(memo_, [&](const Memo& m) { return m.level >= level; }); };
}

void ValueEmitter::enter(int loop, llvm::Value* index, llvm::Value* of_lanes) {
  index_[static_cast<size_t>(loop)] = index;
  level_[static_cast<size_t>(loop)] = build_.depth();
  const Loop& run = loops_.all[static_cast<size_t>(loop)];
  if (!run.reduced || run.first == run.last) return;
  // Vectors of short integers divide faster. What nobody needs of this goes when the code is optimized.
  if (is_vector(of_lanes) && run.extent <= INT32_MAX) of_lanes = b_.CreateTrunc(of_lanes, vector_of(b_.getInt32Ty()));
  for (int k = run.last; k >= run.first; --k) {
    llvm::Value* extent = integer(of_lanes, std::max<int64_t>(1, nest_.extents[static_cast<size_t>(k)]));
    llvm::Value* own = k == run.first ? of_lanes : b_.CreateURem(of_lanes, extent);
    apart_[static_cast<size_t>(k)] = b_.CreateZExt(own, shaped_like(index_type_, own->getType()));
    if (k > run.first) of_lanes = b_.CreateUDiv(of_lanes, extent);
  }
}

void ValueEmitter::set_vector_index(llvm::Value* first_lane, llvm::Constant* mask) {
  enter(loops_.vector, first_lane, b_.CreateAdd(splat(first_lane), lane_numbers(1)));
  mask_ = mask;
}

void ValueEmitter::start_point() {
  point_level_ = build_.depth();
  reduced_.clear();
  kept_.clear();
  levels_kept_.clear();
}

void ValueEmitter::when(llvm::Value* condition, const std::string& name, const std::function<void()>& body) {
  const size_t known = memo_.size();
  build_.when(condition, name, [&] { build_.scope(body); });
  memo_.resize(std::min(known, memo_.size()));
}

ir::IndexMap ValueEmitter::scalar_map(ir::Value v) const {
  return IndexMap(static_cast<size_t>(v.shape().rank()), Affine::zero(static_cast<int>(nest_.extents.size())));
}

void ValueEmitter::keep_level(int number) {
  auto& kept = levels_kept_[number];
  kept.clear();
  std::copy_if(memo_.begin(), memo_.end(), std::back_inserter(kept), [&](const Memo& m) { return m.level >= build_.depth(); });
}

void ValueEmitter::recall_level(int number) {
  if (const auto found = levels_kept_.find(number); found != levels_kept_.end())
    memo_.insert(memo_.end(), found->second.begin(), found->second.end());
}

void ValueEmitter::start_tile(llvm::Value* first, llvm::Value* count, bool ragged) {
  tile_first_ = first, tile_count_ = count, tile_is_ragged_ = ragged;
  tile_level_ = build_.depth();
  tiles_.clear();
}

// ---- values ----

/// The deepest level whose loop the index follows.
int ValueEmitter::level_of(const IndexMap& map) const {
  int level = 0;
  for (const Affine& a : map) level = std::max(level, level_of(a));
  return level;
}

int ValueEmitter::level_of(const Affine& a) const {
  int level = 0;
  for (size_t l = 0; l < loops_.all.size(); ++l)
    for (int k = loops_.all[l].first; k <= loops_.all[l].last; ++k)
      if (static_cast<size_t>(k) < a.coefficients.size() && a.coefficients[static_cast<size_t>(k)] != 0) level = std::max(level, level_[l]);
  return level;
}

bool ValueEmitter::follows_reduction(ir::Value v) {
  if (v.is_input()) return false;
  if (nest_.reduction_stage.contains(v.op())) return true;
  if (const auto known = follows_.find(v.op()); known != follows_.end()) return known->second;
  bool any = false;
  for (ir::Value operand : v.op()->operands()) any = any || follows_reduction(operand);
  return follows_[v.op()] = any;
}

llvm::Value* ValueEmitter::eval(ir::Value v, IndexMap map) {
  for (Affine& a : map) a.coefficients.resize(nest_.extents.size());
  if (!v.is_input())
    if (const auto done = reduced_.find(v.op()); done != reduced_.end()) return done->second;
  if (guard_) return emit_value(v, map);  // under a guard nothing is hoisted or shared
  for (const Memo& m : memo_)
    if (m.value == v && m.map == map) return m.emitted;
  // What depends on a reduction belongs behind it: at the point's level, whatever its own index follows.
  const int level = std::max(level_of(map), follows_reduction(v) ? point_level_ : 0);
  llvm::Value* emitted = kept_value(v, map);
  if (!emitted) {
    emitted = build_.at_level(level, [&] { return emit_value(v, map); });
    if (level == build_.depth()) keep(v, map, emitted);
  }
  memo_.push_back({v, std::move(map), emitted, level});
  return emitted;
}

// ---- values that a later stage needs too ----

/// What an earlier stage of this point stored, or null.
llvm::Value* ValueEmitter::kept_value(ir::Value v, const IndexMap& map) {
  if (v.is_input()) return nullptr;
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.op == v.op() && k.map == map; });
  if (found == kept_.end() || found->stage == stage_) return nullptr;
  auto* vector = vector_of(register_type(b_.getContext(), v.dtype()));
  return b_.CreateAlignedLoad(vector, kept_place(found->memory, vector->getElementType()), alignment_of(f32));
}

void ValueEmitter::keep(ir::Value v, const IndexMap& map, llvm::Value* emitted) {
  if (v.is_input() || !is_vector(emitted) || !needs_.is_needed_after(*v.op(), stage_) || !follows_all_inner(map)) return;
  llvm::Type* element = emitted->getType()->getScalarType();
  // The ragged vector of a sweep comes after the whole ones, to the same memory.
  auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.op == v.op() && k.map == map; });
  if (found == kept_.end()) {
    const int64_t bytes = element->getScalarSizeInBits() / 8 * kept_elements();
    if (kept_bytes_ + bytes > kept_bytes) return;
    kept_bytes_ += bytes;
    found = kept_.insert(kept_.end(), {v.op(), map, stage_, alloca_at_entry(element, kept_elements(), "kept")});
  }
  b_.CreateAlignedStore(emitted, kept_place(found->memory, element), alignment_of(f32));
}

bool ValueEmitter::follows_all_inner(const IndexMap& map) const {
  return std::all_of(loops_.inner.begin(), loops_.inner.end(), [&](int l) {
    const Loop& loop = loops_.all[static_cast<size_t>(l)];
    return std::any_of(map.begin(), map.end(), [&](const Affine& a) {
      return std::any_of(a.coefficients.begin() + loop.first, a.coefficients.begin() + loop.last + 1, [](int64_t c) { return c != 0; });
    });
  });
}

/// One for each point of the reduced loops and lane of the vector loop, with whole vectors along that one; more than may be
/// kept where that would not fit an integer.
int64_t ValueEmitter::kept_elements() const {
  int64_t count = loops_.vector_reduced() ? 1 : lanes_;
  for (int l : loops_.inner) {
    const int64_t extent = loops_.all[static_cast<size_t>(l)].extent;
    if (extent > kept_bytes) return kept_bytes + 1;
    count = std::min(count * (l == loops_.vector ? (extent + lanes_ - 1) / lanes_ * lanes_ : extent), kept_bytes + 1);
  }
  return count;
}

llvm::Value* ValueEmitter::kept_place(llvm::Value* memory, llvm::Type* element) {
  llvm::Value* place = index_of(0);
  for (int l : loops_.inner) {
    const int64_t extent = loops_.all[static_cast<size_t>(l)].extent;
    place = b_.CreateMul(place, index_of(l == loops_.vector ? (extent + lanes_ - 1) / lanes_ * lanes_ : extent));
    place = b_.CreateAdd(place, index_[static_cast<size_t>(l)]);
  }
  if (!loops_.vector_reduced()) place = b_.CreateMul(place, index_of(lanes_));
  return b_.CreateGEP(element, memory, place);
}

llvm::Value* ValueEmitter::alloca_at_entry(llvm::Type* type, int64_t count, const char* name) {
  llvm::BasicBlock& entry = b_.GetInsertBlock()->getParent()->getEntryBlock();
  llvm::AllocaInst* memory = IRBuilder(&entry, entry.begin()).CreateAlloca(type, b_.getInt32(static_cast<uint32_t>(count)), name);
  memory->setAlignment(llvm::Align(64));
  return memory;
}

llvm::Value* ValueEmitter::emit_value(ir::Value v, const IndexMap& map) {
  if (v.is_input()) return load(v, map);
  const Op& op = *v.op();
  switch (op.def().kind) {
    case Kind::constant: return constant(op);
    case Kind::index: {
      llvm::Value* index = lane_index(map[static_cast<size_t>(op.integer("axis"))]);
      return b_.CreateSExt(index, shaped_like(b_.getInt64Ty(), index->getType()));
    }
    case Kind::movement:
    case Kind::view: return move(op, map);
    case Kind::reduction: {  // of one element, which is combined with the neutral one all the same: a sum is never -0
      llvm::Value* only = eval(op.operand(0), passes::reduction_passthrough(op, map));
      return combine(b_, op, identity(op, only->getType()), only);
    }
    case Kind::elementwise: {
      std::vector<llvm::Value*> operands;
      for (ir::Value operand : op.operands()) operands.push_back(eval(operand, map));
      return emit_scalar(b_, scalar_of(op), operands);
    }
    case Kind::composite:
    case Kind::heavy:
    case Kind::nest:
    case Kind::launch:
    case Kind::loop: break;
  }
  throw InternalError(fmt::format("{} is no part of a loop nest", op.name()));
}

llvm::Value* ValueEmitter::constant(const Op& op) {
  const auto& d = op.attribute<ir::Dense>("value");
  llvm::Type* type = register_type(b_.getContext(), d.type().dtype);
  if (is_floating(d.type().dtype)) return llvm::ConstantFP::get(type, d.at(0));
  return llvm::ConstantInt::get(type, static_cast<uint64_t>(d.integer_at(0)), true);
}

/// Where all lanes are in the same one of several joined values, only that one is computed: found by halving, by its index
/// along the joined axis.
llvm::Value* ValueEmitter::move_one_of(const Op& op, const std::vector<ir::Access>& accesses, const IndexMap& map, llvm::Value* index) {
  llvm::LLVMContext& context = b_.getContext();
  const auto axis = static_cast<size_t>(op.integer("axis"));
  struct Branch {
    size_t operand;
    int64_t begin;
    llvm::BasicBlock* end = nullptr;
    llvm::Value* value = nullptr;
  };
  std::vector<Branch> branches;
  for (size_t i = 0; i < accesses.size(); ++i)
    if (op.operands()[i].shape().numel() > 0) branches.push_back({i, -accesses[i].map[axis].offset});
  // What stands behind the insertion point goes on once the branches have joined.
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* joined = nullptr;
  if (b_.GetInsertPoint() == before->end()) {
    joined = llvm::BasicBlock::Create(context, "joined", before->getParent());
  } else {
    joined = before->splitBasicBlock(b_.GetInsertPoint(), "joined");
    before->getTerminator()->eraseFromParent();
  }
  llvm::Value* outer = guard_;
  guard_ = outer ? outer : b_.getTrue();  // nothing of a branch is hoisted out of it, or shared
  bool vector = false;
  const std::function<void(size_t, size_t, llvm::BasicBlock*)> emit = [&](size_t first, size_t last, llvm::BasicBlock* block) {
    b_.SetInsertPoint(block);
    if (first == last) {
      Branch& branch = branches[first];
      branch.value = eval(op.operands()[branch.operand], compose(accesses[branch.operand].map, map));
      branch.end = b_.GetInsertBlock();
      vector = vector || is_vector(branch.value);
      return;
    }
    const size_t middle = (first + last) / 2 + 1;
    auto* low = llvm::BasicBlock::Create(context, "low", before->getParent(), joined);
    auto* high = llvm::BasicBlock::Create(context, "high", before->getParent(), joined);
    b_.CreateCondBr(b_.CreateICmpSLT(index, integer(index, branches[middle].begin)), low, high);
    emit(first, middle - 1, low);
    emit(middle, last, high);
  };
  emit(0, branches.size() - 1, before);
  guard_ = outer;
  for (Branch& branch : branches) {
    b_.SetInsertPoint(branch.end);
    if (vector) branch.value = splat(branch.value);
    b_.CreateBr(joined);
  }
  b_.SetInsertPoint(joined, joined->begin());
  llvm::PHINode* result = b_.CreatePHI(branches[0].value->getType(), static_cast<unsigned>(branches.size()));
  for (const Branch& branch : branches) result->addIncoming(branch.value, branch.end);
  return result;
}

/// The first operand that has an element at the index, or the fill.
llvm::Value* ValueEmitter::move(const Op& op, const IndexMap& map) {
  const auto accesses = *op.def().access(op);
  if (!accesses[0].guarded) return eval(op.operand(0), compose(accesses[0].map, map));
  const auto joined = std::count_if(op.operands().begin(), op.operands().end(), [](ir::Value v) { return v.shape().numel() > 0; });
  if (joined >= branching)
    if (llvm::Value* index = lane_index(compose(accesses[0].map, map)[static_cast<size_t>(op.integer("axis"))]); !is_vector(index))
      return move_one_of(op, accesses, map, index);
  const DType t = op.result().dtype();
  const ir::Type fill_type{t, {}};
  const double fill = op.def().fill ? op.def().fill(op) : 0;
  const auto fill_value = ir::Dense::splat(fill_type, fill);
  llvm::Type* element = register_type(b_.getContext(), t);
  llvm::Value* result = is_floating(t) ? static_cast<llvm::Value*>(llvm::ConstantFP::get(element, fill_value.at(0)))
                                       : llvm::ConstantInt::get(element, static_cast<uint64_t>(fill_value.integer_at(0)), true);
  llvm::Value* outer = guard_;
  for (size_t i = accesses.size(); i-- > 0;) {
    if (op.operands()[i].shape().numel() == 0) continue;
    const IndexMap inner = compose(accesses[i].map, map);
    llvm::Value* inside = in_range(inner, op.operands()[i].shape());
    guard_ = outer ? both(outer, inside) : inside;
    llvm::Value* x = eval(op.operands()[i], inner);
    if (is_vector(x) || is_vector(inside) || is_vector(result)) {
      x = splat(x), result = splat(result), inside = splat(inside);
    }
    result = b_.CreateSelect(inside, x, result);
  }
  guard_ = outer;
  return result;
}

llvm::Value* ValueEmitter::both(llvm::Value* x, llvm::Value* y) {
  if (is_vector(x) || is_vector(y)) x = splat(x), y = splat(y);
  return b_.CreateAnd(x, y);
}

llvm::Value* ValueEmitter::in_range(const IndexMap& map, const Shape& shape) {
  llvm::Value* all = b_.getTrue();
  for (size_t d = 0; d < map.size(); ++d) {
    llvm::Value* i = lane_index(map[d]);
    // One unsigned comparison covers both ends.
    all = both(all, b_.CreateICmpULT(i, integer(i, shape.dims()[d])));
  }
  return all;
}

/// An affine function's value: a vector if it follows the vector loop.
llvm::Value* ValueEmitter::lane_index(const Walk& walk) {
  llvm::Value* first = first_index(walk);
  const int64_t step = vector_step(walk);
  llvm::Value* index = step == 0 ? first : b_.CreateAdd(splat(first), lane_numbers(step));
  if (!is_spread(walk)) return index;
  return b_.CreateAdd(splat(index), index_apart(walk));
}

/// 0, step, 2 step, ...: what the lanes are apart.
llvm::Constant* ValueEmitter::lane_numbers(int64_t step) {
  std::vector<llvm::Constant*> offsets;
  for (int lane = 0; lane < lanes_; ++lane)
    offsets.push_back(llvm::ConstantInt::get(index_type_, static_cast<uint64_t>(step * lane), true));
  return llvm::ConstantVector::get(offsets);
}

/// Does every lane stand where the loops collapsed to the vector loop have brought it?
bool ValueEmitter::is_spread(const Walk& walk) const {
  return std::any_of(walk.apart.begin(), walk.apart.end(),
                     [&](const auto& part) { return is_vector(apart_[static_cast<size_t>(part.first)]); });
}

int64_t ValueEmitter::vector_step(const Walk& walk) const {
  return loops_.vector < 0 ? 0 : walk.along.coefficients[static_cast<size_t>(loops_.vector)];
}

/// At the first lane, but for what is spread.
llvm::Value* ValueEmitter::first_index(const Walk& walk) {
  const Affine& c = walk.along;
  llvm::Value* sum = index_of(c.offset);
  for (size_t l = 0; l < c.coefficients.size(); ++l)
    if (c.coefficients[l] != 0) sum = b_.CreateAdd(sum, b_.CreateMul(index_[l], index_of(c.coefficients[l])));
  return is_spread(walk) || walk.apart.empty() ? sum : b_.CreateAdd(sum, index_apart(walk));
}

llvm::Value* ValueEmitter::index_apart(const Walk& walk) {
  llvm::Value* sum = nullptr;
  for (const auto& [loop, step] : walk.apart) {
    llvm::Value* index = apart_[static_cast<size_t>(loop)];
    llvm::Value* part = b_.CreateMul(index, integer(index, step));
    sum = sum ? b_.CreateAdd(sum, part) : part;
  }
  return sum;
}

}  // namespace weft::codegen
