#include "weft/backends/codegen/nest_emitter.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cmath>

#include "weft/backends/codegen/loop_builder.h"
#include "weft/backends/codegen/loops.h"
#include "weft/backends/codegen/scalar_emitter.h"
#include "weft/ir/op_def.h"
#include "weft/support/reduction_order.h"

namespace weft::codegen {
namespace {

using ir::Affine;
using ir::IndexMap;
using ir::Kind;
using ir::Op;

class NestEmitter {
 public:
  NestEmitter(llvm::Module& module, const CodeShape& shape, const ir::Graph& body, const std::string& name,
              std::span<const int> inputs, std::span<const int> outputs)
      : body_(body), lanes_(shape.lanes()), b_(module.getContext()), build_(b_) {
    WEFT_CHECK(lanes_ == 1 || lanes_ == reduction_lanes, "a vector holds the partial results of a reduction along it");
    std::string why;
    auto nest = passes::analyze(passes::region_of(body), &why);
    WEFT_CHECK(nest, "the body of a fused op is no loop nest: {}", why);
    nest_ = std::move(*nest);
    loops_ = plan_loops(body, nest_, lanes_);
    index_.resize(loops_.all.size(), nullptr);
    level_.resize(loops_.all.size(), 0);
    build_.on_close = [this](int level) { std::erase_if(memo_, [&](const Memo& m) { return m.level >= level; }); };

    auto* type = llvm::FunctionType::get(b_.getVoidTy(), {b_.getPtrTy(), b_.getInt64Ty(), b_.getInt64Ty()}, false);
    function_ = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
    llvm::Type* pointer = b_.getPtrTy(shape.buffer_space());
    for (int i : inputs) inputs_.push_back(load_pointer(pointer, i));
    for (int i : outputs) outputs_.push_back(load_pointer(pointer, i));
  }

  EmittedNest emit() {
    if (nest_.points() > 0 || nest_.has_reduction()) emit_rows();
    b_.CreateRetVoid();
    return {function_, loops_.units};
  }

 private:
  // ---- loops ----

  llvm::Value* load_pointer(llvm::Type* pointer, int number) {
    return b_.CreateLoad(pointer, b_.CreateConstGEP1_64(pointer, function_->getArg(0), static_cast<uint64_t>(number)));
  }

  llvm::Value* i64_of(int64_t value) { return b_.getInt64(static_cast<uint64_t>(value)); }

  void emit_rows() {
    llvm::Value *begin = function_->getArg(1), *end = function_->getArg(2);
    const bool share_rows = !loops_.units_are_blocks;
    build_.loop(share_rows ? begin : i64_of(0), share_rows ? end : i64_of(loops_.row_count), i64_of(1), "row", [&](llvm::Value* row) {
      set_row(row);
      if (loops_.vector < 0 || loops_.vector_reduced()) emit_point();
      else emit_blocks(share_rows ? i64_of(0) : begin, share_rows ? i64_of(loops_.blocks) : end);
    });
  }

  /// The indices of the row loops from the row's number.
  void set_row(llvm::Value* row) {
    for (auto at = loops_.rows.rbegin(); at != loops_.rows.rend(); ++at) {
      const auto l = static_cast<size_t>(*at);
      const bool outermost = std::next(at) == loops_.rows.rend();
      llvm::Value* extent = i64_of(std::max<int64_t>(1, loops_.all[l].extent));
      index_[l] = outermost ? row : b_.CreateURem(row, extent);
      level_[l] = build_.depth();
      if (!outermost) row = b_.CreateUDiv(row, extent);
    }
  }

  /// A kept vector loop: whole vectors first, then the ragged one under a mask.
  void emit_blocks(llvm::Value* begin, llvm::Value* end) {
    const int64_t extent = loops_.all[static_cast<size_t>(loops_.vector)].extent, whole = extent / lanes_;
    const auto clipped = [&](llvm::Value* v, int64_t bound, bool at_most) {
      const auto id = at_most ? llvm::Intrinsic::smin : llvm::Intrinsic::smax;
      return b_.CreateBinaryIntrinsic(id, v, i64_of(bound));
    };
    if (whole > 0)
      build_.loop(begin, clipped(end, whole, true), i64_of(1), "block", [&](llvm::Value* block) { emit_block(block, false); });
    if (extent % lanes_)
      build_.loop(clipped(begin, whole, false), end, i64_of(1), "tail", [&](llvm::Value* block) { emit_block(block, true); });
  }

  void emit_block(llvm::Value* block, bool ragged) {
    set_vector_index(b_.CreateMul(block, i64_of(lanes_)), ragged);
    emit_point();
    mask_ = nullptr;
  }

