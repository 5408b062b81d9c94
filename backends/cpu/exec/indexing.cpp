#include "weft/backends/cpu/exec/indexing.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "weft/backends/cpu/exec/row_sums.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/runtime/array.h"

namespace weft::cpu {
namespace {

const int64_t* indices(const std::byte* p) { return reinterpret_cast<const int64_t*>(p); }
int64_t row_bytes(const IndexingSpec& spec) { return spec.inner * static_cast<int64_t>(size_of(spec.dtype)); }

class GatherTask final : public Task {
 public:
  explicit GatherTask(const IndexingSpec& spec) : Task(spec.outer * spec.count), spec_(spec) { buffers.resize(3, nullptr); }

  int run(int64_t begin, int64_t end) override {
    const int64_t bytes = row_bytes(spec_);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t i = indices(buffers[1])[row % spec_.count], outer = row / spec_.count;
      std::byte* to = buffers[2] + row * bytes;
      if (i >= 0 && i < spec_.extent) {
        std::memcpy(to, buffers[0] + (outer * spec_.extent + i) * bytes, static_cast<size_t>(bytes));
        continue;
      }
      const double missing = is_floating(spec_.dtype) ? std::numeric_limits<double>::quiet_NaN() : 0;
      for (int64_t e = 0; e < spec_.inner; ++e) store_element(spec_.dtype, to, e, missing);
    }
    return 0;
  }

 private:
  IndexingSpec spec_;
};

void copy_unless_same(std::byte* to, const std::byte* from, int64_t bytes) {
  if (to != from) std::memcpy(to, from, static_cast<size_t>(bytes));
}

/// x with the updates' rows in place of its own; the last one of an index stands.
class ScatterRowsTask final : public Task {
 public:
  explicit ScatterRowsTask(const IndexingSpec& spec) : Task(1), spec_(spec) { buffers.resize(4, nullptr); }

  int run(int64_t, int64_t) override {
    const int64_t bytes = row_bytes(spec_);
    copy_unless_same(buffers[3], buffers[0], spec_.outer * spec_.extent * bytes);
    for (int64_t row = 0; row < spec_.outer * spec_.count; ++row) {
      const int64_t i = indices(buffers[1])[row % spec_.count], outer = row / spec_.count;
      if (i >= 0 && i < spec_.extent)
        std::memcpy(buffers[3] + (outer * spec_.extent + i) * bytes, buffers[2] + row * bytes, static_cast<size_t>(bytes));
    }
    return 0;
  }

 private:
  IndexingSpec spec_;
};

/// Adds to each row of x the sum of its updates. Which they are is sorted by counting.
class ScatterAddTask final : public Task {
 public:
  ScatterAddTask(const IndexingSpec& spec, int64_t scratch_bytes)
      : Task(1), spec_(spec),
        scratch_(Scratch::Follows::from_call, fmt::format("adding {} rows", spec.count), scatter_add_scratch_bytes(spec), scratch_bytes) {
    buffers.resize(4 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override {
    ends_ = reinterpret_cast<int64_t*>(scratch_.behind(buffers).back());
    order_ = ends_ + spec_.extent;
  }

  int run(int64_t, int64_t) override {
    const int64_t bytes = row_bytes(spec_);
    copy_unless_same(buffers[3], buffers[0], spec_.outer * spec_.extent * bytes);
    sort();
    for (int64_t outer = 0; outer < spec_.outer; ++outer)
      for (int64_t i = 0, begin = 0; i < spec_.extent; begin = ends_[i++])
        if (begin != ends_[i])
          add_row_sum(spec_.dtype, buffers[3] + (outer * spec_.extent + i) * bytes, buffers[2] + outer * spec_.count * bytes,
                      {order_ + begin, order_ + ends_[i]}, spec_.inner);
    return 0;
  }

 private:
  bool valid(int64_t i) const { return i >= 0 && i < spec_.extent; }

  /// The places of each index stand together, in their order, and end at ends_[index].
  void sort() {
    const int64_t* index = indices(buffers[1]);
    std::fill_n(ends_, spec_.extent, int64_t{0});
    for (int64_t at = 0; at < spec_.count; ++at)
      if (valid(index[at])) ++ends_[index[at]];
    int64_t before = 0;  // until each index's places are there, its end is their begin
    for (int64_t i = 0; i < spec_.extent; ++i) before += std::exchange(ends_[i], before);
    for (int64_t at = 0; at < spec_.count; ++at)
      if (valid(index[at])) order_[ends_[index[at]]++] = at;
  }

  IndexingSpec spec_;
  Scratch scratch_;
  int64_t *ends_ = nullptr, *order_ = nullptr;
};

/// Sorts the places by their index, so that equal ones stand together: sums each such run at its first place and copies the sum to
/// the others.
class CoalesceTask final : public Task {
 public:
  CoalesceTask(const IndexingSpec& spec, int64_t scratch_bytes)
      : Task(1), spec_(spec), scratch_(Scratch::Follows::from_call, fmt::format("coalescing {} rows", spec.count),
                                       coalesce_scratch_bytes(spec.count), scratch_bytes) {
    buffers.resize(3 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override { order_ = reinterpret_cast<int64_t*>(scratch_.behind(buffers).back()); }

  int run(int64_t, int64_t) override {
    const int64_t* index = indices(buffers[0]);
    std::iota(order_, order_ + spec_.count, int64_t{0});
    std::sort(order_, order_ + spec_.count, [&](int64_t a, int64_t b) { return index[a] != index[b] ? index[a] < index[b] : a < b; });
    for (int64_t begin = 0, end = 0; begin < spec_.count; begin = end) {
      while (end < spec_.count && index[order_[end]] == index[order_[begin]]) ++end;
      sum({order_ + begin, order_ + end});
    }
    return 0;
  }

 private:
  void sum(std::span<const int64_t> places) const {
    const int64_t bytes = row_bytes(spec_);
    std::byte* first = buffers[2] + places[0] * bytes;
    std::memcpy(first, buffers[1] + places[0] * bytes, static_cast<size_t>(bytes));
    if (places.size() == 1) return;
    add_row_sum(spec_.dtype, first, buffers[1], places.subspan(1), spec_.inner);
    for (int64_t at : places.subspan(1)) std::memcpy(buffers[2] + at * bytes, first, static_cast<size_t>(bytes));
  }

  IndexingSpec spec_;
  Scratch scratch_;
  int64_t* order_ = nullptr;
};

}  // namespace

std::unique_ptr<Task> make_gather(const IndexingSpec& spec) { return std::make_unique<GatherTask>(spec); }

int64_t scatter_add_scratch_bytes(const IndexingSpec& spec) { return (spec.extent + spec.count) * static_cast<int64_t>(sizeof(int64_t)); }

std::unique_ptr<Task> make_scatter_add(const IndexingSpec& spec, int64_t scratch_bytes) {
  return std::make_unique<ScatterAddTask>(spec, scratch_bytes);
}

std::unique_ptr<Task> make_scatter_rows(const IndexingSpec& spec) { return std::make_unique<ScatterRowsTask>(spec); }

int64_t coalesce_scratch_bytes(int64_t count) { return count * static_cast<int64_t>(sizeof(int64_t)); }

std::unique_ptr<Task> make_coalesce(const IndexingSpec& spec, int64_t scratch_bytes) {
  return std::make_unique<CoalesceTask>(spec, scratch_bytes);
}

}  // namespace weft::cpu
