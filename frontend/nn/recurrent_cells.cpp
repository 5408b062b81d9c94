#include "weft/frontend/nn/recurrent_cells.h"

#include <cmath>
#include <vector>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/nn/sizes.h"

namespace weft::nn {

Tensor detail::product(const Arg& x, const Parameter& weight, const Parameter& bias) {
  return bias.defined() ? linear(x, weight, bias) : linear(x, weight);
}

LSTMCell::State detail::lstm_step(const Tensor& sum, const Tensor& c) {
  const std::vector<Tensor> gates = chunk(sum, 4, -1);
  const Tensor next = sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(next), next};
}

Tensor detail::gru_step(const Tensor& of_x, const Tensor& of_h, const Tensor& h) {
  const std::vector<Tensor> x = chunk(of_x, 3, -1), y = chunk(of_h, 3, -1);
  const Tensor reset = sigmoid(x[0] + y[0]), update = sigmoid(x[1] + y[1]), fresh = tanh(x[2] + reset * y[2]);
  return (1.0 - update) * fresh + update * h;
}

namespace {

using weft::detail::Recorder;

/// A cell's operand and states with a batch axis, which they had all or none.
struct CellOperands {
  Tensor x;
  std::vector<Tensor> states;
  bool batched;

  CellOperands(Recorder& r, const Arg& given, const std::vector<std::optional<Arg>>& states_given, int64_t input_size,
               int64_t hidden_size) {
    x = r.tensor(r.value(given));
    batched = x.dim() == 2;
    if ((!batched && x.dim() != 1) || x.size(-1) != input_size)
      r.fail(batched || x.dim() == 1 ? fmt::format("the input must have {} features", input_size) : "the input must have one or two axes");
    if (!batched) x = unsqueeze(x, 0);
    for (const std::optional<Arg>& state : states_given) {
      const Shape wanted = batched ? Shape{x.size(0), hidden_size} : Shape{hidden_size};
      Tensor t = state ? r.tensor(r.value(*state)) : zeros(wanted, x.dtype());
      if (t.shape() != wanted || t.dtype() != x.dtype())
        r.fail(fmt::format("the state must be {}{}", weft::name_of(x.dtype()), to_string(wanted)));
      states.push_back(batched ? t : unsqueeze(t, 0));
    }
  }

  Tensor finish(const Tensor& t) const { return batched ? t : squeeze(t, 0); }
};

/// The four parameters of a cell.
template <class C>
void make_cell(C& cell, const char* layer, int64_t gates, int64_t input_size, int64_t hidden_size, const RNNCellOptions& options,
               std::source_location at, const auto& add) {
  const detail::Making make{layer, at};
  make.require(input_size > 0 && hidden_size > 0, fmt::format("sizes must be positive, not {} and {}", input_size, hidden_size));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto one = [&](const char* name, const Dims& shape) { return add(name, make.uniform(name, shape, bound, options.dtype)); };
  const int64_t all = detail::times(make, gates, hidden_size, "hidden_size");
  cell.weight_ih = one("weight_ih", {all, input_size});
  cell.weight_hh = one("weight_hh", {all, hidden_size});
  if (options.bias) cell.bias_ih = one("bias_ih", {all}), cell.bias_hh = one("bias_hh", {all});
}

std::vector<const Arg*> given(const Arg& x, const std::optional<Arg>& h, const std::optional<Arg>& c = {}) {
  std::vector<const Arg*> all{&x};
  for (const auto* state : {&h, &c})
    if (*state) all.push_back(&**state);
  return all;
}

}  // namespace

RNNCell::RNNCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options, std::source_location at)
    : relu_(options.nonlinearity == "relu") {
  detail::Making{"nn::RNNCell", at}.require(relu_ || options.nonlinearity == "tanh", "the nonlinearity must be \"tanh\" or \"relu\"");
  make_cell(*this, "nn::RNNCell", 1, input_size, hidden_size, options, at, [&](const char* name, Parameter p) { return add(name, p); });
}

Tensor RNNCell::operator()(Arg x, std::optional<Arg> h) {
  const Entered entered(*this, x);
  Recorder r("nn::RNNCell", given(x, h), x.where());
  const CellOperands o(r, x, {h}, weight_ih.shape()[1], weight_hh.shape()[1]);
  const Tensor sum = detail::product(o.x, weight_ih, bias_ih) + detail::product(o.states[0], weight_hh, bias_hh);
  return o.finish(relu_ ? relu(sum) : tanh(sum));
}

Tensor RNNCell::forward(Tensor x) { return (*this)(x, {}); }

LSTMCell::LSTMCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options, std::source_location at) {
  make_cell(*this, "nn::LSTMCell", 4, input_size, hidden_size, options, at, [&](const char* name, Parameter p) { return add(name, p); });
}

LSTMCell::State LSTMCell::operator()(Arg x, std::optional<Arg> h, std::optional<Arg> c) {
  const Entered entered(*this, x);
  Recorder r("nn::LSTMCell", given(x, h, c), x.where());
  const CellOperands o(r, x, {h, c}, weight_ih.shape()[1], weight_hh.shape()[1]);
  const State made =
      detail::lstm_step(detail::product(o.x, weight_ih, bias_ih) + detail::product(o.states[0], weight_hh, bias_hh), o.states[1]);
  return {o.finish(made.h), o.finish(made.c)};
}

Tensor LSTMCell::forward(Tensor x) { return (*this)(x, {}, {}).h; }

GRUCell::GRUCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options, std::source_location at) {
  make_cell(*this, "nn::GRUCell", 3, input_size, hidden_size, options, at, [&](const char* name, Parameter p) { return add(name, p); });
}

Tensor GRUCell::operator()(Arg x, std::optional<Arg> h) {
  const Entered entered(*this, x);
  Recorder r("nn::GRUCell", given(x, h), x.where());
  const CellOperands o(r, x, {h}, weight_ih.shape()[1], weight_hh.shape()[1]);
  return o.finish(
      detail::gru_step(detail::product(o.x, weight_ih, bias_ih), detail::product(o.states[0], weight_hh, bias_hh), o.states[0]));
}

Tensor GRUCell::forward(Tensor x) { return (*this)(x, {}); }

}  // namespace weft::nn
