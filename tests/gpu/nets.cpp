#include "weft/tests/gpu/nets.h"

#include <cmath>

#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft::test {
namespace {

using Fed = NetTraining::Fed;

Tensor classified(nn::Module& net, std::span<const Tensor> inputs) { return cross_entropy(net(inputs[0]), inputs[1]); }

std::vector<Fed> pictures(Dims shape, double classes) {
  const int64_t batch = shape[0];
  return {{"x", f32, std::move(shape), -1, 1}, {"y", i64, {batch}, 0, classes}};
}

struct Line : nn::Module {
  nn::Linear line = add("line", nn::Linear(1, 1));
  Tensor forward(Tensor x) override { return line(x); }
};

/// conv - norm - relu - conv - norm, and what it adds to.
struct ResidualBlock : nn::Module {
  ResidualBlock(int64_t from, int64_t to, int64_t stride)
      : conv1(add("conv1", nn::Conv2d(from, to, 3, {.stride = stride, .padding = 1, .bias = false}))),
        norm1(add("norm1", nn::BatchNorm2d(to))), conv2(add("conv2", nn::Conv2d(to, to, 3, {.padding = 1, .bias = false}))),
        norm2(add("norm2", nn::BatchNorm2d(to))) {
    if (stride != 1 || from != to) {
      shortcut.emplace(add("shortcut", nn::Conv2d(from, to, 1, {.stride = stride, .bias = false})));
      shortcut_norm.emplace(add("shortcut_norm", nn::BatchNorm2d(to)));
    }
  }
  Tensor forward(Tensor x) override {
    const Tensor inside = norm2(conv2(relu(norm1(conv1(x)))));
    return relu(inside + (shortcut ? (*shortcut_norm)((*shortcut)(x)) : x));
  }
  nn::Conv2d conv1;
  nn::BatchNorm2d norm1;
  nn::Conv2d conv2;
  nn::BatchNorm2d norm2;
  std::optional<nn::Conv2d> shortcut;
  std::optional<nn::BatchNorm2d> shortcut_norm;
};

/// ResNet-18's four groups of two blocks, of few channels.
struct ResNet18 : nn::Module {
  static constexpr int64_t channels = 4;
  ResNet18() {
    int64_t from = channels;
    for (int64_t block = 0; block < 8; ++block) {
      const int64_t to = channels << (block / 2);
      blocks.append(ResidualBlock(from, to, block > 0 && block % 2 == 0 ? 2 : 1));
      from = to;
    }
  }
  Tensor forward(Tensor x) override {
    x = relu(norm(conv(x)));
    for (nn::Module& block : blocks) x = block(x);
    return fc(flatten(adaptive_avg_pool2d(x, 1)));
  }
  nn::Conv2d conv = add("conv", nn::Conv2d(3, channels, 3, {.padding = 1, .bias = false}));
  nn::BatchNorm2d norm = add("norm", nn::BatchNorm2d(channels));
  nn::ModuleList blocks = add("blocks", nn::ModuleList());
  nn::Linear fc = add("fc", nn::Linear(8 * channels, 4));
};

struct TransformerBlock : nn::Module {
  TransformerBlock(int64_t width, int64_t heads, bool written_out)
      : heads(heads), written_out(written_out), norm1(add("norm1", nn::LayerNorm({width}))), qkv(add("qkv", nn::Linear(width, 3 * width))),
        out(add("out", nn::Linear(width, width))), norm2(add("norm2", nn::LayerNorm({width}))), up(add("up", nn::Linear(width, 4 * width))),
        down(add("down", nn::Linear(4 * width, width))) {}
  Tensor forward(Tensor x) override {
    const int64_t batch = x.shape()[0], tokens = x.shape()[1], width = x.shape()[2];
    const Tensor all = qkv(norm1(x));
    const auto part = [&](int64_t k) {
      return transpose(reshape(slice(all, 2, k * width, (k + 1) * width), {batch, tokens, heads, width / heads}), 1, 2);
    };
    const Tensor attended =
        written_out ? attention(part(0), part(1), part(2)) : scaled_dot_product_attention(part(0), part(1), part(2), {.is_causal = true});
    x = x + out(reshape(transpose(attended, 1, 2), {batch, tokens, width}));
    return x + down(gelu(up(norm2(x))));
  }
  /// With dropout of the weights.
  Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v) {
    const int64_t tokens = q.shape()[2];
    const Tensor scores = matmul(q, transpose(k)) * (1 / std::sqrt(static_cast<double>(q.shape()[3])));
    const Tensor row = reshape(arange(tokens), {tokens, 1}), column = reshape(arange(tokens), {1, tokens});
    const Tensor causal = select(column <= row, scores, -1e9);
    return matmul(dropout(softmax(causal, -1), 0.1, training()), v);
  }
  int64_t heads;
  bool written_out;
  nn::LayerNorm norm1;
  nn::Linear qkv, out;
  nn::LayerNorm norm2;
  nn::Linear up, down;
};

