#pragma once
// Convolutional layers, as torch.nn has them. Weights and biases start in U(-k, k), k = 1 / sqrt(fan in), drawn from weft's
// seed (manual_seed). Constructors throw weft::Error, naming the line, when a size is not positive or groups do not divide
// the channels.

#include <optional>
#include <source_location>

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct ConvOptions {
  PerAxis stride = 1;
  Padding padding = 0;
  PerAxis dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// x [n, in_channels, length] or [in_channels, length].
class Conv1d : public Layer {
 public:
  Conv1d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvOptions options = {},
         std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [out_channels, in_channels / groups, kernel]
  Parameter bias;    // [out_channels]; not defined() without a bias

 private:
  ConvolutionOptions options_;
};

/// x [n, in_channels, height, width] or [in_channels, height, width].
class Conv2d : public Layer {
 public:
  Conv2d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvOptions options = {},
         std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [out_channels, in_channels / groups, kernel, kernel]
  Parameter bias;    // [out_channels]; not defined() without a bias

 private:
  ConvolutionOptions options_;
};

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;
  int64_t groups = 1;
  bool bias = true;
  PerAxis dilation = 1;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// x [n, in_channels, height, width] or [in_channels, height, width].
class ConvTranspose2d : public Layer {
 public:
  ConvTranspose2d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvTransposeOptions options = {},
                  std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [in_channels, out_channels / groups, kernel, kernel]
  Parameter bias;    // [out_channels]; not defined() without a bias

 private:
  TransposedConvolutionOptions options_;
};

}  // namespace weft::nn
