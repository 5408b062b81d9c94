// Attention by matrix units, as in "FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning" (Dao 2023). The
// operands' rows come into shared memory whole; sums of one product are, rounded, the factors of the next without leaving the registers.

#include <algorithm>

#include "weft/backends/cuda/kernels/attention_block.h"
#include "weft/backends/cuda/kernels/matrix_units.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// Rows are padded with zeros to whole units.
int padded(int64_t width) { return static_cast<int>((width + MatrixUnits::unit_k - 1) / MatrixUnits::unit_k * MatrixUnits::unit_k); }
/// From row to row in shared memory, in elements.
int distance_of(int64_t width) { return padded(width) + MatrixUnits::gap; }

int64_t shared_bytes(const AttentionWork& work, const AttentionTile& tile) {
  int64_t kept = 0, passing = 0;
  for (const int64_t width : work.row_widths) kept += distance_of(width);
  for (const int64_t width : work.column_widths)
    passing = tile.by_turns ? std::max<int64_t>(passing, distance_of(width)) : passing + distance_of(width);
  return 2 * (tile.rows * kept + tile.columns * passing);
}

/// Of a thread's sums for the results, and for the products of rows and columns, of which there may be two.
int64_t registers(const AttentionWork& work, const AttentionTile& tile) {
  int64_t all = tile.columns;
  for (const int64_t width : work.sum_widths) all += padded(width) / 2;
  return all;
}

class MatrixUnitsBlock final : public AttentionBlock {
 public:
  MatrixUnitsBlock(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work, llvm::Type* index)
      : AttentionBlock(k, tile, index, 4), dtype_(work.dtype), element_(b_.getInt16Ty()) {
    const Values in_block = digits_of(b_, thread_, {tile.rows / MatrixUnits::unit_m, MatrixUnits::lanes});
    first_row_ = times(in_block[0], MatrixUnits::unit_m);
    units_.emplace(b_, dtype_, in_block[1]);
    Dims widths = work.column_widths;
    if (tile.by_turns) widths = {*std::max_element(widths.begin(), widths.end())};
    for (const int64_t width : widths) passing_.push_back({nullptr, room_for(tile_.columns, width)});
  }

  void keep(const Rows& rows, Value* first) override {
    kept_.push_back({rows.pointer, room_for(tile_.rows, rows.width)});
    copy({{rows, first, kept_.back().rows, tile_.rows}}, false);
  }

  void begin_columns(const std::vector<const Rows*>& columns, Value* first) override {
    for (Staged& s : passing_) s.pointer = nullptr;
    if (tile_.by_turns) return;
    std::vector<Copy> copies;
    for (size_t i = 0; i < columns.size(); ++i) {
      passing_[i].pointer = columns[i]->pointer;
      copies.push_back({*columns[i], first, passing_[i].rows, tile_.columns});
    }
    copy(copies, true);
    k_.barrier();
  }

  Values products(const Rows& a, Value* first_a, const Rows& b, Value* first_b) override {
    Value *left = in_shared(a, first_a), *right = in_shared(b, first_b);
    const int distance = distance_of(a.width);
    Values all(MatrixUnits::lane_sums * static_cast<size_t>(tile_.columns / MatrixUnits::unit_n),
               llvm::ConstantFP::get(b_.getFloatTy(), 0));
    for (int k = 0; k < padded(a.width); k += MatrixUnits::unit_k) {
      const Values x = units_->left(left, first_row_, 0, distance, k);
      for (size_t s = 0; s < all.size(); s += MatrixUnits::lane_sums)
        units_->multiply(x, units_->right(right, int32(0), column_of_unit(s), distance, k), &all[s]);
    }
    return all;
  }

  Values accumulated(Values all, const Values& numbers, const Rows& x, Value* first) override {
    Value* rows = in_shared(x, first);
    for (int k = 0; k < tile_.columns; k += MatrixUnits::unit_k) {
      const size_t number = MatrixUnits::lane_sums * static_cast<size_t>(k / MatrixUnits::unit_n);
      const Values factors = units_->left_of_sums(&numbers[number], &numbers[number + MatrixUnits::lane_sums]);
      for (size_t s = 0; s < all.size(); s += 2 * MatrixUnits::lane_sums) {
        const auto [one, other] = units_->right_pair(rows, distance_of(x.width), k, column_of_unit(s));
        units_->multiply(factors, one, &all[s]);
        units_->multiply(factors, other, &all[s + MatrixUnits::lane_sums]);
      }
    }
    return all;
  }

