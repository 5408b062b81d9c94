#pragma once
// One slice of a product: by oneDNN (library_product.cpp), by our own tiles (tiled_product.cpp), by dots (dots_product.cpp), or as a thin
// one (thin_product.cpp).

#include <memory>
#include <string>
#include <vector>

#include "weft/backends/cpu/exec/answer.h"
#include "weft/backends/cpu/exec/slices.h"

namespace weft::cpu {

class ProductSlice {
 public:
  virtual ~ProductSlice() = default;
  virtual int64_t scratch_bytes() const = 0;
  virtual std::string implementation() const = 0;
  /// The task's buffers: a, b, (bias or addend,) result, scratch.
  virtual void bind(const std::vector<std::byte*>& buffers) = 0;
  /// Returns 0, or the library's number for what went wrong.
  virtual int run() const = 0;
};

// No extent may be 0. The slice's scratch begins so many bytes into the task's.

/// Both throw weft::Error where the library refuses.
Answer library_answer(const MatmulSpec& spec, const Slice& part);
std::unique_ptr<ProductSlice> library_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset);

/// Are tiles used for the product, whose slices then are all of them?
bool is_tiled(const MatmulSpec& spec);
/// How long one of its matrices takes by tiles, about.
double tiled_cycles(const MatmulSpec& spec);
Answer tiled_answer(const MatmulSpec& spec, const Slice& part);
std::unique_ptr<ProductSlice> tiled_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset);

/// Do both operands lie along the sums, and is it better to read them as they lie (dots_kernels.h) than to pack one? Then it is neither
/// tiles' nor a thin one.
bool is_dots(const MatmulSpec& spec);
Answer dots_answer(const MatmulSpec& spec, const Slice& part);
std::unique_ptr<ProductSlice> dots_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset);

/// Is one of its extents so short that the larger operand is better read once, in order (thin_kernels.h)? Then it is no tiles'.
bool is_thin(const MatmulSpec& spec);
Answer thin_answer(const MatmulSpec& spec, const Slice& part);
std::unique_ptr<ProductSlice> thin_product(const MatmulSpec& spec, const Slice& part, int64_t scratch_offset);

}  // namespace weft::cpu
