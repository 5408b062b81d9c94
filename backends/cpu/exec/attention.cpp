#include "weft/backends/cpu/exec/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "weft/backends/cpu/exec/attention_rows.h"
#include "weft/backends/cpu/exec/block_product.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/rounding.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/backends/cpu/exec/slices.h"

namespace weft::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// A block of scores is to stay in the first cache or near it, and its products are to be worth packing for.
constexpr int64_t most_queries = 48, most_keys = 512;
/// With fewer queries than these a transposed copy of the keys costs more than it saves.
constexpr int64_t least_queries_for_copy = 16;

struct Block {
  int64_t query, queries, key, keys;
  bool is_first;  // of these queries
};

/// The blocks that hold what any query sees, those of the same queries one after the other.
template <class Visit>
void for_each_block(const Attention& a, Visit visit) {
  for (int64_t query = 0; query < a.queries; query += most_queries) {
    const int64_t queries = std::min(most_queries, a.queries - query), seen = a.seen(query + queries - 1);
    for (int64_t key = 0; key < seen; key += most_keys) visit(Block{query, queries, key, std::min(most_keys, seen - key), key == 0});
  }
}

/// The products of a block, all with rows that lie in one piece but for transposed left operands.
GemmShape shape_of(int64_t m, int64_t n, int64_t k, int64_t a_row, int64_t b_row, int64_t result_row) {
  return {m, n, k, a_row, 1, b_row, 1, result_row};
}
GemmShape left_transposed(GemmShape s) { return std::swap(s.a_row, s.a_column), s; }
GemmShape right_transposed(GemmShape s) { return std::swap(s.b_row, s.b_column), s; }

/// Where what a slice works in lies: floats from its start on.
struct Workplace {
  bool copies = false;  // keys and values are copied, transposed, one for each row of scores
  int64_t block_row = 0, copy_row = 0;
  int64_t weights = 0, slopes = 0, keys = 0, values = 0, largest = 0, sums = 0, factors = 0, products = 0, end = 0;

  explicit Workplace(const AttentionSpec& s) {
    block_row = round_up(std::min(most_keys, s.keys), score_lanes);
    copy_row = round_up(s.keys, score_lanes);
    copies = s.queries * s.group >= least_queries_for_copy;
    const auto take = [&](int64_t count) { return std::exchange(end, end + round_up(count, score_lanes)); };
    const int64_t rows = std::min(most_queries, s.queries);
    weights = take(rows * block_row);
    if (s.is_gradient) slopes = take(rows * block_row);
    if (copies) keys = take(s.width * copy_row);
    if (copies && s.is_gradient) values = take(s.value_width * copy_row);
    largest = take(rows), sums = take(rows), factors = take(rows);
    products = end;
    int64_t bytes = 0;
    const auto want = [&](const GemmShape& shape) { bytes = std::max(bytes, most_block_product_scratch_bytes(shape)); };
    const Block largest_block{0, rows, 0, std::min(most_keys, s.keys), true};
    for (const int64_t row_width : {s.width, s.value_width}) {
      want(by_keys(largest_block, row_width, row_width, row_width));
      want(by_weights(largest_block, row_width, row_width, row_width));
      if (s.is_gradient) want(by_weights_transposed(largest_block, row_width, row_width, row_width));
    }
    end += round_up(bytes / static_cast<int64_t>(sizeof(float)), score_lanes);
  }

  /// Rows of queries times rows of keys, which lie so far apart.
  GemmShape by_keys(const Block& b, int64_t width, int64_t query_row, int64_t key_row) const {
    return copies ? shape_of(b.queries, b.keys, width, query_row, copy_row, block_row)
                  : right_transposed(shape_of(b.queries, b.keys, width, query_row, key_row, block_row));
  }
  /// Scores times rows of keys.
  GemmShape by_weights(const Block& b, int64_t width, int64_t key_row, int64_t result_row) const {
    return shape_of(b.queries, width, b.keys, block_row, key_row, result_row);
  }
  /// Transposed scores times rows of queries.
  GemmShape by_weights_transposed(const Block& b, int64_t width, int64_t query_row, int64_t result_row) const {
    return left_transposed(shape_of(b.keys, width, b.queries, block_row, query_row, result_row));
  }
};

const AttentionRows& rows_of_this_machine() {
  const std::string_view isa = library_isa();
  return isa == "avx512" ? avx512_attention_rows : isa == "avx2" ? avx2_attention_rows : sse4_attention_rows;
}

