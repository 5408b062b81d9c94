#include "nets.h"

#include <map>
#include <sstream>

namespace benchmark {

using namespace weft;

namespace {

Net line(const Json&) {
  Parameter w("w", 1.0), b("b", 0.0);
  return {[=](const Tensor& t) { return w * t + b; }, {{"w", w}, {"b", b}}, {}};
}

using Sizes = std::vector<int64_t>;

const std::map<std::string, nn::AnyModule (*)(const Sizes&)> kinds = {
    {"linear", [](const Sizes& n) { return nn::AnyModule(nn::Linear(n.at(0), n.at(1))); }},
    {"conv", [](const Sizes& n) { return nn::AnyModule(nn::Conv2d(n.at(0), n.at(1), n.at(2), {.padding = n.at(3)})); }},
    {"batch_norm", [](const Sizes& n) { return nn::AnyModule(nn::BatchNorm1d(n.at(0))); }},
    {"max_pool", [](const Sizes& n) { return nn::AnyModule(nn::MaxPool2d(n.at(0))); }},
    {"relu", [](const Sizes&) { return nn::AnyModule(nn::ReLU()); }},
    {"flatten", [](const Sizes&) { return nn::AnyModule(nn::Flatten()); }}};

/// nn::Sequential of as many layers as the case lists.
struct Layers : nn::ModuleList {
  explicit Layers(const Json& layers) {
    for (const Json& layer : layers) {
      std::istringstream words(layer.get<std::string>());
      std::string kind;
      words >> kind;
      Sizes sizes;
      for (int64_t size; words >> size;) sizes.push_back(size);
      append(kinds.at(kind)(sizes));
    }
  }
  Tensor forward(Tensor x) override {
    for (nn::Module& layer : *this) x = layer(x);
    return x;
  }
};

/// A convolution padded by half its kernel, and its batch norm.
struct ConvNorm {
  Tensor operator()(const Tensor& x) { return norm(conv(x)); }
  nn::Conv2d conv;
  nn::BatchNorm2d norm;
};

struct ConvNet : nn::Module {
  ConvNorm conv_norm(const std::string& name, int64_t inputs, int64_t outputs, int64_t kernel, int64_t stride) {
    return {add(name, nn::Conv2d(inputs, outputs, kernel, {.stride = stride, .padding = kernel / 2, .bias = false})),
            add(name + "_norm", nn::BatchNorm2d(outputs))};
  }
};

/// Two 3x3 convolutions around which the input is added; as a bottleneck a 1x1 one, a 3x3 one and a 1x1 one to four times as many channels.
struct ResNetBlock : ConvNet {
  ResNetBlock(int64_t inputs, int64_t channels, int64_t stride, bool bottleneck) : outputs(bottleneck ? 4 * channels : channels) {
    const auto conv = [&](int64_t from, int64_t to, int64_t kernel, int64_t step) {
      convs.push_back(conv_norm("conv" + std::to_string(convs.size() + 1), from, to, kernel, step));
    };
    if (bottleneck) conv(inputs, channels, 1, 1);
    conv(bottleneck ? channels : inputs, channels, 3, stride);
    conv(channels, outputs, bottleneck ? 1 : 3, 1);
    if (stride > 1 || inputs != outputs) around.emplace(conv_norm("around", inputs, outputs, 1, stride));
  }
  Tensor forward(Tensor x) override {
    Tensor y = x;
    for (size_t i = 0; i + 1 < convs.size(); ++i) y = relu(convs[i](y));
    y = convs.back()(y);
    return relu(y + (around ? (*around)(x) : x));
  }
  int64_t outputs;
  std::vector<ConvNorm> convs;
  std::optional<ConvNorm> around;
};

struct ResNet : ConvNet {
  explicit ResNet(const Json& sizes)
      : stem(
            conv_norm("stem", sizes.at("input")[0], sizes.at("channels")[0], sizes.at("stem").at("kernel"), sizes.at("stem").at("stride"))),
        blocks(add("blocks", nn::ModuleList())) {
    if (sizes.contains("pool")) {
      const int64_t kernel = sizes["pool"].at("kernel");
      pool.emplace(kernel, MaxPoolOptions{.stride = sizes["pool"].at("stride").get<int64_t>(), .padding = kernel / 2});
    }
    int64_t inputs = sizes.at("channels")[0];
    for (size_t i = 0; i < sizes.at("channels").size(); ++i)
      for (int64_t b = 0; b < sizes.at("blocks")[i]; ++b) {
        ResNetBlock block(inputs, sizes.at("channels")[i], i > 0 && b == 0 ? 2 : 1, sizes.value("bottleneck", false));
        inputs = block.outputs;
        blocks.append(block);
      }
    head.emplace(add("head", nn::Linear(inputs, sizes.at("classes"))));
  }
  Tensor forward(Tensor x) override {
    x = relu(stem(x));
    if (pool) x = (*pool)(x);
    for (nn::Module& block : blocks) x = block(x);
    return (*head)(mean(x, {2, 3}));
  }
  ConvNorm stem;
  std::optional<nn::MaxPool2d> pool;
  nn::ModuleList blocks;
  std::optional<nn::Linear> head;
};

struct GptBlock : nn::Module {
  GptBlock(int64_t width, int64_t heads)
      : heads(heads), norm1(add("norm1", nn::LayerNorm({width}))), qkv(add("qkv", nn::Linear(width, 3 * width))),
        out(add("out", nn::Linear(width, width))), norm2(add("norm2", nn::LayerNorm({width}))), up(add("up", nn::Linear(width, 4 * width))),
        down(add("down", nn::Linear(4 * width, width))) {}
  Tensor forward(Tensor x) override {
    x = x + out(attention(qkv(norm1(x))));
    return x + down(gelu(up(norm2(x)), "tanh"));
  }
  Tensor attention(const Tensor& all) const {
    const int64_t batch = all.shape()[0], tokens = all.shape()[1], width = all.shape()[2] / 3, head = width / heads;
    const auto part = [&](int64_t k) {
      return transpose(reshape(slice(all, 2, k * width, (k + 1) * width), {batch, tokens, heads, head}), 1, 2);
    };
    const Tensor mixed = scaled_dot_product_attention(part(0), part(1), part(2), {.is_causal = true});
    return reshape(transpose(mixed, 1, 2), {batch, tokens, width});
  }
  int64_t heads;
  nn::LayerNorm norm1;
  nn::Linear qkv, out;
  nn::LayerNorm norm2;
  nn::Linear up, down;
};

struct Gpt : nn::Module {
  explicit Gpt(const Json& sizes)
      : width(sizes.at("width")), vocabulary(sizes.at("vocabulary")), token(add("token", nn::Embedding(vocabulary, width))),
        position(add("position", nn::Embedding(sizes.at("tokens"), width))), blocks(add("blocks", nn::ModuleList())),
        norm(add("norm", nn::LayerNorm({width}))), head(add("head", nn::Linear(width, vocabulary, {.bias = false}))) {
    for (int64_t i = 0; i < sizes.at("layers"); ++i) blocks.append(GptBlock(width, sizes.at("heads")));
  }
  Tensor forward(Tensor x) override {
    x = token(x) + position.weight;
    for (nn::Module& block : blocks) x = block(x);
    return head(reshape(norm(x), {-1, width}));
  }
  int64_t width, vocabulary;
  nn::Embedding token, position;
  nn::ModuleList blocks;
  nn::LayerNorm norm;
  nn::Linear head;
};

/// nn::LSTM or nn::GRU, which has its name.
template <class Layers>
struct Recurrent : nn::Module {
  explicit Recurrent(const Json& sizes)
      : width(sizes.at("width")), token(add("token", nn::Embedding(sizes.at("vocabulary"), width))),
        layers(add(sizes.at("net").get<std::string>(), Layers(width, width, {.num_layers = sizes.at("layers"), .batch_first = true}))),
        head(add("head", nn::Linear(width, sizes.at("vocabulary")))) {}
  Tensor forward(Tensor x) override { return flatten(head(layers(token(x)).output), 0, 1); }
  int64_t width;
  nn::Embedding token;
  Layers layers;
  nn::Linear head;
};

Net of(const std::shared_ptr<nn::Module>& module) {
  return {[module](const Tensor& x) { return module->forward(x); }, module->named_parameters(), module->named_buffers()};
}

const std::map<std::string, Net (*)(const Json&)> all_nets = {
    {"line", line},
    {"layers", [](const Json& a_case) { return of(std::make_shared<Layers>(a_case.at("layers"))); }},
    {"resnet", [](const Json& a_case) { return of(std::make_shared<ResNet>(a_case)); }},
    {"gpt", [](const Json& a_case) { return of(std::make_shared<Gpt>(a_case)); }},
    {"lstm", [](const Json& a_case) { return of(std::make_shared<Recurrent<nn::LSTM>>(a_case)); }},
    {"gru", [](const Json& a_case) { return of(std::make_shared<Recurrent<nn::GRU>>(a_case)); }}};

const std::map<std::string, Tensor (*)(const Tensor&, const Tensor&)> losses = {
    {"mse", [](const Tensor& out, const Tensor& y) { return mse_loss(out, y); }},
    {"smooth_l1", [](const Tensor& out, const Tensor& y) { return smooth_l1_loss(out, y); }},
    {"cross_entropy", [](const Tensor& out, const Tensor& y) { return cross_entropy(out, y); }}};

const std::map<std::string, optim::Optimizer (*)(double)> optimizers = {
    {"sgd", [](double lr) -> optim::Optimizer { return optim::SGD({.lr = lr}); }},
    {"adam", [](double lr) -> optim::Optimizer { return optim::Adam({.lr = lr}); }},
    {"adamw", [](double lr) -> optim::Optimizer { return optim::AdamW({.lr = lr}); }}};

}  // namespace

Net net_of(const Json& a_case) { return all_nets.at(a_case.at("net"))(a_case); }

optim::Optimizer optimizer_of(const Json& a_case) {
  optim::Optimizer optimizer = optimizers.at(a_case.at("optimizer"))(a_case.at("lr"));
  if (a_case.contains("clip")) optimizer.clip_norm = a_case.at("clip").get<double>();
  return optimizer;
}

Step step_of(const Json& a_case, const Net& net, const optim::Optimizer& optimizer, const Type& x_type, const Type& y_type,
             cpu::Options options) {
  std::vector<Parameter> parameters;
  for (const auto& [name, parameter] : net.parameters) parameters.push_back(parameter);
  Graph graph(a_case.at("name"));
  Tensor x = graph.input("x", x_type.dtype, x_type.shape), y = graph.input("y", y_type.dtype, y_type.shape);
  Tensor loss = graph.output("loss", losses.at(a_case.at("loss"))(net.forward(x), y));
  if (a_case.contains("autocast")) options.autocast = dtype_from_name(a_case.at("autocast").get<std::string>()).value();
  return compile(training_step(graph, loss, parameters, optimizer), Target::cpu(options));
}

}  // namespace benchmark