  size_t sums(int64_t width) const override { return MatrixUnits::lane_sums * static_cast<size_t>(padded(width) / MatrixUnits::unit_n); }

  void store(const Rows& to, Value* first_row, const Values& all) override {
    for (size_t r = 0; r < thread_rows(); ++r) {
      Value* at_row = b_.CreateAdd(first_row, row(r));
      k_.when(b_.CreateICmpULT(at_row, number(to.count)), [&] {
        for (size_t s = 2 * r; s < all.size(); s += MatrixUnits::lane_sums)
          if (column_of_unit(s) < to.width) store_pair(to, at_row, column(s), all[s], all[s + 1]);
      });
    }
  }

  size_t thread_rows() const override { return 2; }
  size_t row_of_number(size_t number) const override { return number % MatrixUnits::lane_sums / 2; }
  size_t row_of_sum(size_t sum, size_t) const override { return row_of_number(sum); }
  Value* row(size_t thread_row) override {
    return index(plus(b_.CreateAdd(first_row_, units_->group()), MatrixUnits::row_of_sum(2 * thread_row)));
  }
  Value* column(size_t number) override { return index(plus(units_->pair(), column_of_unit(number) + static_cast<int>(number % 2))); }

 private:
  /// What lies in a piece of shared memory: the rows of that buffer.
  struct Staged {
    Value *pointer, *rows;
  };
  /// Rows on their way into shared memory.
  struct Copy {
    const Rows& x;
    Value *first, *to;
    int rows;
    int pieces_of_row() const { return padded(x.width) / x.together; }
  };
  /// A thread's piece of them, as many elements as are read at once: where it lies, beside the thread's first one.
  struct Piece {
    const Copy& of;
    int more_rows, more_pieces;
  };

  /// The first column of the unit that a number or a sum belongs to.
  static int column_of_unit(size_t s) { return static_cast<int>(s / MatrixUnits::lane_sums) * MatrixUnits::unit_n; }

  Value* room_for(int rows, int64_t width) { return k_.shared(element_, int64_t{rows} * distance_of(width)); }

  Value* in_shared(const Rows& x, Value* first) {
    for (const std::vector<Staged>* all : {&kept_, &passing_})
      for (const Staged& s : *all)
        if (s.pointer == x.pointer) return s.rows;
    WEFT_CHECK(tile_.by_turns, "rows of a tile that nobody has brought");
    copy({{x, first, passing_[0].rows, tile_.columns}}, true);
    k_.barrier();
    passing_[0].pointer = x.pointer;
    return passing_[0].rows;
  }

  /// So many neighbouring threads share a row, a power of two: such that pieces are shared out evenly, and all threads have some.
  int threads_of_row(const Copy& c) const {
    const int pieces = c.pieces_of_row(), threads = static_cast<int>(tile_.threads);
    return std::min(threads, std::max(pieces & -pieces, threads / c.rows));
  }

  /// `wait`: others may still read what lies there. What is copied is on its way meanwhile, as far as there are registers for it.
  void copy(const std::vector<Copy>& copies, bool wait) {
    constexpr int most_registers = 32;
    std::vector<Piece> pieces;
    for (const Copy& c : copies)
      for (int row = 0; row < c.rows; row += static_cast<int>(tile_.threads) / threads_of_row(c))
        for (int piece = 0; piece < c.pieces_of_row(); piece += threads_of_row(c)) pieces.push_back({c, row, piece});
    for (size_t i = 0; i < pieces.size();) {
      const size_t first = i;
      Values fetched;
      for (int taken = 0; i < pieces.size() && taken < most_registers; ++i) {
        fetched.push_back(fetch(pieces[i]));
        taken += std::max(1, pieces[i].of.x.together / 2);
      }
      if (first == 0 && wait) k_.barrier();
      for (size_t j = first; j < i; ++j) put(pieces[j], fetched[j - first]);
    }
  }

  /// Row and number of the thread's first piece.
  Values first_piece(const Copy& c) { return digits_of(b_, thread_, {c.rows, threads_of_row(c)}); }

