// Whole training steps in the shapes that people train, with their batches fed from the host. peers/nets_torch.py and peers/nets_jax.py
// have the same nets under the same names.

#include <fmt/format.h>

#include <cmath>

#include "weft/tests/gpu_check/make/measured.h"

namespace weft::gpu_check {
namespace {

/// GPT-2's smallest, without dropout: 12 blocks, 12 heads, 124 million parameters; the table of tokens is the last layer's too.
constexpr int64_t gpt_batch = 8, gpt_tokens = 1024, gpt_width = 768, gpt_heads = 12, gpt_vocabulary = 50257;

struct GptBlock : nn::Module {
  nn::LayerNorm norm1 = add("norm1", nn::LayerNorm({gpt_width})), norm2 = add("norm2", nn::LayerNorm({gpt_width}));
  nn::Linear qkv = add("qkv", nn::Linear(gpt_width, 3 * gpt_width)), out = add("out", nn::Linear(gpt_width, gpt_width));
  nn::Linear up = add("up", nn::Linear(gpt_width, 4 * gpt_width)), down = add("down", nn::Linear(4 * gpt_width, gpt_width));

  Tensor forward(Tensor x) override {
    const Tensor all = qkv(norm1(x));
    constexpr int64_t head = gpt_width / gpt_heads;
    const auto part = [&](int64_t k) {
      return transpose(reshape(slice(all, 2, k * gpt_width, (k + 1) * gpt_width), {gpt_batch, gpt_tokens, gpt_heads, head}), 1, 2);
    };
    const Tensor mixed = scaled_dot_product_attention(part(0), part(1), part(2), {.is_causal = true});
    x = x + out(reshape(transpose(mixed, 1, 2), {gpt_batch, gpt_tokens, gpt_width}));
    return x + down(gelu(up(norm2(x)), "tanh"));
  }
};

struct Gpt2 : nn::Module {
  nn::Embedding token = add("token", nn::Embedding(gpt_vocabulary, gpt_width));
  nn::Embedding position = add("position", nn::Embedding(gpt_tokens, gpt_width));
  nn::ModuleList blocks = add("blocks", nn::ModuleList());
  nn::LayerNorm norm = add("norm", nn::LayerNorm({gpt_width}));

  Gpt2() {
    for (int block = 0; block < 12; ++block) blocks.append(GptBlock());
  }
  Tensor forward(Tensor x) override {
    x = token(x) + position(arange(gpt_tokens));
    for (nn::Module& block : blocks) x = block(x);
    return matmul(reshape(norm(x), {gpt_batch * gpt_tokens, gpt_width}), transpose(token.weight));
  }
};

struct Case {
  std::string name;
  Shape x;
  std::function<nn::AnyModule()> make;
  std::function<optim::Optimizer()> optimizer;
  DType input = f32;
  std::optional<DType> autocast = {};
};

std::vector<Case> cases() {
  using namespace nn;
  const auto sgd = [] { return optim::Optimizer(optim::SGD({.lr = 1e-3})); };
  const auto momentum = [] { return optim::Optimizer(optim::SGD({.lr = 1e-3, .momentum = 0.9})); };
  const auto adam = [] { return optim::Optimizer(optim::Adam({.lr = 1e-3})); };
  std::vector<Case> all;
  all.push_back({"lesson 02, mlp",
                 {64, 1, 28, 28},
                 [] { return AnyModule(Sequential(Flatten(), Linear(784, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10))); },
                 sgd});
  all.push_back({"lesson 03, batch norm",
                 {32, 1, 28, 28},
                 [] {
                   return AnyModule(Sequential(Flatten(), Linear(784, 32), BatchNorm1d(32), ReLU(), Linear(32, 32), BatchNorm1d(32), ReLU(),
                                               Linear(32, 10)));
                 },
                 adam});
  all.push_back({"lesson 04, convolutions",
                 {64, 3, 32, 32},
                 [] {
                   return AnyModule(Sequential(Conv2d(3, 32, 5, {.padding = 2}), ReLU(), Conv2d(32, 16, 3, {.padding = 1}), ReLU(),
                                               Flatten(), Linear(16 * 32 * 32, 10)));
                 },
                 momentum});
  const auto gpt = [] { return AnyModule(Gpt2()); };
  const auto adamw = [] { return optim::Optimizer(optim::AdamW({.lr = 1e-4})); };
  all.push_back({"gpt2 124M, bf16", {gpt_batch, gpt_tokens}, gpt, adamw, i64, bf16});
  return all;
}

void add(Maker& maker, const Case& c) {
  const std::string name = "step/" + c.name;
  if (!maker.wants(name)) return;
  const nn::AnyModule net = c.make();
  const optim::Optimizer optimizer = c.optimizer();
  Graph graph("step");
  const Tensor x = graph.input("x", c.input, c.x);
  const Tensor y = graph.input("y", i64, {c.input == i64 ? c.x.numel() : c.x[0]});
  const Tensor loss = graph.output("loss", cross_entropy((*net)(x), y));
  const Step step = compile(training_step(graph, loss, net->parameters(), optimizer), maker.target(c.autocast));
  const std::string file = maker.file_for(name);
  step.save(maker.path(file, ".weftprog"));
  maker.add(measured_from(maker, name, file, "step", c.autocast ? "bf16" : "f32"));
}

}  // namespace

void add_steps(Maker& maker) {
  for (const Case& c : cases())
    if (!maker.options().small || c.name.starts_with("lesson 03")) add(maker, c);
}

}  // namespace weft::gpu_check
