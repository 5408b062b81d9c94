#include "weft/backends/cpu/exec/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "weft/backends/cpu/exec/block_product.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/backends/cpu/exec/slices.h"
#include "weft/runtime/call_descriptor.h"

namespace weft::cpu {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// A block of scores is to stay in the first cache or near it, and its products are to be worth packing for.
constexpr int64_t most_queries = 48, most_keys = 512;
/// With fewer queries than these a transposed copy of the keys costs more than it saves.
constexpr int64_t least_queries_for_copy = 16;

constexpr int64_t round_up(int64_t x, int64_t y) { return (x + y - 1) / y * y; }

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
      want(by_keys(largest_block, row_width));
      want(by_weights(largest_block, row_width));
      if (s.is_gradient) want(by_weights_transposed(largest_block, row_width));
    }
    end += round_up(bytes / static_cast<int64_t>(sizeof(float)), score_lanes);
  }

  /// Rows of queries times rows of keys, of this width.
  GemmShape by_keys(const Block& b, int64_t width) const {
    return copies ? shape_of(b.queries, b.keys, width, width, copy_row, block_row)
                  : right_transposed(shape_of(b.queries, b.keys, width, width, width, block_row));
  }
  /// Scores times rows of keys.
  GemmShape by_weights(const Block& b, int64_t width) const { return shape_of(b.queries, width, b.keys, block_row, width, width); }
  /// Transposed scores times rows of queries.
  GemmShape by_weights_transposed(const Block& b, int64_t width) const {
    return left_transposed(shape_of(b.keys, width, b.queries, block_row, width, width));
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
  /// One head of keys, with all heads of queries that share it.
  class Head {
   public:
    Head(const AttentionTask& task, int64_t head, float* memory)
        : t_(task), s_(task.s_), work_(task.work_), head_(head), memory_(memory), k_(of_keys(t_.k_, s_.width)),
          v_(of_keys(t_.v_, s_.value_width)) {}

    int run() {
      if (work_.copies) t_.rows_.transpose(k_, s_.width, s_.keys, s_.width, memory_ + work_.keys, work_.copy_row);
      if (s_.is_gradient) {
        if (work_.copies) t_.rows_.transpose(v_, s_.value_width, s_.keys, s_.value_width, memory_ + work_.values, work_.copy_row);
        std::fill_n(of_keys(t_.dk_, s_.width), s_.keys * s_.width, 0.0F);
        std::fill_n(of_keys(t_.dv_, s_.value_width), s_.keys * s_.value_width, 0.0F);
      }
      for (int64_t i = 0; i < s_.group && status_ == 0; ++i) {
        query_head_ = head_ * s_.group + i;
        for_each_block(s_, [&](const Block& b) { s_.is_gradient ? run_gradient(b) : run_forward(b); });
      }
      return status_;
    }

   private:
    float* of_keys(float* all, int64_t width) const { return all + head_ * s_.keys * width; }
    /// The block's queries.
    float* of_queries(float* all, const Block& b, int64_t width) const { return all + (query_head_ * s_.queries + b.query) * width; }

    void multiply(const GemmShape& shape, const float* a, const float* b, bool accumulates, float* result) {
      if (const int status = block_product(shape, a, b, accumulates, result, memory_ + work_.products); status != 0) status_ = status;
    }
    /// to = rows of queries times keys or values, `copy` where those are transposed.
    void multiply_by_keys(const Block& b, const float* rows, const float* keys, int64_t copy, int64_t width, float* to) {
      multiply(work_.by_keys(b, width), rows, work_.copies ? memory_ + copy + b.key : keys + b.key * width, false, to);
    }

    ScoreBlock scores(const Block& b) {
      float* data = memory_ + work_.weights;
      multiply_by_keys(b, of_queries(t_.q_, b, s_.width), k_, work_.keys, s_.width, data);
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
      float* result = of_queries(t_.result_, b, s_.value_width);
      if (b.is_first) std::fill_n(largest, b.queries, -infinity), std::fill_n(sums, b.queries, 0.0F);
      const ScoreBlock block = scores(b);
      t_.rows_.weigh(block, largest, sums, factors);
      if (!b.is_first) t_.rows_.rescale(result, s_.value_width, b.queries, s_.value_width, factors);
      multiply(work_.by_weights(b, s_.value_width), block.data, v_ + b.key * s_.value_width, !b.is_first, result);
      if (b.key + b.keys < s_.seen(b.query + b.queries - 1)) return;
      float* lse = of_queries(t_.lse_, b, 1);
      for (int64_t i = 0; i < b.queries; ++i) {
        factors[i] = sums[i] == 0 ? 0 : 1 / sums[i];
        lse[i] = largest[i] == -infinity && sums[i] == 0 ? -infinity : largest[i] + std::log(sums[i]);
      }
      t_.rows_.rescale(result, s_.value_width, b.queries, s_.value_width, factors);
    }

    void run_gradient(const Block& b) {
      const float *q = of_queries(t_.q_, b, s_.width), *g = of_queries(t_.g_, b, s_.value_width);
      const ScoreBlock block = scores(b);
      t_.rows_.weigh_by_lse(block, of_queries(t_.lse_, b, 1));
      float* slopes = memory_ + work_.slopes;
      multiply_by_keys(b, g, v_, work_.values, s_.value_width, slopes);
      t_.rows_.slopes(block.data, slopes, work_.block_row, b.queries, b.keys, of_queries(t_.delta_, b, 1), block.scale);
      multiply(work_.by_weights(b, s_.width), slopes, k_ + b.key * s_.width, !b.is_first, of_queries(t_.dq_, b, s_.width));
      multiply(work_.by_weights_transposed(b, s_.width), slopes, q, true, of_keys(t_.dk_, s_.width) + b.key * s_.width);
      multiply(work_.by_weights_transposed(b, s_.value_width), block.data, g, true,
               of_keys(t_.dv_, s_.value_width) + b.key * s_.value_width);
    }

    const AttentionTask& t_;
    const AttentionSpec& s_;
    const Workplace& work_;
    int64_t head_, query_head_ = 0;
    float* memory_;
    const float *k_, *v_;
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

/// Of heads that each have `rows` rows.
Dims shape_of(Dims batch, int64_t group, int64_t rows, int64_t width) {
  if (!batch.empty()) batch.back() /= group;
  batch.insert(batch.end(), {rows, width});
  return batch;
}

}  // namespace

bool AttentionSpec::has_valid_mask() const {
  if (mask == ScoreMask::none) return mask_strides.empty();
  const Dims extents = shape_of(batch, 1, queries, keys);
  if (mask_strides.size() != extents.size()) return false;
  int64_t step = 1;
  for (size_t axis = extents.size(); axis-- > 0;) {
    if (mask_strides[axis] == 0) continue;
    if (mask_strides[axis] != step || step > std::numeric_limits<int64_t>::max() / extents[axis]) return false;
    step *= extents[axis];
  }
  return true;
}

Dims AttentionSpec::bytes() const {
  const auto of_queries = [&](int64_t n) { return bytes_of(f32, shape_of(batch, 1, queries, n)); };
  const auto of_keys = [&](int64_t n) { return bytes_of(f32, shape_of(batch, group, keys, n)); };
  Dims all{of_queries(width), of_keys(width), of_keys(value_width)};
  if (is_gradient) all.insert(all.end(), {of_queries(value_width), of_queries(1), of_queries(1)});
  if (mask != ScoreMask::none) {
    Dims extents = shape_of(batch, 1, queries, keys);
    for (size_t axis = 0; axis < extents.size(); ++axis)
      if (mask_strides[axis] == 0) extents[axis] = 1;
    all.push_back(bytes_of(mask == ScoreMask::number ? f32 : boolean, extents));
  }
  if (is_gradient) all.insert(all.end(), {of_queries(width), of_keys(width), of_keys(value_width)});
  else all.insert(all.end(), {of_queries(value_width), of_queries(1)});
  return all;
}

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
