#pragma once
// The base of the library's layers, and those that only pass on, reshape or drop, as torch.nn has them.

#include <optional>
#include <source_location>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/nn/module.h"
#include "weft/runtime/float_mode.h"

namespace weft::nn {

/// A layer of the library: what it records reports the line where it was called.
class Layer : public Module {
 protected:
  bool is_library() const override { return true; }
};

namespace detail {

/// A layer that is being made: names it and the user's line when its options do not fit, and makes its parameters.
struct Making {
  const char* layer;
  std::source_location at;
  FloatMode mode = {};  // while its numbers are computed

  [[noreturn]] void fail(const std::string& what) const;
  void require(bool holds, const std::string& what) const {
    if (!holds) fail(what);
  }
  /// `value` for each element, of `dtype` or default_dtype(). Throws weft::Error for a negative extent or a type that is not floating.
  Array filled(const Dims& shape, double value, std::optional<DType> dtype) const;
  Parameter constant(const char* name, const Dims& shape, double value, std::optional<DType> dtype) const;
  /// Drawn from U(-bound, bound) by weft's seed.
  Parameter uniform(const char* name, const Dims& shape, double bound, std::optional<DType> dtype) const;
  /// The rate of dropout inside a layer. Throws weft::Error unless it lies in [0, 1].
  Hyper dropout_rate(double p) const;
};

}  // namespace detail

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

/// weft::unflatten: nn::Unflatten(1, {64, 7, 7}).
class Unflatten : public Layer {
 public:
  Unflatten(int64_t axis, Dims shape) : axis_(axis), shape_(std::move(shape)) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t axis_;
  Dims shape_;
};

/// In training mode: 0 with probability p, else x / (1 - p). In eval mode: x.
///
/// p is read at every step and can change between nonzero values without recompiling. With p = 0 no dropout is recorded;
/// setting it later makes the next step of such a program throw weft::Error.
class Dropout : public Layer {
 public:
  /// Throws weft::Error unless 0 <= p <= 1; so does assigning to p.
  explicit Dropout(double p = 0.5, std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Hyper p;
};

/// Dropout of whole channels: x [n, channels, height, width], of which each [height, width] is 0 with probability p, else
/// divided by 1 - p. p as in Dropout.
class Dropout2d : public Layer {
 public:
  explicit Dropout2d(double p = 0.5, std::source_location at = std::source_location::current());
  /// Throws weft::Error unless x has four axes.
  Tensor forward(Tensor x) override;

  Hyper p;
};

}  // namespace weft::nn