  void set_vector_index(llvm::Value* first_lane, bool ragged) {
    const auto v = static_cast<size_t>(loops_.vector);
    index_[v] = first_lane;
    level_[v] = build_.depth();
    // The ragged vector is always the last one, so which lanes it has is known now.
    const int64_t rest = loops_.all[v].extent % lanes_;
    std::vector<llvm::Constant*> bits;
    for (int lane = 0; lane < lanes_; ++lane) bits.push_back(b_.getInt1(lane < rest));
    mask_ = ragged ? llvm::ConstantVector::get(bits) : nullptr;
  }

  /// One point of the kept loops: the stages, then what has only these loops.
  void emit_point() {
    point_level_ = build_.depth();
    for (int stage = 0; stage < nest_.stages; ++stage) emit_stage(stage);
    store_outputs(nest_.stages);
    reduced_.clear();
  }

  void emit_stage(int stage) {
    std::vector<const Op*> reductions;
    for (const auto& op : body_.ops())
      if (const auto found = nest_.reduction_stage.find(op.get()); found != nest_.reduction_stage.end() && found->second == stage)
        reductions.push_back(op.get());
    if (reductions.empty() && std::find(nest_.output_stage.begin(), nest_.output_stage.end(), stage) == nest_.output_stage.end())
      return;
    open_accumulators(reductions);
    emit_inner(0, [&] {
      for (const Op* op : reductions) accumulate(*op);
      store_outputs(stage);
    });
    for (const Op* op : reductions) reduced_[op] = finish(*op);
  }

  /// The reduced loops from number `n` of loops_.inner on.
  void emit_inner(size_t n, const std::function<void()>& innermost) {
    if (n == loops_.inner.size()) return innermost();
    const int l = loops_.inner[n];
    const int64_t extent = loops_.all[static_cast<size_t>(l)].extent;
    if (l != loops_.vector) {
      build_.loop(i64_of(0), i64_of(extent), i64_of(1), "reduce", [&](llvm::Value* i) {
        index_[static_cast<size_t>(l)] = i;
        level_[static_cast<size_t>(l)] = build_.depth();
        emit_inner(n + 1, innermost);
      });
      return;
    }
    const int64_t whole = extent / lanes_ * lanes_;
    const auto along = [&](int64_t begin, int64_t end, bool ragged) {
      if (begin == end) return;
      build_.loop(i64_of(begin), i64_of(end), i64_of(lanes_), ragged ? "tail" : "reduce", [&](llvm::Value* i) {
        set_vector_index(i, ragged);
        innermost();
        mask_ = nullptr;
      });
    };
    along(0, whole, false);
    along(whole, extent, true);
  }

  // ---- reductions (support/reduction_order.h) ----

  /// Partial results: one vector whose lanes are the partial results when the vector loop is reduced, else one value
  /// (a vector of neighbouring results) per partial result.
  struct Accumulator {
    llvm::AllocaInst* memory;
    llvm::Type* type;
  };

  llvm::Type* partial_type(const Op& op) {
    llvm::Type* element = register_type(b_.getContext(), op.result().dtype());
    return loops_.vector >= 0 ? vector_of(element) : element;
  }

  llvm::Constant* identity(const Op& op, llvm::Type* type) {
    const DType t = op.result().dtype();
    const double value = op.def().identity(t);
    if (is_floating(t)) return llvm::ConstantFP::get(type, value);
    if (!std::isinf(value)) return llvm::ConstantInt::get(type, static_cast<uint64_t>(static_cast<int64_t>(value)), true);
    const unsigned bits = type->getScalarSizeInBits();
    const bool is_unsigned = t == u8 || t == boolean;
    const llvm::APInt extreme = value > 0 ? (is_unsigned ? llvm::APInt::getMaxValue(bits) : llvm::APInt::getSignedMaxValue(bits))
                                          : (is_unsigned ? llvm::APInt::getMinValue(bits) : llvm::APInt::getSignedMinValue(bits));
    return llvm::ConstantInt::get(type, extreme);
  }

  void open_accumulators(const std::vector<const Op*>& reductions) {
    accumulators_.clear();
    for (const Op* op : reductions) {
      llvm::Type* type = partial_type(*op);
      const int count = loops_.vector_reduced() ? 1 : reduction_lanes;
      IRBuilder entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
      auto* memory = entry.CreateAlloca(type, entry.getInt64(static_cast<uint64_t>(count)));
      for (int i = 0; i < count; ++i) b_.CreateStore(identity(*op, type), partial({memory, type}, i64_of(i)));
      accumulators_[op] = {memory, type};
    }
  }

