#include "weft/backends/cpu/exec/sort.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "weft/backends/cpu/exec/scratch.h"
#include "weft/backends/cpu/exec/slices.h"
#include "weft/runtime/call_descriptor.h"

namespace weft::cpu {
namespace {

/// An unsigned number that is as large among others as x is: by its bits, whatever the mode of subnormal numbers. Zeros are equal, nans
/// are too.
template <class Bits>
Bits key_of_float(Bits bits, Bits infinity) {
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  if ((bits & ~sign) > infinity) return ~Bits{0};
  if ((bits & ~sign) == 0) return sign;
  return bits & sign ? ~bits : bits | sign;
}

uint64_t key_of(double x) {
  return key_of_float(std::bit_cast<uint64_t>(x), std::bit_cast<uint64_t>(std::numeric_limits<double>::infinity()));
}
uint32_t key_of(float x) {
  return key_of_float(std::bit_cast<uint32_t>(x), std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity()));
}
uint32_t key_of(bf16_t x) { return key_of_float(uint32_t{x.bits} << 16, std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity())); }
uint64_t key_of(int64_t x) {
  return static_cast<uint64_t>(x) ^ uint64_t { 1 } << 63;
}
uint32_t key_of(int32_t x) {
  return static_cast<uint32_t>(x) ^ uint32_t { 1 } << 31;
}
uint32_t key_of(f16_t x) { return key_of_float(uint32_t{x.bits} << 16, uint32_t{0x7c00} << 16); }
uint32_t key_of(int16_t x) { return key_of(int32_t{x}); }
uint32_t key_of(int8_t x) { return key_of(int32_t{x}); }
uint32_t key_of(uint32_t x) { return x; }
uint32_t key_of(uint16_t x) { return x; }
uint32_t key_of(uint8_t x) { return x; }

/// A key with the place that it came from behind it, so that no two are equal.
struct Short {
  uint64_t both;
  Short(uint32_t key, int64_t place) : both(uint64_t{key} << 32 | static_cast<uint64_t>(place)) {}
  int64_t place() const { return static_cast<int64_t>(both & 0xffffffff); }
  bool operator<(const Short& other) const { return both < other.both; }
};
struct Long {
  uint64_t key;
  int64_t at;
  Long(uint64_t k, int64_t place) : key(k), at(place) {}
  int64_t place() const { return at; }
  bool operator<(const Long& other) const { return key != other.key ? key < other.key : at < other.at; }
};

bool has_short_keys(const SortSpec& s) { return size_of(s.dtype) <= 4 && s.extent <= int64_t{1} << 32; }
int64_t row_bytes(const SortSpec& s) {
  return whole_lines(s.extent * static_cast<int64_t>(has_short_keys(s) ? sizeof(Short) : sizeof(Long)));
}

/// Has the wanted part of the order where it belongs; around it stands what is less and what is more.
template <class Entry>
void order(Entry* entries, const SortSpec& s) {
  Entry *const begin = entries + s.start, *const end = begin + s.count, *const last = entries + s.extent;
  if (begin == end) return;
  if (begin != entries) std::nth_element(entries, begin, last);
  if (end != last) std::nth_element(begin, end, last);
  std::sort(begin, end);
}

class SortTask final : public Task {
 public:
  SortTask(const SortSpec& spec, int64_t scratch_bytes)
      : Task(spec.slices), s_(spec),
        scratch_(Scratch::Follows::from_call, fmt::format("sorting rows of {}", spec.extent), sort_scratch_bytes(spec), scratch_bytes) {
    own_scratch_bytes = scratch_.own_bytes();
    buffers.resize(3 + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override { memory_ = scratch_.behind(buffers).back(); }

  int run(int64_t begin, int64_t end) override {
    for (int64_t slice = begin; slice < end; ++slice) {
      const int64_t rows = s_.rows(), first = rows / s_.slices * slice + std::min(slice, rows % s_.slices);
      const int64_t count = rows / s_.slices + (slice < rows % s_.slices ? 1 : 0);
      std::byte* const memory = memory_ + slice * row_bytes(s_);
      for (int64_t row = first; row < first + count; ++row) sort_row(row, memory);
    }
    return 0;
  }

 private:
  void sort_row(int64_t row, std::byte* memory) const {
    with_element_type(s_.dtype, [&]<class T>(ElementType<T>) { sort_row<T>(row, memory); });
  }

  template <class T>
  void sort_row(int64_t row, std::byte* memory) const {
    if constexpr (sizeof(T) <= 4)
      if (has_short_keys(s_)) return sort_row<T, Short>(row, reinterpret_cast<Short*>(memory));
    sort_row<T, Long>(row, reinterpret_cast<Long*>(memory));
  }

  template <class T, class Entry>
  void sort_row(int64_t row, Entry* entries) const {
    const int64_t outer = row / s_.inner, inner = row % s_.inner;
    const T* x = reinterpret_cast<const T*>(buffers[0]) + outer * s_.extent * s_.inner + inner;
    for (int64_t i = 0; i < s_.extent; ++i) {
      const auto key = key_of(x[i * s_.inner]);
      entries[i] = Entry(s_.descending ? ~key : key, i);
    }
    order(entries, s_);
    const int64_t to = outer * s_.count * s_.inner + inner;
    T* values = reinterpret_cast<T*>(buffers[1]) + to;
    int64_t* indices = reinterpret_cast<int64_t*>(buffers[2]) + to;
    for (int64_t i = 0; i < s_.count; ++i) {
      const int64_t place = entries[s_.start + i].place();
      values[i * s_.inner] = x[place * s_.inner];
      indices[i * s_.inner] = place;
    }
  }

  SortSpec s_;
  Scratch scratch_;
  std::byte* memory_ = nullptr;
};

}  // namespace

Dims SortSpec::bytes() const {
  return {bytes_of(dtype, {outer, extent, inner}), bytes_of(dtype, {outer, count, inner}), bytes_of(i64, {outer, count, inner})};
}

int64_t useful_slices(const SortSpec& s, int cores) {
  constexpr double for_each_comparison = 8;  // as long as so many sums
  const double steps = std::log2(static_cast<double>(std::max<int64_t>(s.extent, 2)));
  const double work = for_each_comparison * steps * static_cast<double>(s.rows()) * static_cast<double>(s.extent);
  return useful_threads(work, std::min<int64_t>(cores, s.rows()));
}

int64_t sort_scratch_bytes(const SortSpec& s) { return s.rows() > 0 ? s.slices * row_bytes(s) : 0; }

std::unique_ptr<Task> make_sort(const SortSpec& spec, int64_t scratch_bytes) { return std::make_unique<SortTask>(spec, scratch_bytes); }

}  // namespace weft::cpu
