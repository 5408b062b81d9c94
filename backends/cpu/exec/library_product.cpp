// Slices of products by oneDNN: the only file that knows how versions 2 and 3 differ.

#include <cstring>
#include <utility>

#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/product_slice.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;

/// The distances of a matrix's neighbours along rows and columns. An axis of extent 1 has any, and gets one that follows
/// from the rest: one memory has one desc, and so one answer of the library, which else holds some of them for equal.
std::pair<int64_t, int64_t> canonical(int64_t rows, int64_t columns, int64_t row, int64_t column) {
  if (columns == 1) return {rows == 1 ? 1 : row, 1};
  if (rows == 1) return {column == 1 ? columns : 1, column};
  return {row, column};
}

/// Three axes: [batches, rows, columns], in memory as part of matrices of `all_rows` x `all_columns`, row-major or with
/// rows and columns swapped.
Desc matrix(const MatmulSpec& spec, int64_t batches, int64_t rows, int64_t columns, int64_t all_rows, int64_t all_columns,
            bool transposed) {
  const auto [row, column] = canonical(rows, columns, transposed ? 1 : all_columns, transposed ? all_rows : 1);
  // One matrix needs no batch axis, and the library is at its best without.
  if (batches == 1) return Desc({rows, columns}, data_type(spec.dtype), dnnl::memory::dims{row, column});
  return Desc({batches, rows, columns}, data_type(spec.dtype), {all_rows * all_columns, row, column});
}

Desc bias_of(const MatmulSpec& spec, int64_t batches, int64_t columns) {
  if (batches == 1) return Desc({1, columns}, data_type(spec.dtype), dnnl::memory::dims{columns, 1});
  return Desc({1, 1, columns}, data_type(spec.dtype), dnnl::memory::dims{columns, columns, 1});
}