  llvm::Value* partial(const Accumulator& a, llvm::Value* number) { return b_.CreateGEP(a.type, a.memory, number); }

  /// bf16 partial results are kept in f32.
  llvm::Value* combine(const Op& op, llvm::Value* x, llvm::Value* y) {
    const DType t = op.result().dtype() == bf16 ? f32 : op.result().dtype();
    const DType types[] = {t, t};
    const auto e = ir::build_scalar(types, [&](std::span<const ir::Scalar> a) { return op.def().combine(a[0], a[1]); });
    llvm::Value* operands[] = {x, y};
    return emit_scalar(b_, e, operands);
  }

  /// The innermost reduced axis with more than one element counts the partial results; it is the last reduced loop.
  void accumulate(const Op& op) {
    const IndexMap map = *passes::map_in_order(op.operand(0).shape(), nest_.extents, every_loop());
    llvm::Value* x = eval(op.operand(0), map);
    const Accumulator& a = accumulators_.at(&op);
    if (a.type->isVectorTy()) x = splat(x);
    llvm::Value* number = i64_of(0);
    if (!loops_.vector_reduced())
      number = b_.CreateAnd(index_[static_cast<size_t>(loops_.inner.back())], i64_of(reduction_lanes - 1));
    llvm::Value* where = partial(a, number);
    llvm::Value* old = b_.CreateLoad(a.type, where);
    llvm::Value* next = combine(op, old, x);
    // Lanes beyond the end hold no element.
    if (mask_ && loops_.vector_reduced()) next = b_.CreateSelect(mask_, next, old);
    b_.CreateStore(next, where);
  }

  llvm::Value* finish(const Op& op) {
    const Accumulator& a = accumulators_.at(&op);
    std::vector<llvm::Value*> partials;
    if (loops_.vector_reduced()) {
      llvm::Value* all = b_.CreateLoad(a.type, a.memory);
      for (int i = 0; i < reduction_lanes; ++i) partials.push_back(b_.CreateExtractElement(all, static_cast<uint64_t>(i)));
    } else {
      for (int i = 0; i < reduction_lanes; ++i) partials.push_back(b_.CreateLoad(a.type, partial(a, i64_of(i))));
    }
    for (size_t width = reduction_lanes / 2; width > 0; width /= 2)
      for (size_t i = 0; i < width; ++i) partials[i] = combine(op, partials[i], partials[i + width]);
    return op.result().dtype() == bf16 ? round_to_bf16(b_, partials[0]) : partials[0];
  }

  std::vector<int> every_loop() const {
    std::vector<int> all(nest_.extents.size());
    for (size_t l = 0; l < all.size(); ++l) all[l] = static_cast<int>(l);
    return all;
  }

  // ---- values ----

  /// A value already emitted at some index, usable until the loop of its level closes.
  struct Memo {
    ir::Value value;
    IndexMap map;
    llvm::Value* emitted;
    int level;
  };

  /// The deepest level whose loop the index follows.
  int level_of(const IndexMap& map) const {
    int level = 0;
    for (const Affine& a : map) level = std::max(level, level_of(a));
    return level;
  }

  int level_of(const Affine& a) const {
    int level = 0;
    for (size_t l = 0; l < loops_.all.size(); ++l)
      for (int k = loops_.all[l].first; k <= loops_.all[l].last; ++k)
        if (static_cast<size_t>(k) < a.coefficients.size() && a.coefficients[static_cast<size_t>(k)] != 0) level = std::max(level, level_[l]);
    return level;
  }

  bool follows_reduction(ir::Value v) {
    if (v.is_input()) return false;
    if (nest_.reduction_stage.contains(v.op())) return true;
    if (const auto known = follows_.find(v.op()); known != follows_.end()) return known->second;
    bool any = false;
    for (ir::Value operand : v.op()->operands()) any = any || follows_reduction(operand);
    return follows_[v.op()] = any;
  }

  /// The value's element(s) at this index: a vector if the index follows the vector loop, else a scalar.
  llvm::Value* eval(ir::Value v, IndexMap map) {
    for (Affine& a : map) a.coefficients.resize(nest_.extents.size(), 0);
    if (!v.is_input())
      if (const auto done = reduced_.find(v.op()); done != reduced_.end()) return done->second;
    if (guard_) return emit_value(v, map);  // under a guard nothing is hoisted or shared
    for (const Memo& m : memo_)
      if (m.value == v && m.map == map) return m.emitted;
    // What depends on a reduction belongs behind it: at the point's level, whatever its own index follows.
    const int level = std::max(level_of(map), follows_reduction(v) ? point_level_ : 0);
    llvm::Value* emitted = build_.at_level(level, [&] { return emit_value(v, map); });
    memo_.push_back({v, std::move(map), emitted, level});
    return emitted;
  }

