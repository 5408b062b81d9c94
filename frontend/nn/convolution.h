#pragma once
// Convolutional layers, as torch.nn has them. Weights and biases start in U(-k, k), k = 1 / sqrt(fan in), drawn from weft's
// seed (manual_seed). Constructors throw weft::Error, naming the line, when a size is not positive or groups do not divide
// the channels.

#include <optional>
#include <source_location>
#include <string>

#include "weft/frontend/language/convolution.h"
#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct ConvOptions {
  PerAxis stride = 1;
  Padding padding = 0;
  PerAxis dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  std::string padding_mode = "zeros";  // or "reflect", "replicate", "circular": see pad()
  std::optional<DType> dtype = {};     // of the parameters; default_dtype() unless given
};

/// What Conv1d, Conv2d and Conv3d have in common.
class Convolution : public Layer {
 public:
  Tensor forward(Tensor x) override;

  Parameter weight;  // [out_channels, in_channels / groups, kernel...]
  Parameter bias;    // [out_channels]; not defined() without a bias

 protected:
  Convolution(const char* name, int spatial, int64_t in, int64_t out, const PerAxis& kernel, ConvOptions options, std::source_location at);

 private:
  Tensor padded(const Tensor& x) const;

  int spatial_;
  std::string padding_mode_;
  ConvolutionOptions options_;
  Dims low_, high_;  // what padding other than by zeros adds
};

/// x [n, in_channels, length] or [in_channels, length].
struct Conv1d : Convolution {
  Conv1d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvOptions options = {},
         std::source_location at = std::source_location::current())
      : Convolution("nn::Conv1d", 1, in_channels, out_channels, kernel, std::move(options), at) {}
};

/// x [n, in_channels, height, width] or [in_channels, height, width].
struct Conv2d : Convolution {
  Conv2d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvOptions options = {},
         std::source_location at = std::source_location::current())
      : Convolution("nn::Conv2d", 2, in_channels, out_channels, kernel, std::move(options), at) {}
};

/// x [n, in_channels, depth, height, width] or [in_channels, depth, height, width].
struct Conv3d : Convolution {
  Conv3d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvOptions options = {},
         std::source_location at = std::source_location::current())
      : Convolution("nn::Conv3d", 3, in_channels, out_channels, kernel, std::move(options), at) {}
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

/// What ConvTranspose1d, ConvTranspose2d and ConvTranspose3d have in common.
class TransposedConvolution : public Layer {
 public:
  Tensor forward(Tensor x) override;

  Parameter weight;  // [in_channels, out_channels / groups, kernel...]
  Parameter bias;    // [out_channels]; not defined() without a bias

 protected:
  TransposedConvolution(const char* name, int spatial, int64_t in, int64_t out, const PerAxis& kernel, ConvTransposeOptions options,
                        std::source_location at);

 private:
  int spatial_;
  TransposedConvolutionOptions options_;
};

/// x [n, in_channels, length] or [in_channels, length].
struct ConvTranspose1d : TransposedConvolution {
  ConvTranspose1d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvTransposeOptions options = {},
                  std::source_location at = std::source_location::current())
      : TransposedConvolution("nn::ConvTranspose1d", 1, in_channels, out_channels, kernel, std::move(options), at) {}
};

/// x [n, in_channels, height, width] or [in_channels, height, width].
struct ConvTranspose2d : TransposedConvolution {
  ConvTranspose2d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvTransposeOptions options = {},
                  std::source_location at = std::source_location::current())
      : TransposedConvolution("nn::ConvTranspose2d", 2, in_channels, out_channels, kernel, std::move(options), at) {}
};

/// x [n, in_channels, depth, height, width] or [in_channels, depth, height, width].
struct ConvTranspose3d : TransposedConvolution {
  ConvTranspose3d(int64_t in_channels, int64_t out_channels, PerAxis kernel, ConvTransposeOptions options = {},
                  std::source_location at = std::source_location::current())
      : TransposedConvolution("nn::ConvTranspose3d", 3, in_channels, out_channels, kernel, std::move(options), at) {}
};

}  // namespace weft::nn
