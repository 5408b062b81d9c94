#pragma once
// torch.nn.RNNCell, LSTMCell and GRUCell: one step of a recurrence, with PyTorch's names, shapes and gate order. Weights start in
// U(-k, k) with k = 1 / sqrt(hidden_size), as PyTorch's do.

#include <optional>
#include <string>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct RNNCellOptions {
  bool bias = true;
  std::string nonlinearity = "tanh";  // or "relu"; of RNNCell
  std::optional<DType> dtype = {};
};

/// One step. x [N, input_size], the state [N, hidden_size], or both without N; a state that is not given is zero.
struct RNNCell : Layer {
  RNNCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options = {}, std::source_location at = std::source_location::current());
  Tensor operator()(Arg x, std::optional<Arg> h = {});
  Tensor forward(Tensor x) override;

  Parameter weight_ih, weight_hh;  // [hidden_size, input_size], [hidden_size, hidden_size]
  Parameter bias_ih, bias_hh;      // [hidden_size]; not defined() without biases

 private:
  bool relu_;
};

struct LSTMCell : Layer {
  LSTMCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options = {}, std::source_location at = std::source_location::current());
  struct State {
    Tensor h, c;
  };
  State operator()(Arg x, std::optional<Arg> h = {}, std::optional<Arg> c = {});
  /// h' from zeros.
  Tensor forward(Tensor x) override;

  Parameter weight_ih, weight_hh;  // [4 hidden_size, input_size], [4 hidden_size, hidden_size]
  Parameter bias_ih, bias_hh;      // [4 hidden_size]; not defined() without biases
};

struct GRUCell : Layer {
  GRUCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options = {}, std::source_location at = std::source_location::current());
  Tensor operator()(Arg x, std::optional<Arg> h = {});
  Tensor forward(Tensor x) override;

  Parameter weight_ih, weight_hh;  // [3 hidden_size, input_size], [3 hidden_size, hidden_size]
  Parameter bias_ih, bias_hh;      // [3 hidden_size]; not defined() without biases
};

namespace detail {

// What a step makes of its products, in a cell as in a layer (frontend/nn/recurrent.h).

/// From the sum of the products with x and h, [N, 4 hidden_size].
LSTMCell::State lstm_step(const Tensor& sum, const Tensor& c);
/// h', from the products with x and with h, [N, 3 hidden_size] each.
Tensor gru_step(const Tensor& of_x, const Tensor& of_h, const Tensor& h);
/// x weight^T, and the bias if it is defined.
Tensor product(const Arg& x, const Parameter& weight, const Parameter& bias);

}  // namespace detail

}  // namespace weft::nn
