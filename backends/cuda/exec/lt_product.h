#pragma once
// One product as cuBLASLt has it. It takes matrices column by column, so that a row-major one is its own transpose there: what it computes
// is result^T [n, m] = b^T [n, k] a^T [k, m], and its first operand is our second.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weft/backends/cuda/exec/cublaslt.h"
#include "weft/backends/cuda/exec/product.h"

namespace weft::cuda {

/// The library's state on a device.
class LtHandle {
 public:
  /// The one of that context.
  static std::shared_ptr<LtHandle> of(const std::shared_ptr<Context>& context);
  explicit LtHandle(std::shared_ptr<Context> context);
  LtHandle(const LtHandle&) = delete;
  ~LtHandle();

  /// Does the library run on the device?
  bool usable() const { return usable_; }
  BlasHandle* get() const { return handle_; }

 private:
  std::shared_ptr<Context> context_;
  BlasHandle* handle_ = nullptr;
  bool usable_ = false;
};

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

class LtProduct final : public LibraryCall {
 public:
  LtProduct(const ProductSpec& spec, size_t workspace_bytes, std::shared_ptr<LtHandle> handle);

  /// What runs it there, by the library's own estimate the fastest first. The context is current, here and below.
  std::vector<MatmulAlgorithm> proposals(int most) const;
  /// Can that one run it there, in this memory?
  bool runs(const MatmulAlgorithm& algorithm) const;
  void use(const MatmulAlgorithm& algorithm) { algorithm_ = algorithm; }

  void enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) override;
  std::string name() const override;

 private:
  void set(int attribute, int32_t value) { set_value(attribute, value); }
  void point(int attribute, const std::byte* to) { set_value(attribute, to); }
  template <class T>
  void set_value(int attribute, T value) {
    cublaslt().check(cublaslt().set_desc(desc_.get(), attribute, &value, sizeof value), "cuBLASLt describes a product");
  }
  int epilogue() const;

  ProductSpec spec_;
  std::shared_ptr<LtHandle> handle_;
  Described<MatmulDesc> desc_;
  Described<MatrixLayout> left_, right_, result_;
  Described<MatmulPreference> preference_;
  size_t workspace_bytes_;
  MatmulAlgorithm algorithm_ = {};
};

}  // namespace weft::cuda
