// cuBLASLt's functions, by their own names: products in double on the memory of the device that there is not. It refuses what the library
// refuses, as far as weft could ask for it, and takes what it is given no earlier than the stream does.

#include "weft/backends/cuda/exec/cublaslt.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "weft/tests/fake_cuda/call.h"
#include "weft/tests/fake_cuda/elements.h"

using namespace weft::cuda;
namespace fake = weft::test::fake_cuda;

namespace weft::cuda {

struct BlasHandle {};

struct MatmulDesc {
  int compute, scale;
  int transpose_a = blas_no_transpose, transpose_b = blas_no_transpose, epilogue = epilogue_none, bias_type = -1;
  uint64_t bias = 0, aux = 0;
  int64_t aux_leading = 0;

  bool has(int bit) const { return (epilogue & bit) == bit; }
};

/// Column by column.
struct MatrixLayout {
  int type;
  uint64_t rows, columns;
  int64_t leading;
  int count = 1;
  int64_t stride = 0;

  int64_t elements() const { return (count - 1) * stride + (static_cast<int64_t>(columns) - 1) * leading + static_cast<int64_t>(rows); }
  bool is_like(const MatrixLayout& other) const {
    return type == other.type && rows == other.rows && columns == other.columns && count == other.count;
  }
};

struct MatmulPreference {
  uint64_t workspace = 0;
  uint32_t reductions = 7;
  uint32_t alignments[4] = {256, 256, 256, 256};
};

}  // namespace weft::cuda

namespace {

constexpr BlasStatus not_initialized = 1, invalid_value = 7, execution_failed = 13;
constexpr uint64_t algorithm_mark = 0x77656674;

// What epilogues are made of, and which there are.
constexpr int adds_bias = 4, sums_rows = 16, gelu = 32, gelu_gradient = 64, has_aux = 128;
constexpr int known_epilogues[] = {epilogue_none,     epilogue_bias,          epilogue_gelu,          epilogue_gelu_bias,
                                   epilogue_gelu_aux, epilogue_gelu_aux_bias, epilogue_gelu_gradient, epilogue_gelu_gradient_sum};

/// What the library writes down in an algorithm for itself. `number`: which of its algorithms it is.
struct Chosen {
  uint64_t mark, number, workspace, alignment, epilogue;
};

BlasStatus call(const char* name, auto what, fake::Allowed allowed = fake::anywhere) {
  const Result result = fake::call(name, what, allowed);
  return result == fake::invalid_context || result == fake::not_initialized ? not_initialized
         : result == fake::illegal_address                                  ? execution_failed
                                                                            : result;
}

template <class T>
BlasStatus create(fake::Device& device, T** out, T object) {
  *out = new T(object);
  return ++device.library_objects, blas_success;
}
template <class T>
BlasStatus destroy(T* object) {
  fake::Device& device = fake::device();
  const std::lock_guard lock(device.mutex);
  delete object;
  return --device.library_objects, blas_success;
}

template <class T>
BlasStatus set(T& field, const void* value, size_t bytes) {
  if (bytes != sizeof field) return invalid_value;
  std::memcpy(&field, value, bytes);
  return blas_success;
}

fake::Element element_of(int type) {
  return type == blas_f64 ? fake::Element::f64 : type == blas_bf16 ? fake::Element::bf16 : fake::Element::f32;
}

bool is_supported(const MatmulDesc& desc, int type) {
  if (desc.compute == blas_compute_f64) return desc.scale == blas_f64 && type == blas_f64;
  if (desc.compute == blas_compute_tf32) return desc.scale == blas_f32 && type == blas_f32;
  return desc.compute == blas_compute_f32 && desc.scale == blas_f32 && (type == blas_f32 || type == blas_bf16);
}

bool reads_bias_pointer(const MatmulDesc& desc) { return desc.epilogue != epilogue_none && (desc.has(adds_bias) || desc.has(sums_rows)); }

/// What is documented of epilogues: their vectors are somewhere, and columns of a matrix beside the result begin at multiples of 8
/// elements. Nothing is said of activations of f64, or of a matrix beside several results.
BlasStatus check_epilogue(const MatmulDesc& desc, const MatrixLayout& d) {
  if (std::find(std::begin(known_epilogues), std::end(known_epilogues), desc.epilogue) == std::end(known_epilogues)) return invalid_value;
  if (reads_bias_pointer(desc) && desc.bias == 0) return invalid_value;
  if (desc.has(has_aux) && (desc.aux == 0 || desc.aux_leading % 8 != 0 || desc.aux_leading < static_cast<int64_t>(d.rows)))
    return invalid_value;
  const bool is_plain = desc.epilogue == epilogue_none || desc.epilogue == epilogue_bias;
  return is_plain || (d.type != blas_f64 && (!desc.has(has_aux) || d.count == 1)) ? blas_success : blas_not_supported;
}

/// The largest power of two that an address is a multiple of, at most 256.
uint64_t alignment_of(uint64_t address) { return std::min<uint64_t>(address & -address, 256); }
/// Of the vectors and the matrix of an epilogue.
uint64_t alignment_of(const MatmulDesc& desc) {
  return std::min(reads_bias_pointer(desc) ? alignment_of(desc.bias) : 256, desc.has(has_aux) ? alignment_of(desc.aux) : 256);
}

/// As the hardware has tanh, of which 11 bits are right: nobody promises more of an activation.
double rough_tanh(double x) {
  if (!(std::abs(x) < 20)) return std::tanh(x);
  int exponent = 0;
  const double mantissa = std::frexp(std::tanh(x), &exponent);
  return std::ldexp(std::round(mantissa * 0x1p11) * 0x1p-11, exponent);
}
double gelu_of(double x) { return 0.5 * x * (1 + rough_tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))); }
double gelu_derivative(double x) {
  const double scale = std::sqrt(2 / std::numbers::pi), t = rough_tanh(scale * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x);
}