struct Gpt : nn::Module {
  static constexpr int64_t vocabulary = 17, width = 16, tokens = 8;
  nn::Embedding token = add("token", nn::Embedding(vocabulary, width)), position = add("position", nn::Embedding(tokens, width));
  TransformerBlock one = add("one", TransformerBlock(width, 2, true)), two = add("two", TransformerBlock(width, 2, false));
  nn::LayerNorm norm = add("norm", nn::LayerNorm({width}));
  nn::Linear head = add("head", nn::Linear(width, vocabulary, {.bias = false}));
  Tensor forward(Tensor x) override { return head(norm(two(one(token(x) + position(arange(tokens)))))); }
};

/// The last outputs of an LSTM that goes both ways.
struct Lstm : nn::Module {
  nn::LSTM lstm = add("lstm", nn::LSTM(6, 5, {.batch_first = true, .bidirectional = true}));
  nn::Linear fc = add("fc", nn::Linear(10, 4));
  Tensor forward(Tensor x) override { return fc(tanh(sum(lstm(x).output, 1))); }
};

/// Two layers whose slices lie as a GPU wants them.
template <class Layers>
struct Recurrent : nn::Module {
  Layers layers = add("layers", Layers(6, 16, {.num_layers = 2, .batch_first = true}));
  nn::Linear fc = add("fc", nn::Linear(16, 4));
  Tensor forward(Tensor x) override { return fc(mean(layers(x).output, 1)); }
};

std::vector<NetTraining::Net> all_nets() {
  using namespace nn;
  std::vector<NetTraining::Net> all;
  all.push_back({"temperature",
                 {{"x", f32, {11, 1}, -1, 1}, {"y", f32, {11, 1}, -1, 1}},
                 [](Module& net, std::span<const Tensor> in) { return mse_loss(net(in[0]), in[1]); },
                 [] { return AnyModule(Line()); },
                 false});
  all.push_back({"fashion", pictures({8, 1, 8, 8}, 10), classified,
                 [] { return AnyModule(Sequential(Flatten(), Linear(64, 32), ReLU(), Linear(32, 32), ReLU(), Linear(32, 10))); }, false});
  all.push_back({"fashion, Adam", pictures({8, 1, 8, 8}, 10), classified,
                 [] { return AnyModule(Sequential(Flatten(), Linear(64, 32), ReLU(), Linear(32, 32), ReLU(), Linear(32, 10))); }});
  // A bias before the norm has no gradient but rounding, of which Adam makes whole steps.
  all.push_back({"mnist, norm", pictures({8, 1, 6, 6}, 10), classified, [] {
                   return AnyModule(Sequential(Flatten(), Linear(36, 16, {.bias = false}), BatchNorm1d(16), ReLU(), Linear(16, 10)));
                 }});
  all.push_back({"mnist, dropout", pictures({8, 1, 6, 6}, 10), classified,
                 [] { return AnyModule(Sequential(Flatten(), Linear(36, 16), Dropout(0.2), ReLU(), Linear(16, 10))); }});
  all.push_back({"cifar, conv", pictures({4, 3, 6, 6}, 10), classified,
                 [] {
                   return AnyModule(Sequential(Conv2d(3, 8, 5, {.padding = 2}), ReLU(), Conv2d(8, 4, 3, {.padding = 1}), ReLU(), Flatten(),
                                               Linear(4 * 6 * 6, 10)));
                 },
                 false});
  all.push_back({"cifar, challenge", pictures({4, 3, 8, 8}, 10), classified, [] {
                   return AnyModule(Sequential(Conv2d(3, 8, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Conv2d(8, 8, 3, {.padding = 1}),
                                               ReLU(), MaxPool2d(2), Dropout2d(0.2), Flatten(), Linear(32, 16), ReLU(), Dropout(0.5),
                                               Linear(16, 10)));
                 }});
  all.push_back({"resnet18", pictures({4, 3, 16, 16}, 4), classified, [] { return AnyModule(ResNet18()); }, false,
                 // A larger one makes a chaos of it, in which every rounding shows after ten steps.
                 3e-4});
  all.push_back({"gpt",
                 {{"x", i64, {2, Gpt::tokens}, 0, Gpt::vocabulary}, {"y", i64, {2, Gpt::tokens}, 0, Gpt::vocabulary}},
                 [](Module& net, std::span<const Tensor> in) {
                   return cross_entropy(reshape(net(in[0]), {2 * Gpt::tokens, Gpt::vocabulary}), reshape(in[1], {2 * Gpt::tokens}));
                 },
                 [] { return AnyModule(Gpt()); }});
  all.push_back({"lstm", pictures({3, 4, 6}, 4), classified, [] { return AnyModule(Lstm()); }});
  all.push_back({"lstm, in loops", pictures({4, 5, 6}, 4), classified, [] { return AnyModule(Recurrent<LSTM>()); }});
  all.push_back({"gru, in loops", pictures({4, 5, 6}, 4), classified, [] { return AnyModule(Recurrent<GRU>()); }});
  return all;
}

}  // namespace

