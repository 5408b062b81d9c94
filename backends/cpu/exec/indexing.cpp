#include "weft/backends/cpu/exec/indexing.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include <fmt/format.h>

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

template <class T>
void add(T* to, const T* from, int64_t count) {
  for (int64_t e = 0; e < count; ++e) to[e] = static_cast<T>(to[e] + from[e]);
}

/// Adds rows of `count` elements.
void add_row(DType dtype, std::byte* to, const std::byte* from, int64_t count) {
  switch (dtype) {
    case DType::f64: return add(reinterpret_cast<double*>(to), reinterpret_cast<const double*>(from), count);
    case DType::f32: return add(reinterpret_cast<float*>(to), reinterpret_cast<const float*>(from), count);
    case DType::i64: return add(reinterpret_cast<uint64_t*>(to), reinterpret_cast<const uint64_t*>(from), count);
    case DType::i32: return add(reinterpret_cast<uint32_t*>(to), reinterpret_cast<const uint32_t*>(from), count);
    case DType::u8:
    case DType::bool_: return add(reinterpret_cast<uint8_t*>(to), reinterpret_cast<const uint8_t*>(from), count);
    case DType::bf16:
      for (int64_t e = 0; e < count; ++e) store_element(bf16, to, e, load_element(bf16, to, e) + load_element(bf16, from, e));
  }
}

/// x with what `write` makes of its row and the update, in the order of the updates.
template <class Write>
class ScatterTask final : public Task {
 public:
  ScatterTask(const IndexingSpec& spec, Write write) : Task(1), spec_(spec), write_(write) { buffers.resize(4, nullptr); }

  int run(int64_t, int64_t) override {
    const int64_t bytes = row_bytes(spec_);
    if (buffers[3] != buffers[0]) std::memcpy(buffers[3], buffers[0], static_cast<size_t>(spec_.outer * spec_.extent * bytes));
    for (int64_t row = 0; row < spec_.outer * spec_.count; ++row) {
      const int64_t i = indices(buffers[1])[row % spec_.count], outer = row / spec_.count;
      if (i >= 0 && i < spec_.extent) write_(buffers[3] + (outer * spec_.extent + i) * bytes, buffers[2] + row * bytes);
    }
    return 0;
  }

 private:
  IndexingSpec spec_;
  Write write_;
};

template <class Write>
std::unique_ptr<Task> scatter(const IndexingSpec& spec, Write write) {
  return std::make_unique<ScatterTask<Write>>(spec, write);
}

/// Sorts the places by their index, so that equal ones stand together: sums each such run at its first place and copies the sum to
/// the others.
class CoalesceTask final : public Task {
 public:
  CoalesceTask(const IndexingSpec& spec, int64_t scratch_bytes)
      : Task(1), spec_(spec), scratch_(fmt::format("coalescing {} rows", spec.count), coalesce_scratch_bytes(spec.count), scratch_bytes) {
    buffers.resize(3 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override { order_ = reinterpret_cast<int64_t*>(scratch_.behind(buffers).back()); }

  int run(int64_t, int64_t) override {
    const int64_t* index = indices(buffers[0]);
    std::iota(order_, order_ + spec_.count, int64_t{0});
    std::sort(order_, order_ + spec_.count, [&](int64_t a, int64_t b) { return index[a] != index[b] ? index[a] < index[b] : a < b; });
    for (int64_t begin = 0, end = 0; begin < spec_.count; begin = end) {
      while (end < spec_.count && index[order_[end]] == index[order_[begin]]) ++end;
      sum(order_ + begin, order_ + end);
    }
    return 0;
  }

 private:
  void sum(const int64_t* places, const int64_t* end) const {
    const int64_t bytes = row_bytes(spec_);
    std::byte* first = buffers[2] + *places * bytes;
    std::memcpy(first, buffers[1] + *places * bytes, static_cast<size_t>(bytes));
    for (const int64_t* at = places + 1; at < end; ++at) add_row(spec_.dtype, first, buffers[1] + *at * bytes, spec_.inner);
    for (const int64_t* at = places + 1; at < end; ++at) std::memcpy(buffers[2] + *at * bytes, first, static_cast<size_t>(bytes));
  }

  IndexingSpec spec_;
  Scratch scratch_;
  int64_t* order_ = nullptr;
};

}  // namespace

std::unique_ptr<Task> make_gather(const IndexingSpec& spec) { return std::make_unique<GatherTask>(spec); }

std::unique_ptr<Task> make_scatter_add(const IndexingSpec& spec) {
  return scatter(spec, [dtype = spec.dtype, inner = spec.inner](std::byte* to, const std::byte* from) { add_row(dtype, to, from, inner); });
}

std::unique_ptr<Task> make_scatter_rows(const IndexingSpec& spec) {
  return scatter(spec, [bytes = row_bytes(spec)](std::byte* to, const std::byte* from) { std::memcpy(to, from, static_cast<size_t>(bytes)); });
}

int64_t coalesce_scratch_bytes(int64_t count) { return count * static_cast<int64_t>(sizeof(int64_t)); }

std::unique_ptr<Task> make_coalesce(const IndexingSpec& spec, int64_t scratch_bytes) { return std::make_unique<CoalesceTask>(spec, scratch_bytes); }

}  // namespace weft::cpu
