// Products by cuBLASLt. It takes matrices column by column, so that a row-major one is its own transpose there: what it computes is
// result^T [n, m] = b^T [n, k] a^T [k, m], and its first operand is our second.

#include <array>

#include "weft/backends/cuda/exec/cublaslt.h"
#include "weft/backends/cuda/exec/per_context.h"
#include "weft/backends/cuda/exec/product.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// The library's state on a device.
class Handle {
 public:
  explicit Handle(std::shared_ptr<Context> context) : context_(std::move(context)) {
    context_->with_current([&] { usable_ = cublaslt().create(&handle_) == blas_success; });
  }
  Handle(const Handle&) = delete;
  ~Handle() {
    if (usable_) context_->quietly([&] { cublaslt().destroy(handle_); });
  }

  /// Does the library run on the device?
  bool usable() const { return usable_; }
  BlasHandle* get() const { return handle_; }

 private:
  std::shared_ptr<Context> context_;
  BlasHandle* handle_ = nullptr;
  bool usable_ = false;
};

PerContext<Handle>& handles() {
  static auto* const all = new PerContext<Handle>;
  return *all;
}
[[maybe_unused]] const PerContext<Handle>& made_before_main = handles();

/// One of the library's descriptions, which needs no device, destroyed with its owner.
template <class T>
class Described {
 public:
  using Destroy = BlasStatus (*)(T*);
  Described(BlasStatus created, T* object, Destroy destroy) : object_(object, destroy) {
    cublaslt().check(created, "cuBLASLt describes a product");
  }
  T* get() const { return object_.get(); }

 private:
  std::unique_ptr<T, Destroy> object_;
};

Described<MatmulDesc> matmul_desc(const ProductSpec& s) {
  const int compute = s.dtype == f64 ? blas_compute_f64 : s.tf32 && s.dtype == f32 ? blas_compute_tf32 : blas_compute_f32;
  MatmulDesc* desc = nullptr;
  const BlasStatus created = cublaslt().create_desc(&desc, compute, s.dtype == f64 ? blas_f64 : blas_f32);
  return {created, desc, cublaslt().destroy_desc};
}

int type_of(const ProductSpec& s) { return s.dtype == f64 ? blas_f64 : s.dtype == bf16 ? blas_bf16 : blas_f32; }

/// Matrices of the library's, one behind the other: `rows` lie side by side in memory.
Described<MatrixLayout> matrix_layout(const ProductSpec& s, int64_t rows, int64_t columns) {
  const CublasLt& lt = cublaslt();
  MatrixLayout* layout = nullptr;
  const BlasStatus created =
      lt.create_layout(&layout, type_of(s), static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), /*leading=*/rows);
  Described<MatrixLayout> result(created, layout, lt.destroy_layout);
  const auto count = static_cast<int32_t>(s.batch);
  const int64_t stride = rows * columns;
  lt.check(lt.set_layout(layout, layout_batch_count, &count, sizeof count), "cuBLASLt: number of matrices");
  lt.check(lt.set_layout(layout, layout_batch_stride, &stride, sizeof stride), "cuBLASLt: matrices one behind the other");
  return result;
}

Described<MatmulPreference> preference(size_t workspace_bytes) {
  const CublasLt& lt = cublaslt();
  MatmulPreference* made = nullptr;
  const BlasStatus created = lt.create_preference(&made);
  Described<MatmulPreference> result(created, made, lt.destroy_preference);
  const auto prefer = [&](int attribute, auto value) {
    lt.check(lt.set_preference(made, attribute, &value, sizeof value), "cuBLASLt: what is preferred");
  };
  prefer(preference_workspace, static_cast<uint64_t>(workspace_bytes));
  // Sums of parts are rounded to no shorter type, and added in one order.
  prefer(preference_reductions, reduction_in_compute_type);
  for (int operand = preference_alignment_a; operand <= preference_alignment_d; ++operand)
    prefer(operand, static_cast<uint32_t>(buffer_alignment));
  return result;
}

