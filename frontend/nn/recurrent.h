#pragma once
// torch.nn.RNN, LSTM and GRU, and their cells. A layer is a scan over the steps (frontend/language/scan.h): the products of the inputs
// are made for all steps at once before it, those of the weights' gradients for all steps at once behind it. Weights have PyTorch's
// names, shapes and gate order, so that its files load; they start in U(-k, k) with k = 1 / sqrt(hidden_size), as PyTorch's do.

#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct RNNOptions {
  int64_t num_layers = 1;
  std::string nonlinearity = "tanh";  // or "relu"; of RNN alone
  bool bias = true;
  bool batch_first = false;  // operands are [N, steps, features], else [steps, N, features]
  double dropout = 0;        // between the layers, so none with one, in training mode; an Hyper of the layer, see there
  bool bidirectional = false;
  int64_t proj_size = 0;            // of LSTM: h has so many features, by a product behind each step; 0: hidden_size, without one
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// Beside the operand. What is padding: torch.nn.utils.rnn.pack_padded_sequence with enforce_sorted=False.
struct RNNState {
  /// [layers * directions, N, features]; zeros unless given. Without a batch, they have two axes.
  std::optional<Arg> h0 = {}, c0 = {};
  /// [N], integers: how many steps each sequence has. What it has behind them is not looked at; outputs there are 0.
  std::optional<Arg> lengths = {};
};

/// What the layers share. Inputs [steps, N, input_size], or [steps, input_size] without a batch.
class Recurrent : public Layer {
 public:
  struct Result {
    Tensor output;  // [steps, N, directions * features] of the last layer; with batch_first, N first
    Tensor h;       // [layers * directions, N, features] after the last step
    Tensor c = {};  // of LSTM: [layers * directions, N, hidden_size]
  };

  Result operator()(Arg x, RNNState given = {});
  /// The output alone, as a part of nn::Sequential.
  Tensor forward(Tensor x) override;

  Hyper dropout;  // as nn::Dropout's p
  /// weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0, ... by name, "_reverse" behind it for the way back. Throws
  /// weft::Error with the nearest names.
  Parameter& parameter(const std::string& name);

 protected:
  enum class Cell { tanh, relu, lstm, gru };
  Recurrent(const char* layer, Cell cell, int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at);

 private:
  struct Weights {
    Parameter weight_ih, weight_hh, bias_ih, bias_hh, weight_hr;
  };
  struct Sequence;
  Tensor run(Sequence& sequence, const Tensor& x, const Weights& weights, size_t which);

  const char* layer_;
  Cell cell_;
  int64_t input_size_, hidden_size_;
  RNNOptions options_;
  std::vector<Weights> weights_;  // by layer, then by direction
};

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.
struct RNN : Recurrent {
  /// Throws weft::Error, naming the line, unless the sizes and num_layers are positive, 0 <= dropout <= 1 and the rest is as RNNOptions says.
  RNN(int64_t input_size, int64_t hidden_size, RNNOptions options = {}, std::source_location at = std::source_location::current());
};

/// Gates in PyTorch's order: input, forget, cell, output.
struct LSTM : Recurrent {
  LSTM(int64_t input_size, int64_t hidden_size, RNNOptions options = {}, std::source_location at = std::source_location::current());
};

/// Gates in PyTorch's order: reset, update, new.
struct GRU : Recurrent {
  GRU(int64_t input_size, int64_t hidden_size, RNNOptions options = {}, std::source_location at = std::source_location::current());
};

}  // namespace weft::nn
