#pragma once
// Activations as functions of the tensor language and as layers of torch.nn. Functions of integers compute in
// default_dtype(), where nothing else is said.

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/nn/layers.h"

namespace weft {

namespace nn {
/// A function of one tensor as a layer.
template <Tensor (*function)(Arg)>
struct Activation : Layer {
  Tensor forward(Tensor x) override { return function(x); }
};
}  // namespace nn

/// An elementwise op without attributes as a function and as a layer: WEFT_ACTIVATION(silu, SiLU) gives silu(x) and nn::SiLU.
#define WEFT_ACTIVATION(function, Layer)                         \
  inline Tensor function(Arg x) { return call(#function, {x}); } \
  namespace nn {                                                 \
  using Layer = Activation<function>;                            \
  }

WEFT_ACTIVATION(silu, SiLU)
WEFT_ACTIVATION(mish, Mish)
WEFT_ACTIVATION(hardswish, Hardswish)
WEFT_ACTIVATION(logsigmoid, LogSigmoid)

Tensor leaky_relu(Arg x, double negative_slope = 0.01);
/// x where positive, else weight * x; the weight has one element, or one for each channel (axis 1).
Tensor prelu(Arg x, Arg weight);
Tensor elu(Arg x, double alpha = 1);
Tensor selu(Arg x);
/// log(1 + e^(beta x)) / beta, and x where beta x > threshold.
Tensor softplus(Arg x, double beta = 1, double threshold = 20);
/// clamp; integers stay integers, between the bounds' integer parts.
Tensor hardtanh(Arg x, double min = -1, double max = 1);
Tensor relu6(Arg x);        // hardtanh between 0 and 6
Tensor hardsigmoid(Arg x);  // relu6(x + 3) / 6
Tensor celu(Arg x, double alpha = 1);
Tensor softshrink(Arg x, double lambd = 0.5);             // x moved towards 0 by lambd, which must not be negative, but not beyond
Tensor hardshrink(Arg x, double lambd = 0.5);             // x where |x| > lambd, else 0
Tensor tanhshrink(Arg x);                                 // x - tanh(x)
Tensor threshold(Arg x, double threshold, double value);  // x where above the threshold, else the value
Tensor softmin(Arg x, int64_t axis);                      // softmax(-x)
/// The first half along the axis, times the sigmoid of the second: the axis becomes half as long.
Tensor glu(Arg x, int64_t axis = -1);

namespace nn {

using ReLU = Activation<relu>;
using ReLU6 = Activation<relu6>;
using Sigmoid = Activation<sigmoid>;
using Tanh = Activation<tanh>;
using SELU = Activation<selu>;
using Hardsigmoid = Activation<hardsigmoid>;
using Tanhshrink = Activation<tanhshrink>;

/// `approximate` is "none" (by erf) or "tanh".
class GELU : public Layer {
 public:
  explicit GELU(std::string approximate = "none") : approximate_(std::move(approximate)) {}
  Tensor forward(Tensor x) override;

 private:
  std::string approximate_;
};

class LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  Tensor forward(Tensor x) override;

 private:
  double negative_slope_;
};

struct PReLUOptions {
  double init = 0.25;
  std::optional<DType> dtype = {};  // default_dtype() unless given
};

/// x where positive, else weight * x, with one trained weight, or one for each channel (axis 1).
class PReLU : public Layer {
 public:
  /// Throws weft::Error, naming the line, unless num_parameters is positive and the dtype floating.
  explicit PReLU(int64_t num_parameters = 1, PReLUOptions options = {}, std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [num_parameters], starts at init
};

class ELU : public Layer {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(Tensor x) override;

 private:
  double alpha_;
};

class Softplus : public Layer {
 public:
  explicit Softplus(double beta = 1, double threshold = 20) : beta_(beta), threshold_(threshold) {}
  Tensor forward(Tensor x) override;

 private:
  double beta_, threshold_;
};

class Hardtanh : public Layer {
 public:
  explicit Hardtanh(double min = -1, double max = 1) : min_(min), max_(max) {}
  Tensor forward(Tensor x) override;

 private:
  double min_, max_;
};

class Softmax : public Layer {
 public:
  explicit Softmax(int64_t axis) : axis_(axis) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t axis_;
};

class CELU : public Layer {
 public:
  explicit CELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(Tensor x) override;

 private:
  double alpha_;
};

class Softshrink : public Layer {
 public:
  explicit Softshrink(double lambd = 0.5) : lambd_(lambd) {}
  Tensor forward(Tensor x) override;

 private:
  double lambd_;
};

class Hardshrink : public Layer {
 public:
  explicit Hardshrink(double lambd = 0.5) : lambd_(lambd) {}
  Tensor forward(Tensor x) override;

 private:
  double lambd_;
};

class Threshold : public Layer {
 public:
  Threshold(double threshold, double value) : threshold_(threshold), value_(value) {}
  Tensor forward(Tensor x) override;

 private:
  double threshold_, value_;
};

class GLU : public Layer {
 public:
  explicit GLU(int64_t axis = -1) : axis_(axis) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t axis_;
};

class Softmin : public Layer {
 public:
  explicit Softmin(int64_t axis) : axis_(axis) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t axis_;
};

/// softmax over the channels of x [n, channels, height, width] or [channels, height, width].
struct Softmax2d : Layer {
  /// Throws weft::Error for another number of axes.
  Tensor forward(Tensor x) override;
};

class LogSoftmax : public Layer {
 public:
  explicit LogSoftmax(int64_t axis) : axis_(axis) {}
  Tensor forward(Tensor x) override;

 private:
  int64_t axis_;
};

}  // namespace nn
}  // namespace weft
