// Elements: neighbouring threads have neighbouring vectors of the innermost loop.

#include <llvm/IR/Module.h>

#include "weft/backends/cuda/nest_code.h"

namespace weft::cuda {
namespace {

using codegen::Loops;
using codegen::Mapping;

/// With a vector loop, in order that whole vectors are read and written; the loops of single elements otherwise.
Loops loops_of(const NestSource& source, int lanes) {
  Loops loops = codegen::plan_loops(source.body, source.nest, lanes);
  loops.tile = -1;
  return loops;
}

class FlatNest {
 public:
  FlatNest(const NestSource& source, const Mapping& mapping, const std::string& name)
      : mapping_(mapping), f_(source, mapping, loops_of(source, mapping.vector), mapping.vector, name),
        vectors_(source.points / mapping.vector), rest_(source.points % mapping.vector) {}

  NestLaunch emit(uint64_t& shared_bytes) {
    shared_bytes = f_.shared_bytes;
    // Whole vectors, at first as many in flight as the mapping says.
    const int64_t part = int64_t{mapping_.threads} * mapping_.at_once, parts = mapping_.at_once > 1 ? vectors_ / part : 0;
    if (parts > 0)
      f_.each_of_block(parts,
                       [&](llvm::Value* number) { emit_together(f_.b.CreateAdd(f_.b.CreateMul(number, f_.index(part)), f_.thread)); });
    emit_singly(parts * part);
    if (rest_ > 0) emit_rest();
    f_.b.CreateRetVoid();
    return {f_.function, mapping_.blocks, mapping_.threads};
  }

 private:
  llvm::Value* number_in_grid() { return f_.b.CreateAdd(f_.b.CreateMul(f_.block, f_.index(mapping_.threads)), f_.thread); }

  void set_vector(llvm::Value* number) {
    if (mapping_.vector == 1) return f_.set_point(f_.loops.rows, number);
    const int64_t in_row = f_.extent_of(f_.loops.vector) / mapping_.vector;
    llvm::Value* in_own = f_.loops.rows.empty() ? number : f_.b.CreateURem(number, f_.index(in_row));
    f_.values->set_vector_index(f_.b.CreateMul(in_own, f_.index(mapping_.vector)), nullptr);
    if (!f_.loops.rows.empty()) f_.set_point(f_.loops.rows, f_.b.CreateUDiv(number, f_.index(in_row)));
  }

  /// What is read of all of them first, so that nothing waits for a store.
  void emit_together(llvm::Value* first) {
    std::vector<std::vector<std::pair<size_t, llvm::Value*>>> results;
    const auto each = [&](const std::function<void(int)>& emit_one) {
      for (int i = 0; i < mapping_.at_once; ++i)
        f_.build.scope([&] {
          set_vector(f_.b.CreateAdd(first, f_.index(int64_t{i} * mapping_.threads)));
          emit_one(i);
        });
    };
    each([&](int) {
      f_.values->start_point();
      results.push_back(f_.values->eval_outputs(0));
    });
    each([&](int i) { f_.values->store(results[static_cast<size_t>(i)]); });
  }

  void emit_singly(int64_t from) {
    if (from == vectors_) return;
    const auto emit_one = [&](llvm::Value* number) {
      set_vector(number);
      f_.values->start_point();
      f_.values->store_outputs(0);
    };
    llvm::Value* first = f_.b.CreateAdd(number_in_grid(), f_.index(from));
    const int64_t threads = mapping_.blocks * mapping_.threads;
    if (vectors_ - from == threads) f_.build.scope([&] { emit_one(first); });
    else if (vectors_ - from > threads) f_.build.loop(first, f_.index(vectors_), f_.index(threads), "vector", emit_one);
    else f_.values->when(f_.b.CreateICmpULT(first, f_.index(vectors_)), "vector", [&] { emit_one(first); });
  }

  /// The elements behind the last whole vector, of the only loop.
  void emit_rest() {
    const Loops loops = loops_of(f_.source, 1);
    codegen::LoopBuilder build(f_.b);
    codegen::ValueEmitter values = f_.values_of(build, loops, 1);
    f_.tell_scalars(values);
    llvm::Value* number = number_in_grid();
    values.when(f_.b.CreateICmpULT(number, f_.index(rest_)), "rest", [&] {
      values.set_index(0, f_.b.CreateAdd(number, f_.index(vectors_ * mapping_.vector)));
      values.start_point();
      values.store_outputs(0);
    });
  }

  Mapping mapping_;
  NestFunction f_;
  int64_t vectors_, rest_;
};

}  // namespace

NestLaunch emit_flat(const NestSource& source, const Mapping& mapping, const std::string& name, uint64_t& shared_bytes) {
  return FlatNest(source, mapping, name).emit(shared_bytes);
}

}  // namespace weft::cuda
