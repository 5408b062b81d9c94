// Layers of transformers in use: a language model's losses over 100 steps against PyTorch's (tests/expected/transformer.py), a net that
// writes with a cache of keys and values, and what is refused.

#include "weft/tests/catch.h"
#include "weft/tests/close.h"
#include "weft/tests/frontend/draws.h"
#include "weft/tests/frontend/stored_numbers.h"
#include "weft/tests/frontend/stored_optimizer.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::draw;
using testing::json;

namespace {

constexpr int64_t tokens = 12, width = 16, vocabulary = 20, batch = 8;

struct LanguageModel : nn::Module {
  explicit LanguageModel(DType dtype)
      : token(add("token", nn::Embedding(vocabulary, width, {.dtype = dtype}))),
        position(add("position", nn::Embedding(tokens, width, {.dtype = dtype}))),
        encoder(add("encoder", nn::TransformerEncoder(layer(dtype), 2, nn::LayerNorm({width}, {.dtype = dtype})))),
        head(add("head", nn::Linear(width, vocabulary, {.dtype = dtype}))) {}
  static nn::TransformerEncoderLayer layer(DType dtype) {
    return {width, 4, {.dim_feedforward = 32, .dropout = 0, .activation = "gelu", .batch_first = true, .norm_first = true, .dtype = dtype}};
  }
  Tensor forward(Tensor x) override { return head(encoder(token(x) + position.weight, {.is_causal = true})); }

  nn::Embedding token, position;
  nn::TransformerEncoder encoder;
  nn::Linear head;
};

void start(const nn::Module& net) {
  int64_t number = 0;
  for (auto [name, p] : net.named_parameters()) {
    const bool is_scale = name.find("norm") != std::string::npos && name.ends_with("weight");
    if (p.shape().rank() == 2) ++number;
    const double bound = p.shape().rank() == 2 ? 1 / std::sqrt(static_cast<double>(p.shape()[1])) : 0;
    for (int64_t i = 0; i < p.shape().numel(); ++i)
      p.array().set(i, bound > 0 ? static_cast<float>((2 * draw(number, i) - 1) * bound) : is_scale ? 1 : 0);
  }
}

std::vector<double> train(const json& file, DType dtype, const Target& target) {
  LanguageModel net(dtype);
  start(net);
  Graph graph("language");
  Tensor x = graph.input("x", i64, {batch, tokens}), y = graph.input("y", i64, {batch, tokens});
  Tensor loss = graph.output("loss", cross_entropy(reshape(net(x), {batch * tokens, vocabulary}), reshape(y, {batch * tokens})));
  Step step = compile(training_step(graph, loss, net.parameters(), testing::optimizer_of(file)), target);
  std::vector<double> losses;
  for (int64_t s = 0; s < file["steps"].get<int64_t>(); ++s) {
    std::vector<int64_t> before, after;
    for (int64_t i = 0; i < batch; ++i) {
      const auto first = static_cast<int64_t>(20 * draw(1000 + s, i)), stride = 1 + static_cast<int64_t>(3 * draw(2000 + s, i));
      for (int64_t t = 0; t < tokens; ++t)
        before.push_back((first + stride * t) % vocabulary), after.push_back((first + stride * (t + 1)) % vocabulary);
    }
    losses.push_back(step({{"x", before}, {"y", after}})["loss"].item());
  }
  return losses;
}

/// Self-attention, of all tokens at once or behind what a cache holds.
struct Attends : nn::Module {
  nn::Linear qkv = add("qkv", nn::Linear(8, 24));
  Tensor part(const Tensor& x, int64_t i) {
    return transpose(reshape(slice(qkv(x), 2, 8 * i, 8 * (i + 1)), {1, x.shape()[1], 2, 4}), 1, 2);
  }
  Tensor forward(Tensor x) override { return scaled_dot_product_attention(part(x, 0), part(x, 1), part(x, 2), {.is_causal = true}); }
  Tensor operator()(Arg x, nn::KeyValueCache& cache, Arg position) {
    const Entered entered(*this, x);
    const Tensor all = entered.tensor(x);
    const auto [keys, values, seen] = cache(part(all, 1), part(all, 2), position);
    return scaled_dot_product_attention(part(all, 0), keys, values, {.attn_mask = seen});
  }
  using Module::operator();
};

}  // namespace

