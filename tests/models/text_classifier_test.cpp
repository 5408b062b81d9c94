// A classifier of token sequences of several lengths: a transformer whose padding nobody sees.

#include <random>

#include "weft/tests/catch.h"
#include "weft/weft.h"

using namespace weft;

namespace {

constexpr int64_t words = 12, classes = 3, width = 32;

struct Classifier : nn::Module {
  nn::Embedding embedding = add("embedding", nn::Embedding(words, width));
  nn::TransformerEncoder encoder =
      add("encoder", nn::TransformerEncoder(nn::TransformerEncoderLayer(width, 4, {.dim_feedforward = 64, .batch_first = true}), 2));
  nn::Linear head = add("head", nn::Linear(width, classes));

  /// tokens i64 [N, T], mask bool [N, T]: true where there is a token.
  Tensor operator()(const Tensor& tokens, const Tensor& mask) {
    const Tensor x = embedding(tokens) + sinusoidal_positions(tokens.size(1), width);
    const Tensor y = encoder(x, {.key_padding_mask = !mask}), there = cast(mask, f32).unsqueeze(-1);
    return head(sum(y * there, 1) / sum(there, 1));
  }
};

/// Sentences of 3 to 24 tokens; the class is which of the tokens 1, 2 and 3 comes first.
Dataset sentences(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> labels;
  while (std::ssize(rows) < count) {
    std::vector<int64_t> row(3 + random() % 22);
    for (int64_t& token : row) token = static_cast<int64_t>(1 + random() % (words - 1));
    const auto first = std::find_if(row.begin(), row.end(), [](int64_t token) { return token <= classes; });
    if (first == row.end()) continue;
    rows.push_back(row);
    labels.push_back(*first - 1);
  }
  return {.targets = Array::of({count}, labels), .source = padded_rows({{"x", RaggedRows::of(rows)}}, {.lengths = {8, 16, 24}})};
}

}  // namespace

TEST_CASE("a transformer learns classes of sentences of several lengths") {
  manual_seed(1);
  Classifier net;
  optim::AdamW adamw({.lr = 2e-3});
  Trainer trainer(
      net,
      [&](const Tensors& batch) -> Measured {
        const Tensor logits = net(batch["x"], batch["mask"]);
        return {cross_entropy(logits, batch["y"], {.label_smoothing = 0.05}), {{"f1", metrics::f1_score(logits, batch["y"])}}};
      },
      adamw);
  const History history =
      trainer.fit(sentences(2000, 1), sentences(400, 2), {.epochs = 6, .batch = 32, .data = {.shuffle = true}, .log = "none"});
  INFO(history.last().test_loss << " " << history.last().test_accuracy());
  CHECK(history.last().test_accuracy() > 0.9);
  CHECK(history.last().test_metrics["f1"] > 0.9);
}

TEST_CASE("what stands where there is no token changes nothing") {
  manual_seed(2);
  Classifier net;
  net.eval();
  Graph graph("classes");
  const Tensor tokens = graph.input("tokens", i64, {2, 6}), mask = graph.input("mask", boolean, {2, 6});
  graph.output("logits", net(tokens, mask));
  Step step = compile(graph, Target::cpu());
  const Array mask_of = padding_mask({4, 6});
  const auto logits = [&](int64_t behind) {
    const std::vector<int64_t> rows{3, 5, 1, 4, behind, behind, 3, 5, 1, 4, behind, behind};
    return step({{"tokens", rows}, {"mask", mask_of}})["logits"].values<float>();
  };
  const std::vector<float> some = logits(7), others = logits(9);
  CHECK(std::equal(some.begin(), some.begin() + classes, others.begin()));
  CHECK_FALSE(std::equal(some.begin() + classes, some.end(), others.begin() + classes));
}