/// d = a b, with their transpositions.
bool agree(const MatmulDesc& desc, const MatrixLayout& a, const MatrixLayout& b, const MatrixLayout& d) {
  const auto [m, k] = desc.transpose_a == blas_transpose ? std::pair(a.columns, a.rows) : std::pair(a.rows, a.columns);
  const auto [k_of_b, n] = desc.transpose_b == blas_transpose ? std::pair(b.columns, b.rows) : std::pair(b.rows, b.columns);
  const bool types = a.type == b.type && a.type == d.type && (!reads_bias_pointer(desc) || desc.bias_type == d.type);
  return types && m == d.rows && n == d.columns && k == k_of_b && a.count == d.count && b.count == d.count;
}

/// A product that waits in a stream.
struct Product {
  MatmulDesc desc;
  MatrixLayout a, b, d;
  double alpha, beta;
  uint64_t a_at, b_at, c_at, d_at, workspace, workspace_bytes;
  uint64_t algorithm;

  std::vector<double> factors(fake::Device& device, uint64_t at, const MatrixLayout& layout) const {
    std::vector<double> all = fake::read_elements(device, at, element_of(layout.type), static_cast<uint64_t>(layout.elements()));
    if (desc.compute == blas_compute_tf32)
      for (double& value : all) value = fake::rounded_to_tf32(value);
    return all;
  }

  void run(fake::Device& device) const {
    fake::spoil(device, workspace, workspace_bytes);
    std::vector<double> result = product(device);
    const bool has_epilogue = desc.epilogue != epilogue_none;
    if (has_epilogue) apply_epilogue(device, result);
    fake::write_elements(device, d_at, element_of(d.type), result);
    ++device.report.products;
    if (has_epilogue && desc.epilogue != epilogue_bias) ++device.report.activations;
    device.clock += device.milliseconds_of_algorithm[algorithm];
  }