dnnl::primitive_attr attributes(const MatmulSpec& spec) {
  dnnl::primitive_attr attr;
  if (spec.addend) {
    dnnl::post_ops accumulate;
    accumulate.append_sum(1.0f);
    attr.set_post_ops(accumulate);
  }
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

/// Is a's part copied together first? The library's kernels for bf16 take matrices without gaps alone, and for a transposed part of
/// one it has a way that takes more than twice the time, the gradients of weights among them.
bool packs(const MatmulSpec& s, const Slice& part) { return s.dtype == bf16 && s.transpose_a && part.rows < s.m; }

int64_t packed_bytes(const MatmulSpec& s, const Slice& part) {
  return packs(s, part) ? whole_lines(part.batches * s.k * part.rows * static_cast<int64_t>(size_of(s.dtype))) : 0;
}

dnnl::matmul::primitive_desc describe(const MatmulSpec& s, const Slice& part) {
  const Desc a = matrix(s, part.batches, part.rows, s.k, packs(s, part) ? part.rows : s.m, s.k, s.transpose_a);
  const Desc b = matrix(s, part.batches, s.k, part.columns, s.k, s.n, s.transpose_b);
  const Desc c = matrix(s, part.batches, part.rows, part.columns, s.m, s.n, false);
  const dnnl::primitive_attr attr = attributes(s);
#if DNNL_VERSION_MAJOR >= 3
  if (s.bias) return {engine(), a, b, bias_of(s, part.batches, part.columns), c, attr};
  return {engine(), a, b, c, attr};
#else
  if (s.bias) return {dnnl::matmul::desc(a, b, bias_of(s, part.batches, part.columns), c), attr, engine()};
  return {dnnl::matmul::desc(a, b, c), attr, engine()};
#endif
}

/// All that the library's answer follows from.
std::string key_of(const MatmulSpec& s, const Slice& part) {
  return fmt::format("matmul {} {}x{}x{}x{} {}{}{}{}: {}x{}x{}", name_of(s.dtype), s.batch, s.m, s.n, s.k, s.transpose_a, s.transpose_b,
                     s.bias, s.addend, part.batches, part.rows, part.columns);
}

class LibraryProduct final : public ProductSlice {
 public:
  LibraryProduct(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset)
      : spec_(spec), part_(part), desc_(describe(spec, part)), call_(shared_primitive(key_of(spec, part), desc_)),
        scratch_(spec.bias || spec.addend ? 4 : 3), offset_(scratch_offset) {
    const auto size = static_cast<int64_t>(size_of(spec.dtype));
    const int64_t a_row = spec.transpose_a ? 1 : spec.k, b_column = spec.transpose_b ? spec.k : 1;
    // The task's buffers: a, b, (bias or addend,) result, scratch. An addend is no argument of the call.
    const size_t result = scratch_ - 1;
    if (packs(spec, part)) call_.add(DNNL_ARG_SRC, desc_.src_desc(), scratch_, scratch_offset);
    else call_.add(DNNL_ARG_SRC, desc_.src_desc(), 0, size * (part.batch * spec.m * spec.k + part.m * a_row));
    call_.add(DNNL_ARG_WEIGHTS, desc_.weights_desc(), 1, size * (part.batch * spec.k * spec.n + part.n * b_column));
    if (spec.bias) call_.add(DNNL_ARG_BIAS, bias_of(spec, part.batches, part.columns), 2, size * part.n);
    call_.add(DNNL_ARG_DST, desc_.dst_desc(), result, size * (part.batch * spec.m * spec.n + part.m * spec.n + part.n));
    if (scratch_of(desc_.scratchpad_desc()) > 0)
      call_.add(DNNL_ARG_SCRATCHPAD, desc_.scratchpad_desc(), scratch_, scratch_offset + packed_bytes(spec, part));
  }

  int64_t scratch_bytes() const override { return packed_bytes(spec_, part_) + scratch_of(desc_.scratchpad_desc()); }
  std::string implementation() const override { return desc_.impl_info_str(); }

  void bind(const std::vector<std::byte*>& buffers) override {
    call_.bind(buffers);
    if (spec_.addend) addend_ = buffers[2], result_ = buffers[3];
    if (packs(spec_, part_)) a_ = buffers[0], packed_ = buffers[scratch_] + offset_;
  }

  int run() const override {
    if (addend_ != result_) copy_addend();
    if (packed_) pack();
    return call_.run();
  }

 private:
  /// The library adds to what is in the result's memory already.
  void copy_addend() const {
    const int64_t size = static_cast<int64_t>(size_of(spec_.dtype)), bytes = part_.columns * size;
    for (int64_t batch = part_.batch; batch < part_.batch + part_.batches; ++batch)
      for (int64_t row = part_.m; row < part_.m + part_.rows; ++row) {
        const int64_t at = ((batch * spec_.m + row) * spec_.n + part_.n) * size;
        std::memcpy(result_ + at, addend_ + at, static_cast<size_t>(bytes));
      }
  }

  void pack() const {
    const int64_t size = static_cast<int64_t>(size_of(spec_.dtype)), bytes = part_.rows * size;
    std::byte* to = packed_;
    for (int64_t row = part_.batch * spec_.k; row < (part_.batch + part_.batches) * spec_.k; ++row, to += bytes)
      std::memcpy(to, a_ + (row * spec_.m + part_.m) * size, static_cast<size_t>(bytes));
  }

  MatmulSpec spec_;
  Slice part_;
  dnnl::matmul::primitive_desc desc_;
  LibraryCall call_;
  size_t scratch_;  // the buffer's number
  int64_t offset_;  // of this slice's part of it
  const std::byte* a_ = nullptr;
  std::byte *addend_ = nullptr, *result_ = nullptr, *packed_ = nullptr;
};

[[noreturn]] void refuse(const MatmulSpec& s, const dnnl::error& e) {
  throw Error(ErrorKind::device, "oneDNN cannot multiply [{},{}] x [{},{}] of {}: {}", s.m, s.k, s.k, s.n, name_of(s.dtype), e.what())
      .hint(hint_for(s.dtype));
}

}  // namespace

Answer library_answer(const MatmulSpec& spec, const Slice& part) {
  try {
    const auto desc = describe(spec, part);
    return {desc.impl_info_str(), packed_bytes(spec, part) + scratch_of(desc.scratchpad_desc())};
  } catch (const dnnl::error& e) {
    refuse(spec, e);
  }
}

std::unique_ptr<ProductSlice> library_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset) {
  try {
    return std::make_unique<LibraryProduct>(spec, part, scratch_offset);
  } catch (const dnnl::error& e) {
    refuse(spec, e);
  }
}

}  // namespace weft::cpu