Array drawn(const Fed& fed, int n, uint32_t input) {
  Array array(fed.dtype, Shape(fed.shape));
  for (int64_t e = 0; e < array.shape().numel(); ++e) {
    const double u = uniform_from_bits(random_bits(5, input, static_cast<uint64_t>(n), static_cast<uint64_t>(e)));
    const double x = fed.low + (fed.high - fed.low) * u;
    array.set(e, is_floating(fed.dtype) ? x : std::floor(x));
  }
  return array;
}

const std::vector<NetTraining::Net>& nets() {
  static const std::vector<NetTraining::Net> all = all_nets();
  return all;
}

const NetTraining::Net& net_named(const std::string& name) {
  for (const NetTraining::Net& net : nets())
    if (net.name == name) return net;
  throw InternalError("there is no net " + name);
}

NetTraining::NetTraining(const Net& net, const Target& target) : net_(net) {
  manual_seed(7);
  module_ = net_.make();
  if (net_.adam) optimizer_.emplace(optim::AdamW({.lr = 1e-2}));
  else optimizer_.emplace(optim::SGD({.lr = net_.lr, .momentum = 0.5}));
  for (const bool trains : {true, false}) {
    Graph graph(trains ? "train" : "evaluate");
    std::vector<Tensor> inputs;
    for (const Fed& fed : net_.inputs) inputs.push_back(graph.input(fed.name, fed.dtype, Shape(fed.shape)));
    if (!trains) (*module_)->eval();
    const Tensor loss = graph.output("loss", net_.loss(**module_, inputs));
    if (trains) train_.emplace(compile(weft::training_step(graph, loss, (*module_)->parameters(), *optimizer_), target));
    else evaluate_.emplace(compile(graph, target));
    (*module_)->train();
  }
}

Results NetTraining::run(Step& step, int n) {
  std::vector<Array> arrays;
  for (const Fed& fed : net_.inputs) arrays.push_back(drawn(fed, n, static_cast<uint32_t>(arrays.size())));
  std::vector<Feed> feeds;
  for (size_t i = 0; i < arrays.size(); ++i) feeds.emplace_back(net_.inputs[i].name, arrays[i]);
  return step.run(feeds);
}

double NetTraining::train(int n) { return run(*train_, n)["loss"].item(); }
void NetTraining::start_training(int n) { run(*train_, n); }
double NetTraining::evaluate(int n) { return run(*evaluate_, 1000 + n)["loss"].item(); }

std::vector<float> NetTraining::weights() const {
  std::vector<float> all;
  for (const auto& [name, parameter] : (*module_)->state_dict())
    for (int64_t i = 0; i < parameter.shape().numel(); ++i) all.push_back(static_cast<float>(parameter.array().at(i)));
  return all;
}

}  // namespace weft::test
