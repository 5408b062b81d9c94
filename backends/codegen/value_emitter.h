#pragma once
// A nest's values at the place where its loops stand: computed from the operands' elements that they need, hoisted out of
// the loops that they do not follow, and stored.

#include <unordered_map>
#include <vector>

#include "weft/backends/codegen/kept_values.h"
#include "weft/backends/codegen/loop_builder.h"
#include "weft/backends/codegen/loops.h"

namespace weft::codegen {

/// An operand or a result in memory.
struct ValueBuffer {
  llvm::Value* pointer;
  uint64_t alignment = 1;     // bytes of the pointer, beyond that of an element
  bool is_invariant = false;  // nothing writes it while the function runs
};

class ValueEmitter {
 public:
  /// `inputs` and `outputs` are the body's; indices are computed in integers of type `index_type`.
  ValueEmitter(IRBuilder& b, LoopBuilder& build, const ir::Graph& body, const passes::LoopNest& nest, const Loops& loops, int lanes,
               std::vector<ValueBuffer> inputs, std::vector<ValueBuffer> outputs, llvm::Type* index_type);

  // ---- where the loops stand ----

  /// From here on loop `loop` is at this index; of the vector loop: its first lane, and the lanes that there are (null: all).
  void set_index(int loop, llvm::Value* index) { enter(loop, index, index); }
  void set_vector_index(llvm::Value* first_lane, llvm::Constant* mask);
  void end_vector() { mask_ = nullptr; }
  /// Here starts a tile: `count` indices of the tiled loop, from `first` on, as many as there are lanes unless it is ragged. In it the
  /// loop stands at one after the other.
  void start_tile(llvm::Value* first, llvm::Value* count, bool ragged);
  void set_tile_row(llvm::Value* number) { tile_row_ = number; }
  llvm::Value* index(int loop) const { return index_[static_cast<size_t>(loop)]; }
  llvm::Value* mask() const { return mask_; }
  /// One point of the kept loops starts here: what follows a reduction belongs inside it. No reduction is finished.
  void start_point();
  /// From here on what follows a reduction belongs inside the innermost open level.
  void finish_point() { point_level_ = build_.depth(); }
  /// A sweep over the reduced loops starts here.
  void start_stage(int stage) { stage_ = stage; }
  void set_reduced(const ir::Op& reduction, llvm::Value* result) { reduced_[&reduction] = result; }
  /// From here on the place where the loops stand has an element only where this is true (null: everywhere). Its indices are in
  /// range all the same.
  void set_active(llvm::Value* active) { active_ = active; }
  /// Emits `if (condition) body()`, one level deeper; what only the body knows is forgotten.
  void when(llvm::Value* condition, const std::string& name, const std::function<void()>& body);
  /// This is the value's one element, wherever the loops stand.
  void set_scalar(ir::Value v, llvm::Value* element) { memo_.push_back({v, scalar_map(v), element, 0}); }
  ir::IndexMap scalar_map(ir::Value v) const;
  /// What is known in the innermost open level is kept under this number, and is known again there until the point ends. The code
  /// between must run whenever what is recalled does.
  void keep_level(int number);
  void recall_level(int number);

  // ---- values ----

  /// The value's element(s) at this index: a vector if the index follows the vector loop, else a scalar.
  llvm::Value* eval(ir::Value v, ir::IndexMap map);
  /// The outputs of this stage. Everything is computed before anything is stored: an output may be written over an operand.
  void store_outputs(int stage);
  /// The same in two parts: the values, and the stores, where the loops stand as they did.
  std::vector<std::pair<size_t, llvm::Value*>> eval_outputs(int stage);
  void store(const std::vector<std::pair<size_t, llvm::Value*>>& values);
  /// An operand's element in memory, where the loops stand.
  llvm::Value* load_element(int input, const Walk& walk);
  /// From here on the operand's elements at such places stand in this memory, at this element of it.
  struct Copy {
    int input;
    Walk walk;
    llvm::Value* place;
  };
  void set_copies(std::vector<Copy> copies) { copies_ = std::move(copies); }

 private:
  /// A value already emitted at some index, usable until the loop of its level closes.
  struct Memo {
    ir::Value value;
    ir::IndexMap map;
    llvm::Value* emitted;
    int level;
  };

  void enter(int loop, llvm::Value* index, llvm::Value* of_lanes);
  /// A value that was stored in an earlier stage of this point.
  struct Kept {
    const ir::Op* op;
    ir::IndexMap map;
    int stage;
    llvm::Value* memory;
  };
  /// A tile of an operand that lies along the tiled loop, transposed, on the stack.
  struct TransposedTile {
    int input;
    ir::Affine at;
    llvm::Value* memory;
  };

