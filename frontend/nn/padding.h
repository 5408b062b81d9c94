#pragma once
// Padding layers of torch.nn, of one to three spatial axes: x [n, channels, spatial...] or [channels, spatial...], see pad() for the modes.

#include <initializer_list>
#include <string>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

/// How much comes on each side, where negative is taken off: one number, or two for each spatial axis, before and after, the last axis
/// first: {left, right, top, bottom}.
struct PadAmounts {
  Dims each;
  PadAmounts(int64_t all) : each{all} {}
  PadAmounts(std::initializer_list<int64_t> amounts) : each(amounts) {}
  PadAmounts(Dims amounts) : each(std::move(amounts)) {}
};

namespace detail {
/// x, whose last axes are the spatial ones, with so much at both ends of each.
Tensor spatially_padded(const Tensor& x, const Dims& low, const Dims& high, const std::string& mode, double value = 0);
}  // namespace detail

/// What these layers are made of.
class Pad : public Layer {
 public:
  /// Throws weft::Error when x has other axes, and for what pad() refuses.
  Tensor forward(Tensor x) override;

 protected:
  /// Throws weft::Error, naming the line, for another number of amounts.
  Pad(const char* name, int spatial, std::string mode, PadAmounts padding, double value, std::source_location at);

 private:
  const char* name_;
  int spatial_;
  std::string mode_;
  Dims low_, high_;  // of the spatial axes, in their order
  double value_;
};

#define WEFT_PAD_LAYER(Layer, spatial, mode)                                                      \
  struct Layer : Pad {                                                                            \
    explicit Layer(PadAmounts padding, std::source_location at = std::source_location::current()) \
        : Pad("nn::" #Layer, spatial, mode, std::move(padding), 0, at) {}                         \
  };
WEFT_PAD_LAYER(ZeroPad1d, 1, "constant")
WEFT_PAD_LAYER(ZeroPad2d, 2, "constant")
WEFT_PAD_LAYER(ZeroPad3d, 3, "constant")
WEFT_PAD_LAYER(ReflectionPad1d, 1, "reflect")
WEFT_PAD_LAYER(ReflectionPad2d, 2, "reflect")
WEFT_PAD_LAYER(ReflectionPad3d, 3, "reflect")
WEFT_PAD_LAYER(ReplicationPad1d, 1, "replicate")
WEFT_PAD_LAYER(ReplicationPad2d, 2, "replicate")
WEFT_PAD_LAYER(ReplicationPad3d, 3, "replicate")
WEFT_PAD_LAYER(CircularPad1d, 1, "circular")
WEFT_PAD_LAYER(CircularPad2d, 2, "circular")
WEFT_PAD_LAYER(CircularPad3d, 3, "circular")
#undef WEFT_PAD_LAYER

#define WEFT_CONSTANT_PAD(Layer, spatial)                                                              \
  struct Layer : Pad {                                                                                 \
    Layer(PadAmounts padding, double value, std::source_location at = std::source_location::current()) \
        : Pad("nn::" #Layer, spatial, "constant", std::move(padding), value, at) {}                    \
  };
WEFT_CONSTANT_PAD(ConstantPad1d, 1)
WEFT_CONSTANT_PAD(ConstantPad2d, 2)
WEFT_CONSTANT_PAD(ConstantPad3d, 3)
#undef WEFT_CONSTANT_PAD

}  // namespace weft::nn