  llvm::Value* emit_value(ir::Value v, const IndexMap& map) {
    if (v.is_input()) return load(v, map);
    const Op& op = *v.op();
    switch (op.def().kind) {
      case Kind::constant: return constant(op);
      case Kind::index: return lane_index(map[static_cast<size_t>(op.integer("axis"))]);
      case Kind::movement:
      case Kind::view: return move(op, map);
      case Kind::reduction: {  // of one element, which is combined with the neutral one all the same: a sum is never -0
        llvm::Value* only = eval(op.operand(0), passes::reduction_passthrough(op, map));
        return combine(op, identity(op, only->getType()), only);
      }
      default: {
        std::vector<llvm::Value*> operands;
        for (ir::Value operand : op.operands()) operands.push_back(eval(operand, map));
        return emit_scalar(b_, scalar_of(op), operands);
      }
    }
  }

  llvm::Value* constant(const Op& op) {
    const auto& d = op.attribute<ir::Dense>("value");
    llvm::Type* type = register_type(b_.getContext(), d.type().dtype);
    if (is_floating(d.type().dtype)) return llvm::ConstantFP::get(type, d.at(0));
    return llvm::ConstantInt::get(type, static_cast<uint64_t>(d.integer_at(0)), true);
  }

  /// The first operand that has an element at the index, or the fill.
  llvm::Value* move(const Op& op, const IndexMap& map) {
    const auto accesses = *op.def().access(op);
    if (!accesses[0].guarded) return eval(op.operand(0), compose(accesses[0].map, map));
    const DType t = op.result().dtype();
    const Type fill_type{t, {}};
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

  using Type = ir::Type;

  llvm::Value* both(llvm::Value* x, llvm::Value* y) {
    if (is_vector(x) || is_vector(y)) x = splat(x), y = splat(y);
    return b_.CreateAnd(x, y);
  }

  llvm::Value* in_range(const IndexMap& map, const Shape& shape) {
    llvm::Value* all = b_.getTrue();
    for (size_t d = 0; d < map.size(); ++d) {
      llvm::Value* i = lane_index(map[d]);
      // One unsigned comparison covers both ends.
      all = both(all, b_.CreateICmpULT(i, integer(i, shape.dims()[d])));
    }
    return all;
  }

  /// An affine function's value: a vector if it follows the vector loop.
  llvm::Value* lane_index(const Affine& a) {
    const Affine c = collapsed(a, loops_);
    llvm::Value* base = affine(c);
    const int64_t step = vector_step(c);
    if (step == 0) return base;
    std::vector<llvm::Constant*> offsets;
    for (int lane = 0; lane < lanes_; ++lane) offsets.push_back(b_.getInt64(static_cast<uint64_t>(step * lane)));
    return b_.CreateAdd(splat(base), llvm::ConstantVector::get(offsets));
  }

  int64_t vector_step(const Affine& c) const {
    return loops_.vector < 0 ? 0 : c.coefficients[static_cast<size_t>(loops_.vector)];
  }

  /// At the first lane.
  llvm::Value* affine(const Affine& c) {
    llvm::Value* sum = i64_of(c.offset);
    for (size_t l = 0; l < c.coefficients.size(); ++l)
      if (c.coefficients[l] != 0) sum = b_.CreateAdd(sum, b_.CreateMul(index_[l], i64_of(c.coefficients[l])));
    return sum;
  }

  // ---- memory ----

  llvm::Value* load(ir::Value v, const IndexMap& map) {
    const DType t = v.dtype();
    llvm::Type* element = memory_type(b_.getContext(), t);
    llvm::Value* base = inputs_[static_cast<size_t>(v.index())];
    const Affine c = collapsed(linear_offset(v.shape(), map, static_cast<int>(nest_.extents.size())), loops_);
    const int64_t step = vector_step(c);
    if (guard_ && (step != 0 || is_vector(guard_))) return load_guarded(t, element, base, c);
    llvm::Value* offset = affine(c);
    if (guard_) offset = b_.CreateSelect(guard_, offset, i64_of(0));
    if (step == 0) return from_memory(b_, t, b_.CreateAlignedLoad(element, b_.CreateGEP(element, base, offset), align(t)));
    auto* vector = vector_of(element);
    llvm::Value* raw = nullptr;
    if (step == 1) {
      llvm::Value* pointer = b_.CreateGEP(element, base, offset);
      raw = mask_ ? static_cast<llvm::Value*>(b_.CreateMaskedLoad(vector, pointer, align(t), mask_, llvm::Constant::getNullValue(vector)))
                  : b_.CreateAlignedLoad(vector, pointer, align(t));
    } else {
      raw = gather(vector, element, base, lane_offsets(c), mask_);
    }
    return from_memory(b_, t, raw);
  }

  /// Only lanes whose index is in range may touch memory.
  llvm::Value* load_guarded(DType t, llvm::Type* element, llvm::Value* base, const Affine& c) {
    llvm::Value* active = splat(guard_);
    if (mask_) active = b_.CreateAnd(active, mask_);
    return from_memory(b_, t, gather(vector_of(element), element, base, splat(lane_offsets(c)), active));
  }

  /// The element offsets of the lanes.
  llvm::Value* lane_offsets(const Affine& c) {
    std::vector<llvm::Constant*> offsets;
    for (int lane = 0; lane < lanes_; ++lane) offsets.push_back(b_.getInt64(static_cast<uint64_t>(vector_step(c) * lane)));
    return b_.CreateAdd(splat(affine(c)), llvm::ConstantVector::get(offsets));
  }

  llvm::Value* gather(llvm::FixedVectorType* vector, llvm::Type* element, llvm::Value* base, llvm::Value* offsets,
                      llvm::Value* active) {
    if (!active) active = llvm::Constant::getAllOnesValue(vector_of(b_.getInt1Ty()));
    llvm::Value* pointers = b_.CreateGEP(element, base, offsets);
    return b_.CreateMaskedGather(vector, pointers, llvm::Align(element->getPrimitiveSizeInBits() / 8), active,
                                 llvm::Constant::getNullValue(vector));
  }

  llvm::FixedVectorType* vector_of(llvm::Type* element) const {
    return llvm::FixedVectorType::get(element, static_cast<unsigned>(lanes_));
  }

  llvm::Value* splat(llvm::Value* v) { return codegen::splat(b_, v, static_cast<unsigned>(lanes_)); }

  static llvm::Align align(DType t) { return llvm::Align(size_of(t)); }

  /// Everything is computed before anything is stored: an output may be written over an operand.
  void store_outputs(int stage) {
    std::vector<std::pair<size_t, llvm::Value*>> ready;
    for (size_t i = 0; i < outputs_.size(); ++i)
      if (nest_.output_stage[i] == stage) ready.emplace_back(i, eval(body_.outputs()[i].value, nest_.outputs[i]));
    for (const auto& [i, value] : ready) store(i, value);
  }

  void store(size_t i, llvm::Value* value) {
    const ir::Value v = body_.outputs()[i].value;
    const DType t = v.dtype();
    llvm::Type* element = memory_type(b_.getContext(), t);
    const Affine c = collapsed(linear_offset(v.shape(), nest_.outputs[i], static_cast<int>(nest_.extents.size())), loops_);
    llvm::Value* pointer = b_.CreateGEP(element, outputs_[i], affine(c));
    if (vector_step(c) != 0) value = splat(value);
    llvm::Value* raw = to_memory(b_, t, value);
    if (mask_ && is_vector(raw)) b_.CreateMaskedStore(raw, pointer, align(t), mask_);
    else b_.CreateAlignedStore(raw, pointer, align(t));
  }

  const ir::Graph& body_;
  int lanes_;
  IRBuilder b_;
  LoopBuilder build_;
  passes::LoopNest nest_;
  Loops loops_;
  llvm::Function* function_ = nullptr;
  std::vector<llvm::Value*> inputs_, outputs_;     // pointers
  std::vector<llvm::Value*> index_;                // per loop; of the vector loop: its first lane
  std::vector<int> level_;                         // per loop: the level inside it
  llvm::Value* mask_ = nullptr;                    // the lanes of a ragged vector; null: all
  llvm::Value* guard_ = nullptr;                   // inside a pad or concat: where the index is in range
  std::unordered_map<const Op*, Accumulator> accumulators_;
  std::unordered_map<const Op*, llvm::Value*> reduced_;  // finished reductions of this point
  std::unordered_map<const Op*, bool> follows_;    // depends on a reduction of this nest
  int point_level_ = 0;                            // the level of one point of the kept loops
  std::vector<Memo> memo_;
};

}  // namespace

EmittedNest emit_nest(llvm::Module& module, const CodeShape& shape, const ir::Graph& body, const std::string& name,
                      std::span<const int> inputs, std::span<const int> outputs) {
  return NestEmitter(module, shape, body, name, inputs, outputs).emit();
}

}  // namespace weft::codegen