class AttentionTask final : public Task {
 public:
  AttentionTask(const AttentionSpec& spec, int64_t scratch_bytes)
      : Task(spec.slices), s_(spec), work_(spec),
        scratch_(Scratch::Follows::from_machine, "attention", attention_scratch_bytes(spec), scratch_bytes), rows_(rows_of_this_machine()) {
    own_scratch_bytes = scratch_.own_bytes(), is_library_call = block_products_are_library_calls();
    implementation = attention_implementation();
    buffers.resize(spec.bytes().size() + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override {
    const std::vector<std::byte*>& all = scratch_.behind(buffers);
    size_t next = 0;
    const auto take = [&] { return reinterpret_cast<float*>(all[next++]); };
    q_ = take(), k_ = take(), v_ = take();
    if (s_.is_gradient) g_ = take(), lse_ = take(), delta_ = take();
    if (s_.mask != ScoreMask::none) mask_ = all[next++];
    if (s_.is_gradient) dq_ = take(), dk_ = take(), dv_ = take();
    else result_ = take(), lse_ = take();
    memory_ = take();
  }

  int run(int64_t begin, int64_t end) override {
    const int64_t heads = s_.heads() / s_.group;
    for (int64_t slice = begin; slice < end; ++slice)
      for (int64_t head = slice * heads / s_.slices; head < (slice + 1) * heads / s_.slices; ++head)
        if (const int status = Head(*this, head, memory_ + slice * work_.end).run(); status != 0) return status;
    return 0;
  }

 private:
  /// Of a head, in one of the buffers.
  struct Rows {
    float* data;
    int64_t row;  // their distance
    Rows from(int64_t first) const { return {data + first * row, row}; }
  };
  enum Place { q, k, v, g, result = 3, dq = 4, dk, dv };

  Rows rows_of(Place place, float* buffer, int64_t head, int64_t group) const {
    const StridedView& view = s_.places[place];
    const size_t rank = view.extents.size();
    int64_t at = view.offset, rest = head;
    for (size_t axis = rank - 2; axis-- > 0;) {
      const int64_t extent = s_.batch[axis] / (axis + 3 == rank ? group : 1);
      at += rest % extent * view.strides[axis];
      rest /= extent;
    }
    // Of one row the distance says nothing.
    return {buffer + at, view.extents[rank - 2] > 1 ? view.strides[rank - 2] : view.extents[rank - 1]};
  }

  /// One head of keys, with all heads of queries that share it.
  class Head {
   public:
    Head(const AttentionTask& task, int64_t head, float* memory)
        : t_(task), s_(task.s_), work_(task.work_), head_(head), memory_(memory), k_(of_keys(k, t_.k_)), v_(of_keys(v, t_.v_)),
          dk_(s_.is_gradient ? of_keys(dk, t_.dk_) : Rows()), dv_(s_.is_gradient ? of_keys(dv, t_.dv_) : Rows()) {}

    int run() {
      if (work_.copies) t_.rows_.transpose(k_.data, k_.row, s_.keys, s_.width, memory_ + work_.keys, work_.copy_row);
      if (s_.is_gradient) {
        if (work_.copies) t_.rows_.transpose(v_.data, v_.row, s_.keys, s_.value_width, memory_ + work_.values, work_.copy_row);
        for (int64_t key = 0; key < s_.keys; ++key) {
          std::fill_n(dk_.from(key).data, s_.width, 0.0F);
          std::fill_n(dv_.from(key).data, s_.value_width, 0.0F);
        }
      }
      for (int64_t i = 0; i < s_.group && status_ == 0; ++i) {
        query_head_ = head_ * s_.group + i;
        for_each_block(s_, [&](const Block& b) { s_.is_gradient ? run_gradient(b) : run_forward(b); });
      }
      return status_;
    }

   private:
    Rows of_keys(Place place, float* buffer) const { return t_.rows_of(place, buffer, head_, s_.group); }
    /// The block's queries.
    Rows of_queries(Place place, float* buffer, const Block& b) const { return t_.rows_of(place, buffer, query_head_, 1).from(b.query); }
    /// A number for each of them.
    float* numbers(float* all, const Block& b) const { return all + query_head_ * s_.queries + b.query; }

    void multiply(const GemmShape& shape, const float* a, const float* b, bool accumulates, float* to) {
      if (const int status = block_product(shape, a, b, accumulates, to, memory_ + work_.products); status != 0) status_ = status;
    }
    /// to = rows of queries times keys or values, `copy` where those are transposed.
    void multiply_by_keys(const Block& b, Rows queries, Rows keys, int64_t copy, int64_t width, float* to) {
      multiply(work_.by_keys(b, width, queries.row, keys.row), queries.data, work_.copies ? memory_ + copy + b.key : keys.from(b.key).data,
               false, to);
    }

    ScoreBlock scores(const Block& b) {
      float* data = memory_ + work_.weights;
      multiply_by_keys(b, of_queries(q, t_.q_, b), k_, work_.keys, s_.width, data);
      ScoreBlock block{data, work_.block_row, b.queries, b.keys, static_cast<float>(s_.scale), s_.causal ? b.query + 1 - b.key : b.keys};
      if (s_.mask == ScoreMask::none) return block;
      const size_t rank = s_.mask_strides.size();
      block.mask = s_.mask, block.mask_row = s_.mask_strides[rank - 2], block.mask_column = s_.mask_strides[rank - 1];
      int64_t at = b.query * block.mask_row + b.key * block.mask_column, rest = query_head_;
      for (size_t axis = s_.batch.size(); axis-- > 0; rest /= s_.batch[axis]) at += rest % s_.batch[axis] * s_.mask_strides[axis];
      block.mask_data = t_.mask_ + at * static_cast<int64_t>(s_.mask == ScoreMask::number ? sizeof(float) : sizeof(uint8_t));
      return block;
    }

    void run_forward(const Block& b) {
      float *largest = memory_ + work_.largest, *sums = memory_ + work_.sums, *factors = memory_ + work_.factors;
      const Rows to = of_queries(result, t_.result_, b);
      if (b.is_first) std::fill_n(largest, b.queries, -infinity), std::fill_n(sums, b.queries, 0.0F);
      const ScoreBlock block = scores(b);
      t_.rows_.weigh(block, largest, sums, factors);
      if (!b.is_first) t_.rows_.rescale(to.data, to.row, b.queries, s_.value_width, factors);
      multiply(work_.by_weights(b, s_.value_width, v_.row, to.row), block.data, v_.from(b.key).data, !b.is_first, to.data);
      if (b.key + b.keys < s_.seen(b.query + b.queries - 1)) return;
      float* lse = numbers(t_.lse_, b);
      for (int64_t i = 0; i < b.queries; ++i) {
        factors[i] = sums[i] == 0 ? 0 : 1 / sums[i];
        lse[i] = largest[i] == -infinity && sums[i] == 0 ? -infinity : largest[i] + std::log(sums[i]);
      }
      t_.rows_.rescale(to.data, to.row, b.queries, s_.value_width, factors);
    }

    void run_gradient(const Block& b) {
      const Rows queries = of_queries(q, t_.q_, b), gradients = of_queries(g, t_.g_, b), to = of_queries(dq, t_.dq_, b);
      const ScoreBlock block = scores(b);
      t_.rows_.weigh_by_lse(block, numbers(t_.lse_, b));
      float* slopes = memory_ + work_.slopes;
      multiply_by_keys(b, gradients, v_, work_.values, s_.value_width, slopes);
      t_.rows_.slopes(block.data, slopes, work_.block_row, b.queries, b.keys, numbers(t_.delta_, b), block.scale);
      multiply(work_.by_weights(b, s_.width, k_.row, to.row), slopes, k_.from(b.key).data, !b.is_first, to.data);
      multiply(work_.by_weights_transposed(b, s_.width, queries.row, dk_.row), slopes, queries.data, true, dk_.from(b.key).data);
      multiply(work_.by_weights_transposed(b, s_.value_width, gradients.row, dv_.row), block.data, gradients.data, true,
               dv_.from(b.key).data);
    }

    const AttentionTask& t_;
    const AttentionSpec& s_;
    const Workplace& work_;
    int64_t head_, query_head_ = 0;
    float* memory_;
    Rows k_, v_, dk_, dv_;
    int status_ = 0;
  };

  AttentionSpec s_;
  Workplace work_;
  Scratch scratch_;
  const AttentionRows& rows_;
  float *q_ = nullptr, *k_ = nullptr, *v_ = nullptr, *g_ = nullptr, *delta_ = nullptr, *lse_ = nullptr;
  float *result_ = nullptr, *dq_ = nullptr, *dk_ = nullptr, *dv_ = nullptr, *memory_ = nullptr;
  const std::byte* mask_ = nullptr;
};

}  // namespace

int64_t useful_slices(const AttentionSpec& spec, int cores) {
  // Twice as many, so that a thread that began late does less.
  constexpr int64_t for_each_core = 2;
  const int64_t most = std::min(spec.heads() / spec.group, cores > 1 ? for_each_core * cores : 1);
  return useful_threads(spec.is_gradient ? spec.gradient_flops() : spec.flops(), std::max<int64_t>(most, 1));
}

int64_t attention_scratch_bytes(const AttentionSpec& spec) {
  return whole_lines(Workplace(spec).end * spec.slices * static_cast<int64_t>(sizeof(float)));
}

std::string attention_implementation() { return block_products_are_library_calls() ? "weft:gemm" : "weft:avx2"; }

std::unique_ptr<Task> make_attention(const AttentionSpec& spec, int64_t scratch_bytes) {
  return std::make_unique<AttentionTask>(spec, scratch_bytes);
}

}  // namespace weft::cpu
