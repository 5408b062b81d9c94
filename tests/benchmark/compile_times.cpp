// How long `compile` takes, and which of its passes, as a program grows.
//
//   compile_times CASE SIZE sgd|adam [MILLISECONDS]
//
// prints the program's size, the seconds of the processors and of the clock that recording and compiling take, and those of the clock
// for every pass that takes at least MILLISECONDS (100). Every layer has parameters of its own, except in the unrolled cells.

#include <fmt/format.h>
#include <weft/weft.h>

#include <cmath>
#include <ctime>
#include <map>
#include <optional>

#include "weft/support/number_text.h"

using namespace weft;

namespace {

/// What is recorded: modules live as long as the step.
struct Net {
  std::vector<std::shared_ptr<nn::Module>> modules;

  template <class M, class... Args>
  M& make(Args&&... args) {
    auto module = std::make_shared<M>(std::forward<Args>(args)...);
    modules.push_back(module);
    return *module;
  }
};

/// Product, bias and GELU.
Tensor layers(Graph& g, Net& net, int count) {
  Tensor h = g.input("x", f32, {16, 32});
  for (int i = 0; i < count; ++i) h = gelu(net.make<nn::Linear>(32, 32)(h));
  return mean(square(h));
}

/// Residual blocks: x + gelu(linear(norm(x))).
Tensor blocks(Graph& g, Net& net, int count) {
  Tensor h = g.input("x", f32, {16, 32});
  for (int i = 0; i < count; ++i) h = h + gelu(net.make<nn::Linear>(32, 32)(net.make<nn::LayerNorm>(Dims{32})(h)));
  return mean(square(h));
}

/// h = tanh(W x + U h), with the same x at every step.
Tensor rnn(Graph& g, Net& net, int steps) {
  const Tensor x = g.input("x", f32, {16, 32});
  auto &in = net.make<nn::Linear>(32, 32), &again = net.make<nn::Linear>(32, 32);
  Tensor h = zeros({16, 32});
  for (int i = 0; i < steps; ++i) h = tanh(in(x) + again(h));
  return mean(square(h));
}

/// An LSTM; `hoisted`: its input projection is one product for all steps.
Tensor lstm(Graph& g, Net& net, int steps, bool hoisted) {
  const int64_t batch = 8, width = 16;
  const Tensor x = g.input("x", f32, {batch, steps, width});
  auto &in = net.make<nn::Linear>(width, 4 * width), &again = net.make<nn::Linear>(width, 4 * width);
  const Tensor all = hoisted ? in(x) : x;
  Tensor h = zeros({batch, width}), c = zeros({batch, width});
  std::vector<Tensor> states;
  for (int t = 0; t < steps; ++t) {
    const Tensor now = reshape(slice(all, 1, t, t + 1), {batch, hoisted ? 4 * width : width});
    const Tensor gates = (hoisted ? now : in(now)) + again(h);
    const auto gate = [&](int i) { return slice(gates, 1, i * width, (i + 1) * width); };
    c = sigmoid(gate(1)) * c + sigmoid(gate(0)) * tanh(gate(2));
    h = sigmoid(gate(3)) * tanh(c);
    states.push_back(reshape(h, {batch, 1, width}));
  }
  return mean(square(concat(states, 1)));
}

/// Transformer blocks of width 64 with four heads over 32 tokens.
Tensor gpt(Graph& g, Net& net, int blocks) {
  const int64_t batch = 4, tokens = 32, width = 64, heads = 4, vocabulary = 96;
  const Tensor x = g.input("x", i64, {batch, tokens}), y = g.input("y", i64, {batch, tokens});
  const Tensor mask = g.input("mask", f32, {tokens, tokens});
  Tensor h = net.make<nn::Embedding>(vocabulary, width)(x);
  for (int i = 0; i < blocks; ++i) {
    const Tensor qkv = net.make<nn::Linear>(width, 3 * width)(net.make<nn::LayerNorm>(Dims{width})(h));
    const auto part = [&](int k) {
      return transpose(reshape(slice(qkv, 2, k * width, (k + 1) * width), {batch, tokens, heads, width / heads}), 1, 2);
    };
    const Tensor scores = matmul(part(0), transpose(part(1))) * (1 / std::sqrt(static_cast<double>(width / heads))) + mask;
    const Tensor mixed = reshape(transpose(matmul(softmax(scores, -1), part(2)), 1, 2), {batch, tokens, width});
    h = h + net.make<nn::Linear>(width, width)(mixed);
    h = h + net.make<nn::Linear>(4 * width, width)(gelu(net.make<nn::Linear>(width, 4 * width)(net.make<nn::LayerNorm>(Dims{width})(h))));
  }
  const Tensor logits = net.make<nn::Linear>(width, vocabulary)(net.make<nn::LayerNorm>(Dims{width})(h));
  return cross_entropy(reshape(logits, {batch * tokens, vocabulary}), reshape(y, {batch * tokens}));
}

/// ResNet-50's blocks on small images; `size` divides its numbers of channels.
Tensor resnet(Graph& g, Net& net, int size) {
  const Tensor x = g.input("x", f32, {2, 3, 32, 32}), y = g.input("y", i64, {2});
  const auto convolved = [&](Tensor v, int64_t from, int64_t to, int64_t kernel, int64_t stride) {
    return net.make<nn::BatchNorm2d>(to)(
        net.make<nn::Conv2d>(from, to, kernel, nn::ConvOptions{.stride = stride, .padding = kernel / 2, .bias = false})(v));
  };
  int64_t channels = 64 / size;
  Tensor h = relu(convolved(x, 3, channels, 3, 1));
  const int depths[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < depths[stage]; ++i) {
      const int64_t inner = (64 << stage) / size, outer = 4 * inner, stride = i == 0 && stage > 0 ? 2 : 1;
      const Tensor shortcut = i == 0 ? convolved(h, channels, outer, 1, stride) : h;
      h = convolved(relu(convolved(relu(convolved(h, channels, inner, 1, 1)), inner, inner, 3, stride)), inner, outer, 1, 1);
      h = relu(h + shortcut);
      channels = outer;
    }
  return cross_entropy(net.make<nn::Linear>(channels, 10)(mean(h, {2, 3})), y);
}

/// A chain of elementwise ops.
Tensor chain(Graph& g, Net& net, int count) {
  Parameter& w = net.make<nn::Linear>(32, 1).weight;
  Tensor h = g.input("x", f32, {16, 32}) * w;
  for (int i = 0; i < count; ++i) h = i % 2 ? sin(h) : h * 1.5;
  return mean(h);
}

/// Many values in one.
Tensor joined(Graph& g, Net& net, int count) {
  Parameter& w = net.make<nn::Linear>(32, 1).weight;
  const Tensor x = g.input("x", f32, {1, 32}) * w;
  std::vector<Tensor> parts;
  for (int i = 0; i < count; ++i) parts.push_back(x * static_cast<double>(i));
  return mean(square(concat(parts, 0)));
}

Tensor record(const std::string& name, Graph& g, Net& net, int size) {
  if (name == "layers") return layers(g, net, size);
  if (name == "blocks") return blocks(g, net, size);
  if (name == "rnn") return rnn(g, net, size);
  if (name == "lstm") return lstm(g, net, size, false);
  if (name == "hoisted") return lstm(g, net, size, true);
  if (name == "gpt") return gpt(g, net, size);
  if (name == "resnet50") return resnet(g, net, size);
  if (name == "chain") return chain(g, net, size);
  if (name == "concat") return joined(g, net, size);
  throw Error("no case '{}'; there are layers, blocks, rnn, lstm, hoisted, gpt, resnet50, chain, concat", name);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) return fmt::print("compile_times CASE SIZE sgd|adam [MILLISECONDS]\n"), 1;
  const std::string name = argv[1], optimizer = argv[3];
  const std::optional<int> size = number_in<int>(argv[2]);
  const std::optional<double> least = argc > 4 ? number_in<double>(argv[4]) : 100;
  if (!size || *size < 1 || !least) return fmt::print("SIZE and MILLISECONDS are numbers\n"), 1;
  const std::clock_t start = std::clock();
  Graph g(name);
  Net net;
  const Tensor loss = g.output("loss", record(name, g, net, *size));
  std::vector<Parameter> parameters;
  std::map<std::string, int> used;
  for (const auto& m : net.modules)
    for (const Parameter& p : m->parameters())
      if (name != "chain" && name != "concat") parameters.push_back(p);
      else if (p.shape().rank() == 2) parameters.push_back(p);
  optim::SGD sgd({.lr = 0.01});
  optim::Adam adam;
  const Recorded step = optimizer == "adam" ? training_step(g, loss, parameters, adam) : training_step(g, loss, parameters, sgd);
  const std::clock_t recorded = std::clock();
  Step compiled = compile(step, Target::cpu());
  const std::clock_t end = std::clock();
  const auto seconds = [](std::clock_t from, std::clock_t to) { return static_cast<double>(to - from) / CLOCKS_PER_SEC; };
  double passes = 0;
  std::string slow;
  for (const passes::PassRun& p : compiled.passes()) {
    passes += p.milliseconds / 1000;
    if (p.milliseconds >= *least) slow += fmt::format(" {} {:.2f}", p.name, p.milliseconds / 1000);
  }
  fmt::print("{} {} {}: recorded {:.2f} s, compiled {:.2f} s, {:.2f} s of the clock (passes {:.0f} % of it), {} calls;{}\n", name, *size,
             optimizer, seconds(start, recorded), seconds(recorded, end), compiled.compile_milliseconds() / 1000,
             1e5 * passes / compiled.compile_milliseconds(), compiled.calls().size(), slow);
} catch (const Error& error) {
  fmt::print(stderr, "compile_times: {}\n", error.what());
  return 1;
}
