#pragma once
// torch.nn.init: what parameters start from. Every function overwrites all elements; random ones come from weft's seed
// (manual_seed), each call from numbers of its own, and are the same on every platform to a few ulp.
//
//   init::kaiming_normal(net.fc1.weight, {.nonlinearity = "relu"});
//   for (auto& [name, p] : net.named_parameters()) init::normal(p, 0, 0.02);
//   init::fill(net.fc1.bias, [](int64_t i) { return i == 0 ? 1.0 : 0.0; });

#include <optional>
#include <string>
#include <string_view>

#include "weft/frontend/language/parameter.h"
#include "weft/runtime/float_mode.h"
#include "weft/support/callable.h"

namespace weft::init {

/// What is filled: a parameter or an array, floating.
class Values {
 public:
  Values(Parameter parameter) : array_(parameter.array()) {}
  Values(Array& array) : array_(array) {}
  Array& array() const { return array_; }

 private:
  Array& array_;  // of a parameter: its storage, which lives as long as a handle
};

/// U(low, high).
void uniform(Values values, double low = 0, double high = 1);
/// N(mean, std^2).
void normal(Values values, double mean = 0, double std = 1);
/// N(mean, std^2) cut off below `low` and above `high`. Throws weft::Error unless low < high.
void trunc_normal(Values values, double mean = 0, double std = 1, double low = -2, double high = 2);
void constant(Values values, double value);
inline void zeros(Values values) { constant(values, 0); }
inline void ones(Values values) { constant(values, 1); }
/// element(i) for each element, in row-major order. Throws weft::Error when `element` is null.
template <class Function>
void fill(Values values, Function element) {
  if (is_null(element)) throw Error("init::fill: the function of the elements is null");
  const FloatMode mode;
  Array& array = values.array();
  for (int64_t i = 0; i < array.shape().numel(); ++i) array.set(i, element(i));
}

/// How many elements go into an element of the result and come out of one of the operand: of a weight [out, in, ...], in and
/// out times the extents of the other axes. Throws weft::Error for less than two axes.
struct Fans {
  double in, out;
};
Fans fans(const Shape& shape);

/// The factor on the standard deviation that keeps variances alive through a nonlinearity: 1 for "linear", "sigmoid" and
/// convolutions, 5/3 for "tanh", sqrt(2) for "relu", sqrt(2 / (1 + param^2)) for "leaky_relu" (0.01 unless given), 3/4 for
/// "selu". Throws weft::Error for another name.
double calculate_gain(std::string_view nonlinearity, std::optional<double> param = {});

/// Glorot and Bengio (2010): U(-b, b) with b = gain sqrt(6 / (in + out)); N(0, s^2) with s = gain sqrt(2 / (in + out)).
void xavier_uniform(Values values, double gain = 1);
void xavier_normal(Values values, double gain = 1);

struct KaimingOptions {
  double a = 0;                 // the negative slope of "leaky_relu"
  std::string mode = "fan_in";  // or "fan_out": which pass keeps its variance, forward or backward
  std::string nonlinearity = "leaky_relu";
};

/// He et al. (2015): N(0, s^2) with s = gain / sqrt(fan), U(-b, b) with b = sqrt(3) s.
void kaiming_uniform(Values values, KaimingOptions options = {});
void kaiming_normal(Values values, KaimingOptions options = {});

/// Saxe et al. (2013): rows or columns, whichever are fewer, orthogonal and of length `gain`; the axes after the first count
/// as one. Throws weft::Error for less than two axes.
void orthogonal(Values values, double gain = 1);

}  // namespace weft::init
