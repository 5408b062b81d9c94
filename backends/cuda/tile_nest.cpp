// Elements of which some operand lies along another loop than the innermost: a square of it comes to shared memory along that loop
// and is read from there along the innermost, so that all accesses of global memory are of neighbouring elements.

#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/cuda/nest_code.h"
#include "weft/backends/cuda/thread_code.h"

namespace weft::cuda {
namespace {

using codegen::Mapping;
using codegen::tile_extent;

/// A side of the square in shared memory, one element longer, so that a column lies in as many banks as a row.
constexpr int64_t padded = tile_extent + 1;

class TileNest {
 public:
  TileNest(const NestSource& source, const Mapping& mapping, const std::string& name)
      : mapping_(mapping), f_(source, mapping, codegen::plan_loops(source.body, source.nest, 1), 1, name),
        bytes_(static_cast<int64_t>(f_.shared_bytes)) {
    const codegen::NestAccesses accesses = codegen::accesses_of(source.body, source.nest);
    inner_ = static_cast<int>(f_.loops.all.size()) - 1;
    across_ = codegen::transposed_loop(source.body, source.nest, f_.loops, accesses);
    for (int l = 0; l < inner_; ++l)
      if (l != across_) outer_.push_back(l);
    for (const codegen::OperandRead& r : accesses.reads) add_square(r);
  }

  NestLaunch emit(uint64_t& shared_bytes) {
    const int64_t wide = tiles_of(inner_), high = tiles_of(across_);
    int64_t outer = 1;
    for (int l : outer_) outer *= f_.extent_of(l);
    column_ = f_.b.CreateAnd(f_.thread, f_.index(tile_extent - 1)), row_ = f_.b.CreateUDiv(f_.thread, f_.index(tile_extent));
    const bool repeats = outer * wide * high > mapping_.blocks;
    f_.each_of_block(outer * wide * high, [&](llvm::Value* number) {
      llvm::Value* x = f_.b.CreateMul(f_.b.CreateURem(number, f_.index(wide)), f_.index(tile_extent));
      number = f_.b.CreateUDiv(number, f_.index(wide));
      llvm::Value* y = f_.b.CreateMul(f_.b.CreateURem(number, f_.index(high)), f_.index(tile_extent));
      f_.set_point(outer_, f_.b.CreateUDiv(number, f_.index(high)));
      each_row([&](llvm::Value* row) { fetch(x, y, row); });
      barrier(f_.b);
      each_row([&](llvm::Value* row) { compute(x, y, row); });
      if (repeats) barrier(f_.b);
    });
    f_.b.CreateRetVoid();
    shared_bytes = static_cast<uint64_t>(bytes_);
    return {f_.function, mapping_.blocks, mapping_.threads};
  }

 private:
  struct Square {
    int input;
    codegen::Walk walk;
    int64_t offset;  // bytes in shared memory
  };

  void add_square(const codegen::OperandRead& r) {
    codegen::Walk walk = codegen::collapsed(r.offset, f_.source.nest, f_.loops);
    const int64_t step = walk.along.coefficients[static_cast<size_t>(inner_)];
    if (r.guarded || !walk.apart.empty() || step == 0 || step == 1 || walk.along.coefficients[static_cast<size_t>(across_)] != 1) return;
    const auto same = [&](const Square& s) { return s.input == r.input && s.walk.along == walk.along; };
    if (std::any_of(squares_.begin(), squares_.end(), same)) return;
    const auto size = static_cast<int64_t>(size_of(f_.source.body.inputs()[static_cast<size_t>(r.input)].value().dtype()));
    squares_.push_back({r.input, std::move(walk), bytes_});
    bytes_ += (tile_extent * padded * size + 15) / 16 * 16;
  }

  int64_t tiles_of(int loop) const { return (f_.extent_of(loop) + tile_extent - 1) / tile_extent; }

  void each_row(const std::function<void(llvm::Value*)>& emit_row) {
    const int64_t rows = mapping_.threads / tile_extent;
    for (int64_t first = 0; first < tile_extent; first += rows) emit_row(f_.b.CreateAdd(row_, f_.index(first)));
  }

  /// if both are in range
  void inside(llvm::Value* x, llvm::Value* y, const std::function<void()>& body) {
    llvm::Value* in =
        f_.b.CreateAnd(f_.b.CreateICmpULT(x, f_.index(f_.extent_of(inner_))), f_.b.CreateICmpULT(y, f_.index(f_.extent_of(across_))));
    f_.values->when(in, "inside", [&] {
      f_.values->set_index(inner_, x);
      f_.values->set_index(across_, y);
      body();
    });
  }

  llvm::Type* element_of(const Square& s) const {
    return codegen::memory_type(f_.b.getContext(), f_.source.body.inputs()[static_cast<size_t>(s.input)].value().dtype());
  }

  llvm::Value* place(const Square& s, llvm::Value* x, llvm::Value* y) {
    llvm::Value* start = f_.b.CreateConstInBoundsGEP1_64(f_.b.getInt8Ty(), f_.shared, static_cast<uint64_t>(s.offset));
    return f_.b.CreateGEP(element_of(s), start, f_.b.CreateAdd(f_.b.CreateMul(x, f_.index(padded)), y));
  }

  /// Neighbouring threads along the loop that the operands lie along.
  void fetch(llvm::Value* x, llvm::Value* y, llvm::Value* row) {
    inside(f_.b.CreateAdd(x, row), f_.b.CreateAdd(y, column_), [&] {
      for (const Square& s : squares_) f_.b.CreateStore(f_.values->load_element(s.input, s.walk), place(s, row, column_));
    });
  }

  /// Neighbouring threads along the innermost loop.
  void compute(llvm::Value* x, llvm::Value* y, llvm::Value* row) {
    inside(f_.b.CreateAdd(x, column_), f_.b.CreateAdd(y, row), [&] {
      std::vector<codegen::ValueEmitter::Copy> copies;
      for (const Square& s : squares_) copies.push_back({s.input, s.walk, place(s, column_, row)});
      f_.values->set_copies(std::move(copies));
      f_.values->start_point();
      f_.values->store_outputs(0);
      f_.values->set_copies({});
    });
  }

  Mapping mapping_;
  NestFunction f_;
  int inner_ = 0, across_ = 0;
  std::vector<int> outer_;
  std::vector<Square> squares_;
  int64_t bytes_;
  llvm::Value *column_ = nullptr, *row_ = nullptr;
};

}  // namespace

NestLaunch emit_tiles(const NestSource& source, const Mapping& mapping, const std::string& name, uint64_t& shared_bytes) {
  return TileNest(source, mapping, name).emit(shared_bytes);
}

}  // namespace weft::cuda