 private:
  static size_t at(const MatrixLayout& layout, int number, uint64_t row, uint64_t column) {
    return static_cast<size_t>(number * layout.stride + static_cast<int64_t>(column) * layout.leading) + row;
  }

  std::vector<double> product(fake::Device& device) const {
    const std::vector<double> left = factors(device, a_at, a), right = factors(device, b_at, b);
    std::vector<double> result(static_cast<size_t>(d.elements())), addend(result.size());
    if (beta != 0) addend = fake::read_elements(device, c_at, element_of(d.type), addend.size());
    const bool turned_a = desc.transpose_a == blas_transpose, turned_b = desc.transpose_b == blas_transpose;
    const uint64_t extent = turned_a ? a.rows : a.columns;
    for (int number = 0; number < d.count; ++number)
      for (uint64_t n = 0; n < d.columns; ++n)
        for (uint64_t m = 0; m < d.rows; ++m) {
          double parts[2] = {};
          for (uint64_t k = 0; k < extent; ++k)
            parts[k * 2 / extent] +=
                left[turned_a ? at(a, number, k, m) : at(a, number, m, k)] * right[turned_b ? at(b, number, n, k) : at(b, number, k, n)];
          // One algorithm cuts k into two parts, whose sums it rounds.
          if (algorithm == 2)
            for (double& part : parts) part = fake::rounded(d.type == blas_f64 ? fake::Element::f64 : fake::Element::f32, part);
          const size_t i = at(d, number, m, n);
          result[i] = alpha * (parts[0] + parts[1]) + beta * addend[i];
        }
    return result;
  }

  void apply_epilogue(fake::Device& device, std::vector<double>& result) const {
    const fake::Element element = element_of(d.type);
    const auto each = [&](auto change) {
      for (int number = 0; number < d.count; ++number)
        for (uint64_t n = 0; n < d.columns; ++n)
          for (uint64_t m = 0; m < d.rows; ++m) change(result[at(d, number, m, n)], m, n);
    };
    if (desc.has(adds_bias)) {
      const std::vector<double> bias = fake::read_elements(device, desc.bias, element_of(desc.bias_type), d.rows);
      each([&](double& x, uint64_t m, uint64_t) { x += bias[m]; });
    }
    const auto aux_at = [&](uint64_t m, uint64_t n) { return static_cast<size_t>(static_cast<int64_t>(n) * desc.aux_leading) + m; };
    const size_t aux_elements = desc.has(has_aux) ? aux_at(d.rows - 1, d.columns - 1) + 1 : 0;
    if (desc.has(gelu)) {
      std::vector<double> aux(aux_elements);
      if (desc.has(has_aux)) {
        each([&](double& x, uint64_t m, uint64_t n) { aux[aux_at(m, n)] = x; });
        fake::write_elements(device, desc.aux, element, aux);
      }
      each([&](double& x, uint64_t, uint64_t) { x = gelu_of(x); });
    }
    if (desc.has(gelu_gradient)) {
      const std::vector<double> aux = fake::read_elements(device, desc.aux, element, aux_elements);
      each([&](double& x, uint64_t m, uint64_t n) { x *= gelu_derivative(aux[aux_at(m, n)]); });
    }
    if (desc.has(sums_rows)) {
      std::vector<double> sums(d.rows);
      each([&](double& x, uint64_t m, uint64_t) { sums[m] += x; });
      fake::write_elements(device, desc.bias, element, sums);
    }
  }
};

double scalar(const MatmulDesc& desc, const void* from) {
  if (desc.scale == blas_f64) return *static_cast<const double*>(from);
  return static_cast<double>(*static_cast<const float*>(from));
}

uint64_t address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

}  // namespace

