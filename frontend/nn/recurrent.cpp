#include "weft/frontend/nn/recurrent.h"

#include <algorithm>
#include <cmath>

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scan.h"
#include "weft/frontend/nn/recurrent_cells.h"
#include "weft/frontend/nn/sizes.h"
#include "weft/support/error.h"

namespace weft::nn {

using weft::detail::Recorder;

/// The operand of a layer as the scans take it, [steps, N, features], and what is given beside it.
struct Recurrent::Sequence {
  Tensor x, h0, c0, present;  // present: [steps, N, 1], where there are lengths
  bool batched = true;
  std::vector<Tensor> h, c;
};

Recurrent::Recurrent(const char* layer, Cell cell, int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : dropout(detail::Making{layer, at}.dropout_rate(options.dropout)), layer_(layer), cell_(cell), input_size_(input_size),
      hidden_size_(hidden_size), options_(std::move(options)) {
  const detail::Making make{layer, at};
  make.require(input_size > 0 && hidden_size > 0, fmt::format("sizes must be positive, not {} and {}", input_size, hidden_size));
  make.require(options_.num_layers > 0, fmt::format("num_layers must be positive, not {}", options_.num_layers));
  make.require(options_.proj_size == 0 || cell == Cell::lstm, "only nn::LSTM has proj_size");
  make.require(options_.nonlinearity == "tanh" || cell == Cell::relu || cell == Cell::tanh, "only nn::RNN has a nonlinearity");
  make.require(options_.proj_size >= 0 && options_.proj_size < hidden_size,
               fmt::format("proj_size must be smaller than hidden_size and not negative, but is {}", options_.proj_size));
  detail::require_layers(make, options_.num_layers);
  const int64_t gates = detail::times(make, cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1, hidden_size, "hidden_size");
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
      next = {detail::gru_step(now[0], detail::product(h, w.weight_hh, w.bias_hh), h)};
    } else {
      const Tensor sum = now[0] + linear(h, w.weight_hh);
      if (cell_ == Cell::lstm) {
        const LSTMCell::State made = detail::lstm_step(sum, states[1]);
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
    const Tensor checked = weft::call("checked_index", {cast(lengths, i64)}, {{"below", steps + 1}, {"what", "lengths"}});
    s.present = reshape(arange(steps), {steps, 1, 1}) < reshape(checked, {1, batch, 1});
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

}  // namespace

RNN::RNN(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::RNN", checked(options, at).nonlinearity == "relu" ? Cell::relu : Cell::tanh, input_size, hidden_size, options, at) {}

LSTM::LSTM(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::LSTM", Cell::lstm, input_size, hidden_size, std::move(options), at) {}

GRU::GRU(int64_t input_size, int64_t hidden_size, RNNOptions options, std::source_location at)
    : Recurrent("nn::GRU", Cell::gru, input_size, hidden_size, std::move(options), at) {}

}  // namespace weft::nn
