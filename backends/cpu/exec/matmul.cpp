#include "weft/backends/cpu/exec/matmul.h"

#include <algorithm>
#include <dnnl.hpp>

#include "weft/runtime/array.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;

dnnl::engine& engine() {
  static dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

dnnl::memory::data_type data_type(DType t) {
  return t == bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// [batch..., rows, columns], in memory as it stands or with the last two axes swapped.
Desc matrix(const MatmulSpec& spec, int64_t rows, int64_t columns, bool transposed) {
  dnnl::memory::dims dims(spec.batch.begin(), spec.batch.end());
  dims.push_back(rows), dims.push_back(columns);
  dnnl::memory::dims strides(dims.size());
  int64_t step = rows * columns;
  for (size_t d = spec.batch.size(); d-- > 0;) {
    strides[d] = step;
    step *= dims[d];
  }
  strides[dims.size() - 2] = transposed ? 1 : columns;
  strides[dims.size() - 1] = transposed ? rows : 1;
  return Desc(dims, data_type(spec.dtype), strides);
}

Desc bias_of(const MatmulSpec& spec) {
  dnnl::memory::dims dims(spec.batch.size() + 1, 1);
  dims.push_back(spec.n);
  dnnl::memory::dims strides(dims.size(), spec.n);
  strides.back() = 1;
  return Desc(dims, data_type(spec.dtype), strides);
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

dnnl::matmul::primitive_desc describe(const MatmulSpec& s) {
  const Desc a = matrix(s, s.m, s.k, s.transpose_a), b = matrix(s, s.k, s.n, s.transpose_b), c = matrix(s, s.m, s.n, false);
  const dnnl::primitive_attr attr = attributes();
#if DNNL_VERSION_MAJOR >= 3
  if (s.bias) return {engine(), a, b, bias_of(s), c, attr};
  return {engine(), a, b, c, attr};
#else
  if (s.bias) return {dnnl::matmul::desc(a, b, bias_of(s), c), attr, engine()};
  return {dnnl::matmul::desc(a, b, c), attr, engine()};
#endif
}

class MatmulTask final : public Task {
 public:
  explicit MatmulTask(const MatmulSpec& spec) : spec_(spec), desc_(describe(spec)), primitive_(desc_), stream_(engine()) {
    scratch_ = Array(u8, Shape{static_cast<int64_t>(desc_.scratchpad_desc().get_size())});
    add(DNNL_ARG_SRC, desc_.src_desc());
    add(DNNL_ARG_WEIGHTS, desc_.weights_desc());
    if (spec.bias) add(DNNL_ARG_BIAS, bias_of(spec));
    add(DNNL_ARG_DST, desc_.dst_desc());
    buffers.resize(memories_.size(), nullptr);
    add(DNNL_ARG_SCRATCHPAD, desc_.scratchpad_desc());
    memories_.back().set_data_handle(scratch_.data());
    // The C interface takes the arguments as they are; the C++ one builds a map on every call.
    for (size_t i = 0; i < memories_.size(); ++i) arguments_.push_back({numbers_[i], memories_[i].get()});
  }

  void rebound() override {
    for (size_t i = 0; i < buffers.size(); ++i) memories_[i].set_data_handle(buffers[i]);
  }

  void run(int) override {
    const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(arguments_.size()), arguments_.data());
    if (status != dnnl_success) throw InternalError(fmt::format("oneDNN's matmul failed with status {}", static_cast<int>(status)));
  }

 private:
  void add(int number, const Desc& desc) {
    numbers_.push_back(number);
    memories_.emplace_back(desc, engine(), nullptr);
  }

  MatmulSpec spec_;
  dnnl::matmul::primitive_desc desc_;
  dnnl::matmul primitive_;
  dnnl::stream stream_;
  Array scratch_;
  std::vector<int> numbers_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

/// A product with an empty extent: oneDNN refuses k = 0, and there the result is the bias alone.
class EmptyProduct final : public Task {
 public:
  explicit EmptyProduct(const MatmulSpec& spec) : spec_(spec) { buffers.resize(spec.bias ? 4 : 3, nullptr); }
  void run(int) override {
    int64_t rows = spec_.m;
    for (int64_t b : spec_.batch) rows *= b;
    for (int64_t i = 0; i < rows * spec_.n; ++i) {
      const double x = spec_.bias ? load_element(spec_.dtype, buffers[2], i % spec_.n) : 0;
      store_element(spec_.dtype, buffers.back(), i, x);
    }
  }

 private:
  MatmulSpec spec_;
};

bool any_empty(const MatmulSpec& s) {
  return s.m == 0 || s.n == 0 || s.k == 0 || std::count(s.batch.begin(), s.batch.end(), 0) > 0;
}

}  // namespace

bool supports_matmul(DType dtype) {
  if (dtype == f32) return true;
  if (dtype != bf16) return false;
  static const bool has_bf16 = [] {
    try {
      MatmulSpec small;
      small.dtype = bf16;
      small.m = small.n = small.k = 16;
      describe(small);
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return has_bf16;
}

std::unique_ptr<Task> make_matmul(const MatmulSpec& spec, int threads) {
  if (any_empty(spec)) return std::make_unique<EmptyProduct>(spec);
  const LibraryThreads scope(threads);
  try {
    return std::make_unique<MatmulTask>(spec);
  } catch (const dnnl::error& e) {
    throw InternalError(fmt::format("oneDNN cannot multiply [{},{}] x [{},{}] of {}: {}", spec.m, spec.k, spec.k, spec.n,
                                    name_of(spec.dtype), e.what()));
  }
}

bool limit_library_isa(const std::string& max_isa) {
  const dnnl::cpu_isa isa = max_isa == "sse4" ? dnnl::cpu_isa::sse41 : max_isa == "avx2" ? dnnl::cpu_isa::avx2 : dnnl::cpu_isa::avx512_core;
  return dnnl::set_max_cpu_isa(isa) == dnnl::status::success;
}

}  // namespace weft::cpu