extern "C" {

BlasStatus cublasLtCreate(BlasHandle** out) {
  return call("cublasLtCreate", [&](auto& device) { return create(device, out, BlasHandle()); }, {});
}
BlasStatus cublasLtDestroy(BlasHandle* handle) { return destroy(handle); }
size_t cublasLtGetVersion() { return 130100; }
const char* cublasLtGetStatusString(BlasStatus status) {
  switch (status) {
    case blas_success: return "success";
    case not_initialized: return "the library was not initialized";
    case invalid_value: return "an invalid value was passed";
    case execution_failed: return "the execution failed";
    case blas_not_supported: return "not supported";
    default: return "unknown";
  }
}

BlasStatus cublasLtMatmulDescCreate(MatmulDesc** out, int compute, int scale) {
  return call("cublasLtMatmulDescCreate", [&](auto& device) { return create(device, out, MatmulDesc{compute, scale}); });
}
BlasStatus cublasLtMatmulDescDestroy(MatmulDesc* desc) { return destroy(desc); }
BlasStatus cublasLtMatmulDescSetAttribute(MatmulDesc* desc, int attribute, const void* value, size_t bytes) {
  return call("cublasLtMatmulDescSetAttribute", [&](auto&) {
    switch (attribute) {
      case desc_transpose_a: return set(desc->transpose_a, value, bytes);
      case desc_transpose_b: return set(desc->transpose_b, value, bytes);
      case desc_epilogue: return set(desc->epilogue, value, bytes);
      case desc_bias_pointer: return set(desc->bias, value, bytes);
      case desc_bias_type: return set(desc->bias_type, value, bytes);
      case desc_aux_pointer: return set(desc->aux, value, bytes);
      case desc_aux_leading: return set(desc->aux_leading, value, bytes);
      default: return invalid_value;
    }
  });
}

BlasStatus cublasLtMatrixLayoutCreate(MatrixLayout** out, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  return call("cublasLtMatrixLayoutCreate", [&](auto& device) {
    if (rows == 0 || columns == 0 || leading < static_cast<int64_t>(rows)) return invalid_value;
    return create(device, out, MatrixLayout{type, rows, columns, leading});
  });
}
BlasStatus cublasLtMatrixLayoutDestroy(MatrixLayout* layout) { return destroy(layout); }
BlasStatus cublasLtMatrixLayoutSetAttribute(MatrixLayout* layout, int attribute, const void* value, size_t bytes) {
  return call("cublasLtMatrixLayoutSetAttribute", [&](auto&) {
    switch (attribute) {
      case layout_batch_count: return set(layout->count, value, bytes);
      case layout_batch_stride: return set(layout->stride, value, bytes);
      default: return invalid_value;
    }
  });
}

BlasStatus cublasLtMatmulPreferenceCreate(MatmulPreference** out) {
  return call("cublasLtMatmulPreferenceCreate", [&](auto& device) { return create(device, out, MatmulPreference()); });
}
BlasStatus cublasLtMatmulPreferenceDestroy(MatmulPreference* preference) { return destroy(preference); }
BlasStatus cublasLtMatmulPreferenceSetAttribute(MatmulPreference* preference, int attribute, const void* value, size_t bytes) {
  return call("cublasLtMatmulPreferenceSetAttribute", [&](auto&) {
    if (attribute == preference_workspace) return set(preference->workspace, value, bytes);
    if (attribute == preference_reductions) return set(preference->reductions, value, bytes);
    if (attribute < preference_alignment_a || attribute > preference_alignment_d) return invalid_value;
    return set(preference->alignments[attribute - preference_alignment_a], value, bytes);
  });
}

/// The first proposal is one that does not run, the second does and wants all the memory that it may have, the third none.
BlasStatus cublasLtMatmulAlgoGetHeuristic(BlasHandle* handle, MatmulDesc* desc, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c,
                                          MatrixLayout* d, MatmulPreference* preference, int wanted, MatmulHeuristic* proposals,
                                          int* count) {
  return call("cublasLtMatmulAlgoGetHeuristic",
              [&](auto&) {
                *count = 0;
                if (!handle || wanted < 3 || !agree(*desc, *a, *b, *d) || !c->is_like(*d)) return invalid_value;
                if (!is_supported(*desc, d->type)) return blas_not_supported;
                if (const BlasStatus status = check_epilogue(*desc, *d); status != blas_success) return status;
                const uint32_t least = *std::min_element(std::begin(preference->alignments), std::end(preference->alignments));
                const uint64_t alignment = std::min<uint64_t>(least, alignment_of(*desc));
                for (uint64_t number = 0; number < 3; ++number) {
                  const Chosen chosen{algorithm_mark, number, number == 1 ? preference->workspace : 0, alignment,
                                      static_cast<uint64_t>(desc->epilogue)};
                  proposals[number] = {.algorithm = {},
                                       .workspace_bytes = chosen.workspace,
                                       .status = number == 0 ? blas_not_supported : blas_success,
                                       .waves = 1,
                                       .reserved = {}};
                  std::memcpy(proposals[number].algorithm.data, &chosen, sizeof chosen);
                }
                return *count = 3, blas_success;
              },
              {});
}

BlasStatus cublasLtMatmulAlgoCheck(BlasHandle* handle, MatmulDesc* desc, MatrixLayout* a, MatrixLayout* b, MatrixLayout* c, MatrixLayout* d,
                                   const MatmulAlgorithm* algorithm, MatmulHeuristic* found) {
  return call("cublasLtMatmulAlgoCheck",
              [&](auto&) {
                Chosen chosen{};
                std::memcpy(&chosen, algorithm->data, sizeof chosen);
                if (!handle || !agree(*desc, *a, *b, *d) || !c->is_like(*d) || chosen.mark != algorithm_mark) return invalid_value;
                if (chosen.number == 0 || chosen.number > 2 || chosen.epilogue != static_cast<uint64_t>(desc->epilogue) ||
                    !is_supported(*desc, d->type))
                  return blas_not_supported;
                *found = {.algorithm = {}, .workspace_bytes = chosen.workspace, .status = blas_success, .waves = 1, .reserved = {}};
                return blas_success;
              },
              {});
}

BlasStatus cublasLtMatmul(BlasHandle* handle, MatmulDesc* desc, const void* alpha, const void* a, MatrixLayout* a_layout, const void* b,
                          MatrixLayout* b_layout, const void* beta, const void* c, MatrixLayout* c_layout, void* d, MatrixLayout* d_layout,
                          const MatmulAlgorithm* algorithm, void* workspace, size_t workspace_bytes, StreamHandle* to) {
  return call("cublasLtMatmul",
              [&](fake::Device& device) {
                Chosen chosen{};
                std::memcpy(&chosen, algorithm->data, sizeof chosen);
                const auto stream = device.streams.find(to);
                if (!handle || !stream || chosen.mark != algorithm_mark || !agree(*desc, *a_layout, *b_layout, *d_layout))
                  return invalid_value;
                if (chosen.number == 0 || chosen.epilogue != static_cast<uint64_t>(desc->epilogue)) return blas_not_supported;
                if (!c_layout->is_like(*d_layout) || workspace_bytes < chosen.workspace) return invalid_value;
                if (const BlasStatus status = check_epilogue(*desc, *d_layout); status != blas_success) return status;
                if (alignment_of(*desc) < chosen.alignment) return invalid_value;
                for (const void* pointer : {a, b, c, static_cast<const void*>(d), static_cast<const void*>(workspace)})
                  if (address(pointer) % chosen.alignment != 0) return invalid_value;
                const Product product{*desc,        *a_layout,  *b_layout,  *d_layout,  scalar(*desc, alpha), scalar(*desc, beta),
                                      address(a),   address(b), address(c), address(d), address(workspace),   workspace_bytes,
                                      chosen.number};
                if (!stream->captured) ++device.report.launches;
                return device.enqueue(*stream, [&device, product] { product.run(device); });
              },
              {});
}

}  // extern "C"
