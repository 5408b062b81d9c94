#pragma once
// cuDNN's backend interface: the functions that weft calls, by their own names, with prototypes of weft's own.
// tests/gpu/cudnn_prototypes_test.cpp compares them with the real header where that is installed.
//
// Everything is a descriptor, an object of some kind with attributes: those that its owner sets before it is finalized, and those that
// the library answers afterwards. A device's properties stand for one that is not there: the library plans for it, too.

#include <cstddef>
#include <cstdint>
#include <string>

#include "weft/backends/cuda/exec/driver.h"

namespace weft::cuda {

using DnnStatus = int;
struct DnnHandle;
/// One of the library's descriptors, whatever its kind.
using DnnPointer = void*;

// The library's constants, as far as weft uses them.
inline constexpr DnnStatus dnn_success = 0;

enum class DnnKind {  // cudnnBackendDescriptorType_t
  convolution = 1,
  engine = 2,
  engine_config = 3,
  heuristics = 4,
  plan = 5,
  forward = 10,
  backward_filter = 11,
  backward_data = 12,
  graph = 15,
  variant_pack = 16,
  tensor = 17,
  device_properties = 38,
  attention = 41,  // from cuDNN 9.13 on
  band_mask = 44,  // from cuDNN 9.20 on
};

enum class DnnAttribute {  // cudnnBackendAttributeName_t
  convolution_type = 100,
  convolution_mode = 101,
  convolution_dilations = 102,
  convolution_strides = 103,
  convolution_high = 104,
  convolution_low = 105,
  convolution_spatial = 106,
  heuristics_mode = 200,
  heuristics_graph = 201,
  heuristics_results = 202,
  heuristics_device = 204,
  config_engine = 300,
  plan_handle = 400,
  plan_config = 401,
  plan_workspace = 402,
  plan_device = 407,
  forward_alpha = 700,
  forward_beta = 701,
  forward_convolution = 702,
  forward_w = 703,
  forward_x = 704,
  forward_y = 705,
  data_alpha = 706,
  data_beta = 707,
  data_convolution = 708,
  data_w = 709,
  data_dx = 710,
  data_dy = 711,
  filter_alpha = 712,
  filter_beta = 713,
  filter_convolution = 714,
  filter_dw = 715,
  filter_x = 716,
  filter_dy = 717,
  graph_handle = 800,
  graph_operations = 801,
  tensor_alignment = 900,
  tensor_type = 901,
  tensor_extents = 902,
  tensor_strides = 903,
  tensor_id = 906,
  tensor_is_virtual = 907,
  tensor_is_by_value = 908,
  pack_ids = 1000,
  pack_pointers = 1001,
  pack_workspace = 1003,
  engine_numerics = 1303,
  device_json = 2702,
  attention_q = 2800,
  attention_k = 2801,
  attention_v = 2802,
  attention_result = 2803,
  attention_statistics = 2804,
  attention_scale = 2805,
  attention_scores = 2811,         // a graph that changes them
  attention_scores_before = 2812,  // its tensors
  attention_scores_after = 2813,
  band_x = 3000,
  band_hidden = 3005,  // what takes the place of what lies outside
  band_y = 3006,
  band_comparison = 3007,
};

enum class DnnType {  // cudnnBackendAttributeType_t
  handle = 0,
  data_type = 1,
  boolean = 2,
  int64 = 3,
  float32 = 4,
  pointer = 6,
  convolution_mode = 7,
  heuristics_mode = 8,
  numerical_note = 11,
  pointwise_mode = 14,
  descriptor = 15,
  text = 24,
};

inline constexpr int dnn_f32 = 0, dnn_bf16 = 9;                                                // cudnnDataType_t
inline constexpr int dnn_greater_or_equal = 303;                                               // cudnnPointwiseMode_t
inline constexpr int dnn_cross_correlation = 1;                                                // cudnnConvolutionMode_t
inline constexpr int dnn_heuristics_a = 3, dnn_heuristics_b = 1, dnn_heuristics_fallback = 2;  // cudnnBackendHeurMode_t
enum class DnnNote {                                                                           // cudnnBackendNumericalNote_t
  tensor_core = 0,
  rounds_inputs = 1,
  rounds_sums = 2,
  fft = 3,
  nondeterministic = 4,
  winograd = 5,
  winograd_4x4 = 6,
  winograd_6x6 = 7,
  winograd_13x13 = 8,
};

/// result, name, name in the library, parameters
// clang-format off
#define WEFT_CUDNN_FUNCTIONS(function)                                                                              \
  function(size_t, version, cudnnGetVersion, ())                                                                    \
  function(const char*, status_text, cudnnGetErrorString, (DnnStatus))                                              \
  function(void, last_error, cudnnGetLastErrorString, (char* text, size_t bytes))                                   \
  function(DnnStatus, create, cudnnCreate, (DnnHandle**))                                                           \
  function(DnnStatus, destroy, cudnnDestroy, (DnnHandle*))                                                          \
  function(DnnStatus, set_stream, cudnnSetStream, (DnnHandle*, StreamHandle*))                                      \
  function(DnnStatus, create_descriptor, cudnnBackendCreateDescriptor, (int kind, DnnPointer*))                     \
  function(DnnStatus, destroy_descriptor, cudnnBackendDestroyDescriptor, (DnnPointer))                              \
  function(DnnStatus, set, cudnnBackendSetAttribute,                                                                \
           (DnnPointer, int attribute, int type, int64_t count, const void* values))                                \
  function(DnnStatus, get, cudnnBackendGetAttribute,                                                                \
           (DnnPointer, int attribute, int type, int64_t room, int64_t* count, void* values))                       \
  function(DnnStatus, finalize, cudnnBackendFinalize, (DnnPointer))                                                 \
  function(DnnStatus, execute, cudnnBackendExecute, (DnnHandle*, DnnPointer plan, DnnPointer variant_pack))
// clang-format on

struct Cudnn {
#define WEFT_CUDNN_MEMBER(result, name, symbol, parameters) result(*name) parameters = nullptr;
  WEFT_CUDNN_FUNCTIONS(WEFT_CUDNN_MEMBER)
#undef WEFT_CUDNN_MEMBER

  std::string why;  // it cannot be used; "": it can

  /// Throws weft::Error unless `status` is success, with what the library says of it.
  void check(DnnStatus status, const std::string& what) const;
};

/// The library, looked for once a process: by the environment variable WEFT_CUDNN (its file, or "none"), then as exec/library_file.h
/// says. Throws weft::Error where the variable names no library.
const Cudnn& cudnn();

}  // namespace weft::cuda