  /// 0 where there is none.
  Value* fetch(const Piece& p) {
    const Rows& x = p.of.x;
    llvm::Type* word = b_.getInt32Ty();
    llvm::Type* type = x.together == 1   ? element_
                       : x.together == 2 ? word
                                         : llvm::FixedVectorType::get(word, static_cast<unsigned>(x.together) / 2);
    const Values first = first_piece(p.of);
    Value* row = b_.CreateAdd(p.of.first, index(plus(first[0], p.more_rows)));
    Value* column = index(times(plus(first[1], p.more_pieces), x.together));
    Value* exists = is_element(x, row, column);
    // The first element there is always, and without a branch all are on their way at once.
    Value* offset = b_.CreateSelect(exists, offset_of(x, row, column), number(0));
    llvm::LoadInst* read = b_.CreateAlignedLoad(type, b_.CreateGEP(element_, x.pointer, offset), alignment(x));
    read->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(b_.getContext(), {}));
    return b_.CreateSelect(exists, read, llvm::Constant::getNullValue(type));
  }

  void put(const Piece& p, Value* fetched) {
    const Copy& c = p.of;
    const Values first = first_piece(c);
    const int distance = distance_of(c.x.width);
    Value* to = b_.CreateGEP(element_, c.to, b_.CreateAdd(times(first[0], distance), times(first[1], c.x.together)));
    to = b_.CreateConstGEP1_32(element_, to, static_cast<unsigned>(p.more_rows * distance + p.more_pieces * c.x.together));
    const auto store = [&] { b_.CreateAlignedStore(fetched, to, alignment(c.x)); };
    if (p.more_pieces + threads_of_row(c) <= c.pieces_of_row()) store();
    else k_.when(b_.CreateICmpULT(first[1], int32(c.pieces_of_row() - p.more_pieces)), store);
  }

  static llvm::Align alignment(const Rows& x) { return llvm::Align(2 * static_cast<uint64_t>(x.together)); }

  void store_pair(const Rows& to, Value* row, Value* column, Value* low, Value* high) {
    const auto where_there = [&](Value* c, const std::function<void()>& body) {
      if (to.width % MatrixUnits::unit_n == 0) body();
      else k_.when(b_.CreateICmpULT(c, number(to.width)), body);
    };
    if (to.together == 1) {
      where_there(column, [&] { k_.store(dtype_, to.pointer, offset_of(to, row, column), low); });
      Value* next = plus(column, 1);
      where_there(next, [&] { k_.store(dtype_, to.pointer, offset_of(to, row, next), high); });
      return;
    }
    where_there(column, [&] {
      Value* at = b_.CreateGEP(element_, to.pointer, offset_of(to, row, column));
      b_.CreateAlignedStore(units_->rounded_pair(low, high), at, llvm::Align(4));
    });
  }

  DType dtype_;
  llvm::Type* element_;
  Value* first_row_;  // of the warp's
  std::optional<MatrixUnits> units_;
  std::vector<Staged> kept_, passing_;
};

}  // namespace

std::optional<AttentionTile> matrix_units_tile(const AttentionWork& work) {
  constexpr int64_t most_shared_bytes = 48 << 10, most_registers = 176;
  constexpr int64_t registers_of_processor = 65536, for_the_rest = 112;
  if (work.dtype != bf16 && work.dtype != f16) return {};
  const auto half_would_do = [](int extent, int64_t needed) { return extent > MatrixUnits::unit_m && extent / 2 >= needed; };
  // The more rows, the less often columns are read; the more columns, the fewer the steps.
  for (const int rows : {64, 32, 16})
    for (const bool by_turns : {false, true})
      for (const int columns : {64, 32, 16}) {
        if (half_would_do(rows, work.rows) || columns > rows || half_would_do(columns, work.columns)) continue;
        AttentionTile tile{rows, columns, static_cast<uint32_t>(rows / MatrixUnits::unit_m * MatrixUnits::lanes), 1, true, by_turns};
        if (shared_bytes(work, tile) > most_shared_bytes || registers(work, tile) > most_registers) continue;
        const int64_t taken = tile.threads * (registers(work, tile) + for_the_rest);
        tile.blocks_at_once = static_cast<uint32_t>(std::clamp<int64_t>(registers_of_processor / taken, 1, 8));
        return tile;
      }
  return {};
}

std::unique_ptr<AttentionBlock> matrix_units_block(KernelBuilder& k, const AttentionTile& tile, const AttentionWork& work,
                                                   llvm::Type* index) {
  return std::make_unique<MatrixUnitsBlock>(k, tile, work, index);
}

}  // namespace weft::cuda
