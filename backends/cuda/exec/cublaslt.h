#pragma once
// cuBLASLt: the functions that weft calls, by their own names, with prototypes of weft's own. tests/gpu/prototypes_test.cpp compares them
// with the real header where that is installed.

#include <cstddef>
#include <cstdint>
#include <string>

#include "weft/backends/cuda/exec/driver.h"

namespace weft::cuda {

using BlasStatus = int;
struct BlasHandle;
struct MatmulDesc;
struct MatrixLayout;
struct MatmulPreference;

/// What runs a product, as the library writes it down for itself.
struct MatmulAlgorithm {
  uint64_t data[8];
};
/// One of the library's proposals.
struct MatmulHeuristic {
  MatmulAlgorithm algorithm;
  size_t workspace_bytes;
  BlasStatus status;
  float waves;
  int reserved[4];
};

// The library's constants, as far as weft uses them.
inline constexpr BlasStatus blas_success = 0, blas_not_supported = 15;
inline constexpr int blas_f32 = 0, blas_f64 = 1, blas_bf16 = 14;                            // cudaDataType
inline constexpr int blas_compute_f32 = 68, blas_compute_f64 = 70, blas_compute_tf32 = 77;  // cublasComputeType_t
inline constexpr int blas_no_transpose = 0, blas_transpose = 1;                             // cublasOperation_t
inline constexpr int layout_batch_count = 5, layout_batch_stride = 6;                       // cublasLtMatrixLayoutAttribute_t
inline constexpr int desc_transpose_a = 3, desc_transpose_b = 4, desc_epilogue = 7, desc_bias_pointer = 8, desc_bias_type = 26;
inline constexpr int desc_aux_pointer = 11, desc_aux_leading = 12;
inline constexpr int epilogue_none = 1, epilogue_bias = 4, epilogue_gelu = 32, epilogue_gelu_bias = 36, epilogue_gelu_aux = 160,
                     epilogue_gelu_aux_bias = 164, epilogue_gelu_gradient = 192, epilogue_gelu_gradient_sum = 208;
inline constexpr int preference_workspace = 1, preference_reductions = 3, preference_alignment_a = 5, preference_alignment_d = 8;
inline constexpr uint32_t reduction_in_compute_type = 2;

/// result, name, name in the library, parameters
// clang-format off
#define WEFT_CUBLASLT_FUNCTIONS(function)                                                                                        \
  function(BlasStatus, create, cublasLtCreate, (BlasHandle**))                                                                   \
  function(BlasStatus, destroy, cublasLtDestroy, (BlasHandle*))                                                                  \
  function(size_t, version, cublasLtGetVersion, ())                                                                              \
  function(const char*, status_text, cublasLtGetStatusString, (BlasStatus))                                                      \
  function(BlasStatus, create_desc, cublasLtMatmulDescCreate, (MatmulDesc**, int compute_type, int scale_type))                  \
  function(BlasStatus, destroy_desc, cublasLtMatmulDescDestroy, (MatmulDesc*))                                                   \
  function(BlasStatus, set_desc, cublasLtMatmulDescSetAttribute, (MatmulDesc*, int attribute, const void* value, size_t bytes))  \
  function(BlasStatus, create_layout, cublasLtMatrixLayoutCreate,                                                                \
           (MatrixLayout**, int type, uint64_t rows, uint64_t columns, int64_t leading))                                         \
  function(BlasStatus, destroy_layout, cublasLtMatrixLayoutDestroy, (MatrixLayout*))                                             \
  function(BlasStatus, set_layout, cublasLtMatrixLayoutSetAttribute,                                                             \
           (MatrixLayout*, int attribute, const void* value, size_t bytes))                                                      \
  function(BlasStatus, create_preference, cublasLtMatmulPreferenceCreate, (MatmulPreference**))                                  \
  function(BlasStatus, destroy_preference, cublasLtMatmulPreferenceDestroy, (MatmulPreference*))                                 \
  function(BlasStatus, set_preference, cublasLtMatmulPreferenceSetAttribute,                                                     \
           (MatmulPreference*, int attribute, const void* value, size_t bytes))                                                  \
  function(BlasStatus, propose, cublasLtMatmulAlgoGetHeuristic,                                                                  \
           (BlasHandle*, MatmulDesc*, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c, MatrixLayout* d, MatmulPreference*,     \
            int wanted, MatmulHeuristic* proposals, int* count))                                                                 \
  function(BlasStatus, check_algorithm, cublasLtMatmulAlgoCheck,                                                                 \
           (BlasHandle*, MatmulDesc*, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c, MatrixLayout* d,                        \
            const MatmulAlgorithm*, MatmulHeuristic* found))                                                                     \
  function(BlasStatus, multiply, cublasLtMatmul,                                                                                 \
           (BlasHandle*, MatmulDesc*, const void* alpha, const void* a, MatrixLayout*, const void* b, MatrixLayout*,             \
            const void* beta, const void* c, MatrixLayout*, void* d, MatrixLayout*, const MatmulAlgorithm*, void* workspace,     \
            size_t workspace_bytes, StreamHandle*))
// clang-format on

struct CublasLt {
#define WEFT_CUBLASLT_MEMBER(result, name, symbol, parameters) result(*name) parameters = nullptr;
  WEFT_CUBLASLT_FUNCTIONS(WEFT_CUBLASLT_MEMBER)
#undef WEFT_CUBLASLT_MEMBER

  std::string why;  // it cannot be used; "": it can

  /// Throws weft::Error unless `status` is success: "cublasLtMatmul: not supported".
  void check(BlasStatus status, const std::string& what) const;
};

/// The library, looked for once a process: by the environment variable WEFT_CUBLASLT (its file, or "none"), then as
/// exec/library_file.h says. Throws weft::Error where the variable names no library.
const CublasLt& cublaslt();

}  // namespace weft::cuda