class LtProduct final : public LibraryCall {
 public:
  LtProduct(const ProductSpec& spec, size_t workspace_bytes)
      : spec_(spec), desc_(matmul_desc(spec)),
        left_(spec.transpose_b ? matrix_layout(spec, spec.k, spec.n) : matrix_layout(spec, spec.n, spec.k)),
        right_(spec.transpose_a ? matrix_layout(spec, spec.m, spec.k) : matrix_layout(spec, spec.k, spec.m)),
        result_(matrix_layout(spec, spec.n, spec.m)), preference_(preference(workspace_bytes)), workspace_bytes_(workspace_bytes) {
    set(desc_transpose_a, spec.transpose_b ? blas_transpose : blas_no_transpose);
    set(desc_transpose_b, spec.transpose_a ? blas_transpose : blas_no_transpose);
    if (spec.bias) set(desc_epilogue, epilogue_bias), set(desc_bias_type, type_of(spec));
  }

  /// Finds what runs it there; false: nothing does.
  bool choose(const std::shared_ptr<Handle>& handle) {
    if (!handle->usable()) return false;
    handle_ = handle;
    std::array<MatmulHeuristic, 4> proposals = {};
    int count = 0;
    const BlasStatus found = cublaslt().propose(handle_->get(), desc_.get(), left_.get(), right_.get(), result_.get(), result_.get(),
                                                preference_.get(), static_cast<int>(proposals.size()), proposals.data(), &count);
    if (found != blas_success) return false;
    for (int i = 0; i < count; ++i) {
      const MatmulHeuristic& proposal = proposals[static_cast<size_t>(i)];
      if (proposal.status == blas_success && proposal.workspace_bytes <= workspace_bytes_) return algorithm_ = proposal.algorithm, true;
    }
    return false;
  }

  void enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) override {
    const CublasLt& lt = cublaslt();
    const size_t result = spec_.result_buffer();
    if (spec_.bias) lt.check(lt.set_desc(desc_.get(), desc_bias_pointer, &buffers[2], sizeof buffers[2]), "cuBLASLt: where the bias lies");
    const std::byte* addend = spec_.addend ? buffers[2] : buffers[result];
    std::byte* workspace = workspace_bytes_ > 0 ? buffers[result + 1] : nullptr;
    const auto multiply = [&](auto one, auto factor) {
      return lt.multiply(handle_->get(), desc_.get(), &one, buffers[1], left_.get(), buffers[0], right_.get(), &factor, addend,
                         result_.get(), buffers[result], result_.get(), &algorithm_, workspace, workspace_bytes_, stream);
    };
    const double factor = spec_.addend ? 1 : 0;
    lt.check(spec_.dtype == f64 ? multiply(1.0, factor) : multiply(1.0F, static_cast<float>(factor)), "cublasLtMatmul");
  }

  std::string name() const override {
    // 130100 is 13.1; of CUDA 11 there was a digit less.
    const size_t version = cublaslt().version(), one = version >= 100000 ? 10000 : 1000;
    return fmt::format("cuBLASLt {}.{}", version / one, version % one / 100);
  }

 private:
  void set(int attribute, int32_t value) {
    const CublasLt& lt = cublaslt();
    lt.check(lt.set_desc(desc_.get(), attribute, &value, sizeof value), "cuBLASLt describes a product");
  }

  ProductSpec spec_;
  std::shared_ptr<Handle> handle_;  // once something runs it
  Described<MatmulDesc> desc_;
  Described<MatrixLayout> left_, right_, result_;
  Described<MatmulPreference> preference_;
  size_t workspace_bytes_;
  MatmulAlgorithm algorithm_ = {};
};

}  // namespace

std::unique_ptr<LibraryCall> plan_product(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  const ProductSpec spec = product_spec(call);
  if (!cublaslt().why.empty() || !is_for_library(spec)) return nullptr;
  const bool has_scratch = launch.buffers.size() > spec.result_buffer() + 1;
  const size_t workspace = has_scratch ? static_cast<size_t>(launch.buffers.back().bytes) : 0;
  auto product = std::make_unique<LtProduct>(spec, workspace);
  bool found = false;
  context->with_current([&] { found = product->choose(handles().of(context)); });
  return found ? std::move(product) : nullptr;
}

}  // namespace weft::cuda
