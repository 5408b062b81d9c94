#include "weft/backends/cpu/exec/indexing.h"

#include <cstring>
#include <limits>

#include "weft/runtime/array.h"

namespace weft::cpu {
namespace {

const int64_t* indices(const std::byte* p) { return reinterpret_cast<const int64_t*>(p); }

class GatherTask final : public Task {
 public:
  explicit GatherTask(const IndexingSpec& spec) : Task(spec.outer * spec.count), spec_(spec) { buffers.resize(3, nullptr); }

  int run(int64_t begin, int64_t end) override {
    const int64_t bytes = spec_.inner * static_cast<int64_t>(size_of(spec_.dtype));
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

class ScatterAddTask final : public Task {
 public:
  explicit ScatterAddTask(const IndexingSpec& spec) : Task(1), spec_(spec) { buffers.resize(4, nullptr); }

  int run(int64_t, int64_t) override {
    const int64_t bytes = spec_.inner * static_cast<int64_t>(size_of(spec_.dtype));
    std::memcpy(buffers[3], buffers[0], static_cast<size_t>(spec_.outer * spec_.extent * bytes));
    for (int64_t row = 0; row < spec_.outer * spec_.count; ++row) {
      const int64_t i = indices(buffers[1])[row % spec_.count], outer = row / spec_.count;
      if (i >= 0 && i < spec_.extent) add_row(buffers[3] + (outer * spec_.extent + i) * bytes, buffers[2] + row * bytes);
    }
    return 0;
  }

 private:
  void add_row(std::byte* to, const std::byte* from) const {
    switch (spec_.dtype) {
      case DType::f64: return add(reinterpret_cast<double*>(to), reinterpret_cast<const double*>(from), spec_.inner);
      case DType::f32: return add(reinterpret_cast<float*>(to), reinterpret_cast<const float*>(from), spec_.inner);
      case DType::i64: return add(reinterpret_cast<uint64_t*>(to), reinterpret_cast<const uint64_t*>(from), spec_.inner);
      case DType::i32: return add(reinterpret_cast<uint32_t*>(to), reinterpret_cast<const uint32_t*>(from), spec_.inner);
      case DType::u8:
      case DType::bool_: return add(reinterpret_cast<uint8_t*>(to), reinterpret_cast<const uint8_t*>(from), spec_.inner);
      case DType::bf16:
        for (int64_t e = 0; e < spec_.inner; ++e)
          store_element(bf16, to, e, load_element(bf16, to, e) + load_element(bf16, from, e));
    }
  }

  IndexingSpec spec_;
};

}  // namespace

std::unique_ptr<Task> make_gather(const IndexingSpec& spec) { return std::make_unique<GatherTask>(spec); }
std::unique_ptr<Task> make_scatter_add(const IndexingSpec& spec) { return std::make_unique<ScatterAddTask>(spec); }

}  // namespace weft::cpu