TEST_CASE("transformer: a language model's losses are PyTorch's over 100 steps") {
  const json file = testing::read_expected("transformer");
  testing::check_losses(train(file, f64, Target::reference()), file["losses"], 100, 1e-9, 1e-9);
  testing::check_losses(train(file, f32, Target::cpu()), file["losses"], 20, 1e-5, 1e-3);
}

TEST_CASE("transformer: with a cache of keys and values, tokens come as they do without") {
  for (const Target& target : {Target::reference(), Target::cpu()}) {
    manual_seed(3);
    Attends net;
    nn::KeyValueCache cache(1, 2, 9, 4);
    std::vector<float> x(7 * 8);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(2 * draw(5, static_cast<int64_t>(i)) - 1);
    Graph whole("whole");
    whole.output("y", net(whole.input("x", f32, {1, 7, 8})));
    const std::vector<float> want = compile(whole, target)({{"x", x}})["y"].values<float>();
    const auto program = [&](int64_t length) {
      Graph g("part");
      const Tensor position = g.input("position", i64, {});
      g.output("y", net(g.input("x", f32, {1, length, 8}), cache, position));
      return compile(g, target);
    };
    Step prompt = program(3), one = program(1);
    for (int64_t known = 0; known < 7; known += known == 0 ? 3 : 1) {
      const int64_t length = known == 0 ? 3 : 1;
      const std::vector<float> part(x.begin() + known * 8, x.begin() + (known + length) * 8);
      const std::vector<float> y = (known == 0 ? prompt : one)({{"x", part}, {"position", {&known, 1}}})["y"].values<float>();
      for (int64_t head = 0; head < 2; ++head)
        for (int64_t i = 0; i < length; ++i)
          for (int64_t e = 0; e < 4; ++e)
            CHECK(y[static_cast<size_t>((head * length + i) * 4 + e)] ==
                  Approx(want[static_cast<size_t>((head * 7 + known + i) * 4 + e)]).epsilon(1e-5).margin(1e-6));
    }
  }
}

TEST_CASE("transformer: weights are what the result is made of, and dropout changes both from step to step") {
  nn::MultiheadAttention plain(4, 2, {.batch_first = true});
  Graph g("weights");
  const Tensor x = g.input("x", f32, {1, 3, 4});
  const auto [y, weights] = plain.with_weights(x, x, x, {.is_causal = true});
  g.output("weights", weights);
  g.output("each", plain.with_weights(x, x, x, {.is_causal = true}, false).second);
  const std::vector<float> input{1, 2, 3, 4, 0, -1, 2, 1, 3, 1, -2, 1};
  Step step = compile(g, Target::cpu());
  const std::vector<float> w = step({{"x", input}})["weights"].values<float>();
  for (size_t row = 0; row < 3; ++row) {
    CHECK(w[row * 3] + w[row * 3 + 1] + w[row * 3 + 2] == Approx(1));
    for (size_t key = row + 1; key < 3; ++key) CHECK(w[row * 3 + key] == 0);
  }
  CHECK(step({{"x", input}})["each"].shape() == Shape{1, 2, 3, 3});

  nn::MultiheadAttention drops(4, 2, {.dropout = 0.5, .batch_first = true});
  Graph d("drops");
  d.output("y", drops(d.input("x", f32, {1, 3, 4})));
  Step dropping = compile(d, Target::cpu());
  const std::vector<float> first = dropping({{"x", input}})["y"].values<float>(), second = dropping({{"x", input}})["y"].values<float>();
  CHECK(first != second);
  drops.eval();
  Graph e("eval");
  e.output("y", drops(e.input("x", f32, {1, 3, 4})));
  Step still = compile(e, Target::cpu());
  CHECK(still({{"x", input}})["y"].values<float>() == still({{"x", input}})["y"].values<float>());
}

