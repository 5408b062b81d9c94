#pragma once
// A slice of a product in f32 that code of our own computes: where its operands lie, matrix by matrix.

#include "weft/backends/cpu/exec/product_slice.h"

namespace weft::cpu {

class F32Slice : public ProductSlice {
 public:
  F32Slice(const MatmulSpec& spec, const Slice& part) : spec_(spec), part_(part) {}

  void bind(const std::vector<std::byte*>& buffers) override;
  int run() const override;

 protected:
  /// Of one of the slice's products, the first elements: the rest lies as in the whole matrices. Null for an addend or a bias that there
  /// is not.
  struct Operands {
    const float *a, *b, *bias, *addend;
    float* result;
  };
  virtual void multiply(const Operands& of) const = 0;

  const MatmulSpec spec_;
  const Slice part_;

 private:
  Operands first_{};
};

}  // namespace weft::cpu
