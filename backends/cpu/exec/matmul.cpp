#include "weft/backends/cpu/exec/matmul.h"

#include <optional>

#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/product_slice.h"
#include "weft/backends/cpu/exec/scratch.h"
#include "weft/runtime/array.h"
#include "weft/runtime/parallel.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

/// Who computes a product.
struct Way {
  Answer (*answer)(const MatmulSpec&, const Slice&);
  std::unique_ptr<ProductSlice> (*make)(const MatmulSpec&, const Slice&, int64_t scratch_offset);
  bool is_library;
};

Way way_of(const MatmulSpec& spec) {
  if (is_dots(spec)) return {dots_answer, dots_product, false};
  if (is_thin(spec)) return {thin_answer, thin_product, false};
  if (is_tiled(spec)) return {tiled_answer, tiled_product, false};
  return {library_answer, library_product, true};
}

class MatmulTask final : public Task {
 public:
  MatmulTask(const MatmulSpec& spec, int64_t scratch_bytes) : Task(static_cast<int64_t>(slices_of(spec).size())) {
    Answer answer;
    const Way way = way_of(spec);
    for (const Slice& part : slices_of(spec)) {
      slices_.push_back(way.make(spec, part, answer.scratch_bytes));
      answer.add(slices_.back()->implementation(), slices_.back()->scratch_bytes());
    }
    implementation = answer.implementation;
    scratch_.emplace(Scratch::Follows::from_machine, fmt::format("the product [{},{}] x [{},{}]", spec.m, spec.k, spec.k, spec.n),
                     answer.scratch_bytes, scratch_bytes);
    own_scratch_bytes = scratch_->own_bytes(), is_library_call = way.is_library;
    buffers.resize((spec.bias || spec.addend ? 4 : 3) + (scratch_bytes > 0 ? 1 : 0), nullptr);
  }

  void rebound() override {
    for (const auto& s : slices_) s->bind(scratch_->behind(buffers));
  }

  int run(int64_t begin, int64_t end) override {
    for (int64_t i = begin; i < end; ++i)
      if (const int status = slices_[static_cast<size_t>(i)]->run(); status != 0) return status;
    return 0;
  }

 private:
  std::vector<std::unique_ptr<ProductSlice>> slices_;
  std::optional<Scratch> scratch_;
};

/// A product with an empty extent: oneDNN refuses k = 0, and there the result is the bias or the addend alone.
class EmptyProduct final : public Task {
 public:
  explicit EmptyProduct(const MatmulSpec& spec) : Task(1), spec_(spec) { buffers.resize(spec.bias || spec.addend ? 4 : 3, nullptr); }
  int run(int64_t, int64_t) override {
    for (int64_t i = 0; i < spec_.batch * spec_.m * spec_.n; ++i) {
      double x = 0;
      if (spec_.bias) x = load_element(spec_.dtype, buffers[2], i % spec_.n);
      if (spec_.addend) x = load_element(spec_.dtype, buffers[2], i);
      store_element(spec_.dtype, buffers.back(), i, x);
    }
    return 0;
  }

 private:
  MatmulSpec spec_;
};

bool any_empty(const MatmulSpec& s) { return s.batch == 0 || s.m == 0 || s.n == 0 || s.k == 0; }

}  // namespace

bool supports_matmul(DType dtype) {
  if (dtype == f32) return true;
  if (dtype != bf16) return false;
  static const bool supported = has_bf16() && [] {
    try {
      MatmulSpec small;
      small.dtype = bf16;
      small.m = small.n = small.k = 16;
      return !matmul_answer(small).is_plain();
    } catch (const Error&) {
      return false;
    }
  }();
  return supported;
}

Answer matmul_answer(const MatmulSpec& spec) {
  Answer answer;
  if (any_empty(spec)) return answer;
  const SerialLibraries scope;
  for (const Slice& part : slices_of(spec)) {
    const Answer of_part = way_of(spec).answer(spec, part);
    answer.add(of_part.implementation, of_part.scratch_bytes);
  }
  return answer;
}

std::unique_ptr<Task> make_matmul(const MatmulSpec& spec, int64_t scratch_bytes) {
  if (any_empty(spec)) return std::make_unique<EmptyProduct>(spec);
  const SerialLibraries scope;
  return std::make_unique<MatmulTask>(spec, scratch_bytes);
}

}  // namespace weft::cpu
