#pragma once
// Layers without parameters, as torch.nn has them.

#include "weft/frontend/hyper.h"
#include "weft/frontend/nn/module.h"

namespace weft::nn {

/// A layer of the library: what it records reports the line where it was called.
class Layer : public Module {
 protected:
  bool is_library() const override { return true; }
};

struct ReLU : Layer {
  Tensor forward(Tensor x) override;
};

struct Sigmoid : Layer {
  Tensor forward(Tensor x) override;
};

struct Tanh : Layer {
  Tensor forward(Tensor x) override;
};

/// `approximate` is "none" (by erf) or "tanh".
class GELU : public Layer {
 public:
  explicit GELU(std::string approximate = "none") : approximate_(std::move(approximate)) {}
  Tensor forward(Tensor x) override;

 private:
  std::string approximate_;
};

/// x itself.
struct Identity : Layer {
  Tensor forward(Tensor x) override;
};

/// Joins the axes start .. end; the default leaves the batch axis.
class Flatten : public Layer {
 public:
  explicit Flatten(int64_t start = 1, int64_t end = -1) : start_(start), end_(end) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t start_, end_;
};

/// In training mode: 0 with probability p, else x / (1 - p). In eval mode: x.
///
/// p is read at every step and can change between nonzero values without recompiling. With p = 0 no dropout is recorded;
/// setting it later makes the next step of such a program throw weft::Error.
class Dropout : public Layer {
 public:
  /// Throws weft::Error unless 0 <= p <= 1; so does assigning to p.
  explicit Dropout(double p = 0.5);
  Tensor forward(Tensor x) override;

  Hyper p;
};

}  // namespace weft::nn