  void prefetch(llvm::Type* element, llvm::Value* pointer, const Walk& walk, bool to_write);
  int level_of(const ir::IndexMap& map) const;
  int level_of(const ir::Affine& a) const;
  bool follows_reduction(ir::Value v);
  llvm::Value* kept_value(ir::Value v, const ir::IndexMap& map);
  void keep(ir::Value v, const ir::IndexMap& map, llvm::Value* emitted);
  bool follows_all_inner(const ir::IndexMap& map) const;
  int64_t kept_elements() const;
  llvm::Value* kept_place(llvm::Value* memory, llvm::Type* element);
  llvm::Value* alloca_at_entry(llvm::Type* type, int64_t count, const char* name);
  llvm::Value* emit_value(ir::Value v, const ir::IndexMap& map);
  llvm::Value* constant(const ir::Op& op);
  llvm::Value* move(const ir::Op& op, const ir::IndexMap& map);
  llvm::Value* move_one_of(const ir::Op& op, const std::vector<ir::Access>& accesses, const ir::IndexMap& map, llvm::Value* index);
  llvm::Value* both(llvm::Value* x, llvm::Value* y);
  llvm::Value* in_range(const ir::IndexMap& map, const Shape& shape);
  llvm::Value* lane_index(const ir::Affine& a) { return lane_index(collapsed(a, nest_, loops_)); }
  llvm::Value* lane_index(const Walk& walk);
  llvm::Constant* lane_numbers(int64_t step);
  bool is_spread(const Walk& walk) const;
  int64_t vector_step(const Walk& walk) const;
  llvm::Value* first_index(const Walk& walk);
  llvm::Value* index_apart(const Walk& walk);
  llvm::Value* load(ir::Value v, const ir::IndexMap& map);
  llvm::Value* load_transposed(int input, llvm::Type* element, const Walk& walk);
  llvm::Value* transposed_tile(int input, llvm::Type* element, const Walk& walk);
  llvm::Value* load_guarded(DType t, llvm::Type* element, llvm::Value* base, const Walk& walk);
  llvm::Value* gather(llvm::FixedVectorType* vector, llvm::Type* element, llvm::Value* base, llvm::Value* offsets, llvm::Value* active);
  /// Elements of the vector that the mask has, each to a place of its own.
  void scatter(llvm::Value* vector, llvm::Type* element, llvm::Value* base, llvm::Value* offsets);
  void store(size_t i, llvm::Value* value);
  llvm::FixedVectorType* vector_of(llvm::Type* element) const;
  llvm::Value* splat(llvm::Value* v) { return codegen::splat(b_, v, static_cast<unsigned>(lanes_)); }
  llvm::Value* index_of(int64_t value) { return llvm::ConstantInt::get(index_type_, static_cast<uint64_t>(value), true); }
  llvm::Value* load_scalar(DType t, const ValueBuffer& buffer, llvm::Value* offset, bool is_everywhere);
  llvm::Align vector_alignment(DType t, const ValueBuffer& buffer, const Walk& walk) const;

  IRBuilder& b_;
  LoopBuilder& build_;
  const ir::Graph& body_;
  const passes::LoopNest& nest_;
  const Loops& loops_;
  int lanes_;
  std::vector<ValueBuffer> inputs_, outputs_;
  llvm::Type* index_type_;
  std::vector<llvm::Value*> index_;  // per loop; of the vector loop: its first lane
  std::vector<llvm::Value*> apart_;  // per loop of the nest that is one of several collapsed ones: its own index, of every lane
  std::vector<int> level_;           // per loop: the level inside it
  llvm::Value* mask_ = nullptr;      // the lanes of a ragged vector; null: all
  llvm::Value* guard_ = nullptr;     // inside a pad or concat: where the index is in range
  llvm::Value* active_ = nullptr;
  std::unordered_map<const ir::Op*, llvm::Value*> reduced_;  // finished reductions of this point
  std::unordered_map<const ir::Op*, bool> follows_;          // depends on a reduction of this nest
  int point_level_ = 0;                                      // the level of one point of the kept loops
  std::vector<Memo> memo_;                                   // as they were emitted
  std::unordered_map<int, std::vector<Memo>> levels_kept_;
  std::vector<Copy> copies_;
  KeptValues needs_;
  std::vector<Kept> kept_;  // of this point
  int64_t kept_bytes_ = 0;  // on the stack, of all points' code together
  int stage_ = 0;
  llvm::Value *tile_first_ = nullptr, *tile_count_ = nullptr, *tile_row_ = nullptr;
  bool tile_is_ragged_ = false;
  int tile_level_ = 0;                 // the level that a tile starts at
  std::vector<TransposedTile> tiles_;  // of this tile
};

}  // namespace weft::codegen
