#include "weft/backends/cuda/exec/lt_product.h"

#include "weft/backends/cuda/exec/per_context.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

PerContext<LtHandle>& handles() {
  static auto* const all = new PerContext<LtHandle>;
  return *all;
}
[[maybe_unused]] const PerContext<LtHandle>& made_before_main = handles();

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

/// As aligned as buffers are, and no more: what the library proposes depends on where it is told that vectors lie.
std::byte* somewhere() { return reinterpret_cast<std::byte*>(static_cast<uintptr_t>(buffer_alignment)); }

}  // namespace

std::shared_ptr<LtHandle> LtHandle::of(const std::shared_ptr<Context>& context) { return handles().of(context); }

LtHandle::LtHandle(std::shared_ptr<Context> context) : context_(std::move(context)) {
  context_->with_current([&] { usable_ = cublaslt().create(&handle_) == blas_success; });
}

LtHandle::~LtHandle() {
  if (usable_) context_->quietly([&] { cublaslt().destroy(handle_); });
}

LtProduct::LtProduct(const ProductSpec& spec, size_t workspace_bytes, std::shared_ptr<LtHandle> handle)
    : spec_(spec), handle_(std::move(handle)), desc_(matmul_desc(spec)),
      left_(spec.transpose_b ? matrix_layout(spec, spec.k, spec.n) : matrix_layout(spec, spec.n, spec.k)),
      right_(spec.transpose_a ? matrix_layout(spec, spec.m, spec.k) : matrix_layout(spec, spec.k, spec.m)),
      result_(matrix_layout(spec, spec.n, spec.m)), preference_(preference(workspace_bytes)), workspace_bytes_(workspace_bytes) {
  set(desc_transpose_a, spec.transpose_b ? blas_transpose : blas_no_transpose);
  set(desc_transpose_b, spec.transpose_a ? blas_transpose : blas_no_transpose);
  set(desc_epilogue, epilogue());
  if (spec.bias || spec.bias_gradient) set(desc_bias_type, type_of(spec)), point(desc_bias_pointer, somewhere());
  if (spec.keeps_operand || spec.activation == Activation::gelu_gradient)
    set_value(desc_aux_leading, spec.n), point(desc_aux_pointer, somewhere());
}

int LtProduct::epilogue() const {
  switch (spec_.activation) {
    case Activation::none: return spec_.bias ? epilogue_bias : epilogue_none;
    case Activation::gelu:
      if (spec_.keeps_operand) return spec_.bias ? epilogue_gelu_aux_bias : epilogue_gelu_aux;
      return spec_.bias ? epilogue_gelu_bias : epilogue_gelu;
    case Activation::gelu_gradient: return spec_.bias_gradient ? epilogue_gelu_gradient_sum : epilogue_gelu_gradient;
  }
  return epilogue_none;
}

std::vector<MatmulAlgorithm> LtProduct::proposals(int most) const {
  std::vector<MatmulHeuristic> found(static_cast<size_t>(most));
  int count = 0;
  const BlasStatus status = cublaslt().propose(handle_->get(), desc_.get(), left_.get(), right_.get(), result_.get(), result_.get(),
                                               preference_.get(), most, found.data(), &count);
  std::vector<MatmulAlgorithm> all;
  if (status != blas_success) return all;
  found.resize(static_cast<size_t>(count));
  for (const MatmulHeuristic& proposal : found)
    if (proposal.status == blas_success && proposal.workspace_bytes <= workspace_bytes_) all.push_back(proposal.algorithm);
  return all;
}

bool LtProduct::runs(const MatmulAlgorithm& algorithm) const {
  MatmulHeuristic found = {};
  const BlasStatus status =
      cublaslt().check_algorithm(handle_->get(), desc_.get(), left_.get(), right_.get(), result_.get(), result_.get(), &algorithm, &found);
  return status == blas_success && found.workspace_bytes <= workspace_bytes_;
}

void LtProduct::enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) {
  const CublasLt& lt = cublaslt();
  const size_t result = spec_.result_buffer();
  if (spec_.bias) point(desc_bias_pointer, buffers[2]);
  if (spec_.bias_gradient) point(desc_bias_pointer, buffers[spec_.sum_buffer()]);
  if (spec_.activation == Activation::gelu_gradient) point(desc_aux_pointer, buffers[2]);
  if (spec_.keeps_operand) point(desc_aux_pointer, buffers[spec_.kept_buffer()]);
  const std::byte* addend = spec_.addend ? buffers[2] : buffers[result];
  std::byte* workspace = workspace_bytes_ > 0 ? buffers[spec_.buffers()] : nullptr;
  const auto multiply = [&](auto one, auto factor) {
    return lt.multiply(handle_->get(), desc_.get(), &one, buffers[1], left_.get(), buffers[0], right_.get(), &factor, addend, result_.get(),
                       buffers[result], result_.get(), &algorithm_, workspace, workspace_bytes_, stream);
  };
  const double factor = spec_.addend ? 1 : 0;
  lt.check(spec_.dtype == f64 ? multiply(1.0, factor) : multiply(1.0F, static_cast<float>(factor)), "cublasLtMatmul");
}

std::string LtProduct::name() const {
  // 130100 is 13.1; of CUDA 11 there was a digit less.
  const size_t version = cublaslt().version(), one = version >= 100000 ? 10000 : 1000;
  return fmt::format("cuBLASLt {}.{}", version / one, version % one / 100);
}

}  // namespace weft::cuda
