#include "weft/frontend/nn/recurrent.h"

#include <algorithm>
#include <cmath>

#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scan.h"
#include "weft/support/error.h"

namespace weft::nn {
namespace {

using weft::detail::Recorder;

Hyper rate_of(double p, const detail::Making& make) {
  make.require(p >= 0 && p <= 1, fmt::format("dropout must lie in [0, 1], not be {}", p));
  return {fmt::format("{}'s dropout", make.layer), p, {.low = 0, .high = 1}};
}

Tensor product(const Arg& x, const Parameter& weight, const Parameter& bias) {
  return bias.defined() ? linear(x, weight, bias) : linear(x, weight);
}

/// One of `count` equal parts of the last axis.
Tensor part(const Tensor& x, int64_t count, int64_t which) {
  const int64_t size = x.size(-1) / count;
  return slice(x, -1, which * size, (which + 1) * size);
}

/// From the sum of the products with x and h: the next c, then the next h.
LSTMCell::State lstm_state(const Tensor& gates, const Tensor& c) {
  const Tensor next = sigmoid(part(gates, 4, 1)) * c + sigmoid(part(gates, 4, 0)) * tanh(part(gates, 4, 2));
  return {sigmoid(part(gates, 4, 3)) * tanh(next), next};
}

/// From the products with x and with h.
Tensor gru_state(const Tensor& of_x, const Tensor& of_h, const Tensor& h) {
  const Tensor reset = sigmoid(part(of_x, 3, 0) + part(of_h, 3, 0)), update = sigmoid(part(of_x, 3, 1) + part(of_h, 3, 1));
  const Tensor fresh = tanh(part(of_x, 3, 2) + reset * part(of_h, 3, 2));
  return (1.0 - update) * fresh + update * h;
}

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

}  // namespace

/// The operand of a layer as the scans take it, [steps, N, features], and what is given beside it.
struct Recurrent::Sequence {
  Tensor x, h0, c0, present;  // present: [steps, N, 1], where there are lengths
  bool batched = true;
  std::vector<Tensor> h, c;
};

Recurrent::Recurrent(const char* layer, Cell cell, int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : dropout(rate_of(options.dropout, {layer, at})), layer_(layer), cell_(cell), input_size_(input_size), hidden_size_(hidden_size),
      options_(std::move(options)) {
  const detail::Making make{layer, at};
  make.require(input_size > 0 && hidden_size > 0, fmt::format("sizes must be positive, not {} and {}", input_size, hidden_size));
  make.require(options_.num_layers > 0, fmt::format("num_layers must be positive, not {}", options_.num_layers));
  make.require(options_.proj_size == 0 || cell == Cell::lstm, "only nn::LSTM has proj_size");
  make.require(options_.proj_size >= 0 && options_.proj_size < hidden_size,
               fmt::format("proj_size must be smaller than hidden_size and not negative, but is {}", options_.proj_size));
  const int64_t gates = (cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1) * hidden_size;
  const int64_t directions = options_.bidirectional ? 2 : 1, features = options_.proj_size > 0 ? options_.proj_size : hidden_size;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  for (int64_t l = 0; l < options_.num_layers; ++l)
    for (int64_t d = 0; d < directions; ++d) {
      Weights& w = weights_.emplace_back();
      const auto make_one = [&](const char* what, const Dims& shape) {
        const std::string name = fmt::format("{}_l{}{}", what, l, d == 1 ? "_reverse" : "");
        return add(name, make.uniform(name.c_str(), shape, bound, options_.dtype));
      };
      w.weight_ih = make_one("weight_ih", {gates, l == 0 ? input_size : directions * features});
      w.weight_hh = make_one("weight_hh", {gates, features});
      if (options_.bias) w.bias_ih = make_one("bias_ih", {gates}), w.bias_hh = make_one("bias_hh", {gates});
      if (options_.proj_size > 0) w.weight_hr = make_one("weight_hr", {features, hidden_size});
    }
}

Parameter& Recurrent::parameter(const std::string& name) {
  std::vector<std::string> known;
  const int64_t directions = options_.bidirectional ? 2 : 1;
  for (size_t i = 0; i < weights_.size(); ++i) {
    Weights& w = weights_[i];
    const std::string end =
        fmt::format("_l{}{}", static_cast<int64_t>(i) / directions, static_cast<int64_t>(i) % directions == 1 ? "_reverse" : "");
    for (const auto& [what, p] : {std::pair{"weight_ih", &w.weight_ih},
                                  {"weight_hh", &w.weight_hh},
                                  {"bias_ih", &w.bias_ih},
                                  {"bias_hh", &w.bias_hh},
                                  {"weight_hr", &w.weight_hr}}) {
      if (!p->defined()) continue;
      if (what + end == name) return *p;
      known.push_back(what + end);
    }
  }
  throw Error("{} has no parameter '{}'", layer_, name).hint(did_you_mean(name, known));
}

Tensor Recurrent::run(Sequence& sequence, const Tensor& x, const Weights& w, size_t which) {
  const auto state = [&](const Tensor& all) { return all[static_cast<int64_t>(which)]; };
  // The products of all steps' inputs. GRU's new gate takes the bias of h's product apart, so it stays with that.
  const bool adds_both = cell_ != Cell::gru;
  const Tensor of_x =
      !w.bias_ih.defined() ? linear(x, w.weight_ih) : linear(x, w.weight_ih, adds_both ? Arg(w.bias_ih + w.bias_hh) : Arg(w.bias_ih));
  std::vector<Arg> init{state(sequence.h0)}, slices{of_x};
  if (cell_ == Cell::lstm) init.push_back(state(sequence.c0));
  const bool has_lengths = sequence.present.recording != nullptr;
  if (has_lengths) slices.push_back(sequence.present);
  const auto step = [&](const std::vector<Tensor>& states, const std::vector<Tensor>& now) -> ScanStep {
    const Tensor& h = states[0];
    std::vector<Tensor> next;
    if (cell_ == Cell::gru) {
      next = {gru_state(now[0], product(h, w.weight_hh, w.bias_hh), h)};
    } else {
      const Tensor sum = now[0] + linear(h, w.weight_hh);
      if (cell_ == Cell::lstm) {
        const LSTMCell::State made = lstm_state(sum, states[1]);
        next = {w.weight_hr.defined() ? linear(made.h, w.weight_hr) : made.h, made.c};
      } else {
        next = {cell_ == Cell::relu ? relu(sum) : tanh(sum)};
      }
    }
    Tensor output = next[0];
    if (has_lengths) {
      output = select(now[1], output, 0.0);
      for (size_t i = 0; i < next.size(); ++i) next[i] = select(now[1], next[i], states[i]);
    }
    return {{next.begin(), next.end()}, {output}};
  };
  const bool reverse = options_.bidirectional && which % 2 == 1;
  const ScanResult result = scan(init, slices, step, {.reverse = reverse});
  sequence.h.push_back(result.last[0]);
  if (cell_ == Cell::lstm) sequence.c.push_back(result.last[1]);
  return result.all[0];
}

Recurrent::Result Recurrent::operator()(Arg x, RNNState given) {
  const Entered entered(*this, x);
  std::vector<const Arg*> operands{&x};
  for (const auto* arg : {&given.h0, &given.c0, &given.lengths})
    if (*arg) operands.push_back(&**arg);
  Recorder r(layer_, operands, x.where());
  Sequence s;
  s.x = entered.tensor(x);
  s.batched = s.x.dim() == 3;
  if (!s.batched && s.x.dim() != 2) r.fail("the input must have two or three axes: steps, the batch, features");
  if (s.x.size(-1) != input_size_) r.fail(fmt::format("the input must have {} features", input_size_));
  if (!s.batched) s.x = unsqueeze(s.x, 1);
  else if (options_.batch_first) s.x = transpose(s.x, 0, 1);
  const int64_t steps = s.x.size(0), batch = s.x.size(1), count = std::ssize(weights_);
  if (steps == 0) r.fail("the sequence must have at least one step");
  const int64_t features = options_.proj_size > 0 ? options_.proj_size : hidden_size_;
  const auto state = [&](const std::optional<Arg>& arg, const char* name, int64_t size) {
    const Shape full{count, batch, size}, wanted = s.batched ? full : Shape{count, size};
    if (!arg) return zeros(full, s.x.dtype());
    const Tensor t = r.tensor(r.value(*arg));
    if (t.shape() != wanted || t.dtype() != s.x.dtype())
      r.fail(fmt::format("{} must be {}{}", name, weft::name_of(s.x.dtype()), to_string(wanted)));
    return s.batched ? t : unsqueeze(t, 1);
  };
  s.h0 = state(given.h0, "h0", features);
  if (cell_ == Cell::lstm) s.c0 = state(given.c0, "c0", hidden_size_);
  else if (given.c0) r.fail("only nn::LSTM has c0");
  if (given.lengths) {
    const Tensor lengths = r.tensor(r.value(*given.lengths));
    if (!s.batched || lengths.shape() != Shape{batch} || !is_integer(lengths.dtype()))
      r.fail(fmt::format("lengths must be integers, one for each of the {} sequences of a batch", batch));
    s.present = reshape(arange(steps), {steps, 1, 1}) < reshape(lengths, {1, batch, 1});
  }

  Tensor y = s.x;
  const size_t directions = options_.bidirectional ? 2 : 1;
  for (size_t l = 0; l < weights_.size() / directions; ++l) {
    if (l > 0 && training()) y = weft::detail::dropout_at_rate(y, dropout);
    std::vector<Tensor> made;
    for (size_t d = 0; d < directions; ++d) made.push_back(run(s, y, weights_[directions * l + d], directions * l + d));
    y = directions == 1 ? made[0] : concat(made, -1);
  }
  const auto finish = [&](const std::vector<Tensor>& states) { return s.batched ? stack(states) : squeeze(stack(states), 1); };
  Result result{!s.batched ? squeeze(y, 1) : options_.batch_first ? transpose(y, 0, 1) : y, finish(s.h)};
  if (cell_ == Cell::lstm) result.c = finish(s.c);
  return result;
}

Tensor Recurrent::forward(Tensor x) { return (*this)(x, RNNState{}).output; }

namespace {

const RNNOptions& checked(const RNNOptions& options, std::source_location at) {
  detail::Making{"nn::RNN", at}.require(options.nonlinearity == "tanh" || options.nonlinearity == "relu",
                                        fmt::format("the nonlinearity must be \"tanh\" or \"relu\", not \"{}\"", options.nonlinearity));
  return options;
}

/// The four parameters of a cell.
template <class C>
void make_cell(C& cell, const char* layer, int64_t gates, int64_t input_size, int64_t hidden_size, const RNNCellOptions& options,
               std::source_location at, const auto& add) {
  const detail::Making make{layer, at};
  make.require(input_size > 0 && hidden_size > 0, fmt::format("sizes must be positive, not {} and {}", input_size, hidden_size));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto one = [&](const char* name, const Dims& shape) { return add(name, make.uniform(name, shape, bound, options.dtype)); };
  cell.weight_ih = one("weight_ih", {gates * hidden_size, input_size});
  cell.weight_hh = one("weight_hh", {gates * hidden_size, hidden_size});
  if (options.bias) cell.bias_ih = one("bias_ih", {gates * hidden_size}), cell.bias_hh = one("bias_hh", {gates * hidden_size});
}

std::vector<const Arg*> given(const Arg& x, const std::optional<Arg>& h, const std::optional<Arg>& c = {}) {
  std::vector<const Arg*> all{&x};
  for (const auto* state : {&h, &c})
    if (*state) all.push_back(&**state);
  return all;
}

}  // namespace

RNN::RNN(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::RNN", checked(options, at).nonlinearity == "relu" ? Cell::relu : Cell::tanh, input_size, hidden_size, options, at) {}

LSTM::LSTM(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::LSTM", Cell::lstm, input_size, hidden_size, std::move(options), at) {}

GRU::GRU(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::GRU", Cell::gru, input_size, hidden_size, std::move(options), at) {}

RNNCell::RNNCell(int64_t input_size, int64_t hidden_size, RNNCellOptions options, std::source_location at)
    : relu_(options.nonlinearity == "relu") {
  detail::Making{"nn::RNNCell", at}.require(relu_ || options.nonlinearity == "tanh", "the nonlinearity must be \"tanh\" or \"relu\"");
  make_cell(*this, "nn::RNNCell", 1, input_size, hidden_size, options, at, [&](const char* name, Parameter p) { return add(name, p); });
}

Tensor RNNCell::operator()(Arg x, std::optional<Arg> h) {
  const Entered entered(*this, x);
  Recorder r("nn::RNNCell", given(x, h), x.where());
  const CellOperands o(r, x, {h}, weight_ih.shape()[1], weight_hh.shape()[1]);
  const Tensor sum = product(o.x, weight_ih, bias_ih) + product(o.states[0], weight_hh, bias_hh);
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
  const State made = lstm_state(product(o.x, weight_ih, bias_ih) + product(o.states[0], weight_hh, bias_hh), o.states[1]);
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
  return o.finish(gru_state(product(o.x, weight_ih, bias_ih), product(o.states[0], weight_hh, bias_hh), o.states[0]));
}

Tensor GRUCell::forward(Tensor x) { return (*this)(x, {}); }

}  // namespace weft::nn