TEST_CASE("transformer: a query that sees nothing has weights of 0; the layers of a stack start alike, each with weights of its own") {
  nn::MultiheadAttention attention(4, 2, {.batch_first = true});
  Graph g("hidden");
  const Tensor x = g.input("x", f32, {1, 3, 4}), hidden = g.input("hidden", boolean, {3, 3});
  g.output("weights", attention.with_weights(x, x, x, {.attn_mask = hidden}).second);
  const std::vector<float> input{1, 2, 3, 4, 0, -1, 2, 1, 3, 1, -2, 1};
  Array mask(boolean, {3, 3});
  for (int64_t i = 0; i < 9; ++i) mask.set(i, i / 3 == 1);  // the second query sees nothing
  const std::vector<float> w = compile(g, Target::cpu())({{"x", input}, {"hidden", mask}})["weights"].values<float>();
  for (size_t i = 0; i < 9; ++i) CHECK((w[i] == 0) == (i / 3 == 1));

  const nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 6});
  const nn::TransformerEncoder stack(layer, 2);
  const auto named = stack.named_parameters();
  const size_t half = named.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    INFO(named[i].first);
    CHECK(named[i].second.values<float>() == named[half + i].second.values<float>());
    CHECK_FALSE(named[i].second.is(named[half + i].second));
  }
}

TEST_CASE("transformer: what does not fit is refused, with the line") {
  const auto refused = [](const std::function<void()>& call, const std::string& what) {
    try {
      call();
    } catch (const Error& e) {
      INFO(e.what());
      CHECK(std::string(e.what()).find(what) != std::string::npos);
      CHECK(std::string(e.what()).find("transformer_test.cpp") != std::string::npos);
      return;
    }
    FAIL("nothing was refused: " << what);
  };
  Graph g("refused");
  const Tensor x = g.input("x", f32, {3, 2, 8}), other = g.input("other", f32, {3, 2, 6}), mask = g.input("mask", i64, {3, 3});
  refused([&] { nn::MultiheadAttention(8, 3); }, "embed_dim, 8, must be a positive multiple of num_heads, 3");
  refused([&] { nn::MultiheadAttention(8, 2, {.dropout = 2}); }, "dropout must lie in [0, 1]");
  refused([&] { nn::TransformerEncoderLayer(8, 2, {.activation = "tanh"}); }, "the activation must be \"relu\" or \"gelu\"");
  nn::MultiheadAttention attention(8, 2);
  refused([&] { attention(x, other, other); }, "key must have 8 features");
  refused([&] { attention(x, x, x, {.attn_mask = mask}); }, "the attn_mask must be bool");
  refused([&] { attention(x, x, x, {.key_padding_mask = cast(mask, boolean)}); }, "the key_padding_mask must be [2,3]");
  refused([&] { scaled_dot_product_attention(x, other, x); }, "query and key must have equal last axes");
  refused([&] { scaled_dot_product_attention(x, x, x, {.attn_mask = mask}); }, "the mask must be bool");
  refused([&] { scaled_dot_product_attention(x, x, x, {.attn_mask = x}); }, "the mask must broadcast to [..., queries, keys]");
  refused([&] { scaled_dot_product_attention(x, x, x, {.dropout_p = 1.5}); }, "dropout_p must lie in [0, 1]");
  refused([&] { scaled_dot_product_attention(x, slice(x, 0, 0, 2), slice(x, 0, 0, 2), {.enable_gqa = true}); },
          "the queries' heads must be a multiple of the keys'");
  nn::KeyValueCache cache(1, 2, 5, 4);
  refused([&] { cache(x, x, 0); }, "k and v must be f32[1, 2, tokens, 4]");
}
