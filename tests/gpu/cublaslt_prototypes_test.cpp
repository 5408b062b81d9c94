// weft's own prototypes of cuBLASLt's functions and its constants, beside the real header's where that is installed; and what weft describes
// to it, told to the real library where there is one: to describe a product needs no GPU.

#include "weft/backends/cuda/exec/cublaslt.h"

#include <dlfcn.h>

#include "weft/backends/cuda/exec/library_file.h"
#include "weft/tests/catch.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

#include "weft/tests/gpu/signature.h"

namespace {

using namespace weft::cuda;
using weft::test::SignatureOf;

#define WEFT_SAME(result, name, symbol, parameters) \
  static_assert(std::is_same_v<SignatureOf<decltype(CublasLt::name)>, SignatureOf<decltype(&::symbol)>>, #symbol);
WEFT_CUBLASLT_FUNCTIONS(WEFT_SAME)
#undef WEFT_SAME

static_assert(sizeof(MatmulAlgorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(MatmulHeuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(MatmulHeuristic, workspace_bytes) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(MatmulHeuristic, status) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(MatmulHeuristic, waves) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));

}  // namespace

TEST_CASE("gpu: cuBLASLt's constants are the real header's") {
  CHECK(blas_success == CUBLAS_STATUS_SUCCESS);
  CHECK(blas_not_supported == CUBLAS_STATUS_NOT_SUPPORTED);
  CHECK(blas_f32 == CUDA_R_32F);
  CHECK(blas_f64 == CUDA_R_64F);
  CHECK(blas_bf16 == CUDA_R_16BF);
  CHECK(blas_compute_f32 == CUBLAS_COMPUTE_32F);
  CHECK(blas_compute_f64 == CUBLAS_COMPUTE_64F);
  CHECK(blas_compute_tf32 == CUBLAS_COMPUTE_32F_FAST_TF32);
  CHECK(blas_no_transpose == CUBLAS_OP_N);
  CHECK(blas_transpose == CUBLAS_OP_T);
  CHECK(layout_batch_count == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
  CHECK(layout_batch_stride == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
  CHECK(desc_transpose_a == CUBLASLT_MATMUL_DESC_TRANSA);
  CHECK(desc_transpose_b == CUBLASLT_MATMUL_DESC_TRANSB);
  CHECK(desc_epilogue == CUBLASLT_MATMUL_DESC_EPILOGUE);
  CHECK(desc_bias_pointer == CUBLASLT_MATMUL_DESC_BIAS_POINTER);
  CHECK(desc_bias_type == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
  CHECK(desc_aux_pointer == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER);
  CHECK(desc_aux_leading == CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD);
  CHECK(epilogue_none == CUBLASLT_EPILOGUE_DEFAULT);
  CHECK(epilogue_bias == CUBLASLT_EPILOGUE_BIAS);
  CHECK(epilogue_gelu == CUBLASLT_EPILOGUE_GELU);
  CHECK(epilogue_gelu_bias == CUBLASLT_EPILOGUE_GELU_BIAS);
  CHECK(epilogue_gelu_aux == CUBLASLT_EPILOGUE_GELU_AUX);
  CHECK(epilogue_gelu_aux_bias == CUBLASLT_EPILOGUE_GELU_AUX_BIAS);
  CHECK(epilogue_gelu_gradient == CUBLASLT_EPILOGUE_DGELU);
  CHECK(epilogue_gelu_gradient_sum == CUBLASLT_EPILOGUE_DGELU_BGRAD);
  CHECK(preference_workspace == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
  CHECK(preference_reductions == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
  CHECK(preference_alignment_a == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
  CHECK(preference_alignment_d == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
  CHECK(reduction_in_compute_type == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
}

#else

TEST_CASE("gpu: cuBLASLt's constants are the real header's") { WARN("skipped: cublasLt.h is not installed"); }

#endif
