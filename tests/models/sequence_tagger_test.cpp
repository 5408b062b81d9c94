// Labels for sequences, with an LSTM: one for each token, where a target says which tokens do not count, and a text of fewer letters
// than there are frames, by CTC.

#include <random>

#include "weft/tests/catch.h"
#include "weft/weft.h"

using namespace weft;

namespace {

constexpr int64_t words = 10, tags = 3;

struct Tagger : nn::Module {
  nn::Embedding embedding = add("embedding", nn::Embedding(words, 16));
  nn::LSTM lstm = add("lstm", nn::LSTM(16, 32, {.batch_first = true, .bidirectional = true}));
  nn::Linear head = add("head", nn::Linear(64, tags));

  /// tokens [N, T] to scores [N, tags, T], as cross_entropy takes them.
  Tensor operator()(const Tensor& tokens, const Tensor& lengths) {
    return head(lstm(embedding(tokens), {.lengths = lengths}).output).transpose();
  }
};

/// A token's tag: 0, or 1 behind a token 1, or 2 in front of one.
Dataset sentences(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<int64_t>> tokens, tags_of;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<int64_t> row(4 + random() % 9), tag(row.size());
    for (int64_t& token : row) token = static_cast<int64_t>(1 + random() % (words - 1));
    for (size_t t = 0; t < row.size(); ++t) tag[t] = t > 0 && row[t - 1] == 1 ? 1 : t + 1 < row.size() && row[t + 1] == 1 ? 2 : 0;
    tokens.push_back(row), tags_of.push_back(tag);
  }
  return {.source = padded_rows({{"x", RaggedRows::of(tokens)}, {"y", RaggedRows::of(tags_of), ignored_label}})};
}

}  // namespace

TEST_CASE("a tagger learns from the tokens that count") {
  manual_seed(1);
  Tagger net;
  optim::Adam adam({.lr = 5e-3});
  Trainer trainer(
      net,
      [&](const Tensors& batch) {
        return cross_entropy(net(batch["x"], sum(cast(batch["mask"], i64), 1)), batch["y"], {.ignore_index = ignored_label});
      },
      adam);
  const History history =
      trainer.fit(sentences(1500, 1), sentences(300, 2), {.epochs = 4, .batch = 32, .data = {.shuffle = true}, .log = "none"});
  INFO(history.last().test_loss << " " << history.last().test_accuracy());
  CHECK(history.last().test_loss < 0.1);
  CHECK(history.last().test_accuracy() > 0.97);
}

namespace {

constexpr int64_t letters = 4, features = 6, frames = 20, longest = 5;

struct Reader : nn::Module {
  nn::LSTM lstm = add("lstm", nn::LSTM(features, 32, {.bidirectional = true}));
  nn::Linear head = add("head", nn::Linear(64, letters + 1));  // 0 is CTC's blank

  /// x [N, T, features] to log-probabilities [T, N, letters + 1].
  Tensor forward(Tensor x) override { return log_softmax(head(lstm(x.transpose(0, 1)).output), -1); }
};

/// Words of 1 to 5 letters, each seen in one to three noisy frames.
struct Spoken : ExampleSource {
  int64_t size() const override { return 1500; }
  std::vector<SourceColumn> columns() const override {
    return {{.name = "x", .shape = {frames, features}},
            {.name = "y", .dtype = i64, .shape = {longest}},
            {.name = "frames", .dtype = i64},
            {.name = "letters", .dtype = i64}};
  }
  void read(Example& to) const override {
    Draw draw = to.draw();
    const auto x = to.values<float>("x");
    const auto y = to.values<int64_t>("y");
    const int64_t count = 1 + draw.below(longest);
    int64_t at = 0;
    for (float& value : x) value = static_cast<float>(0.3 * draw.uniform());
    for (int64_t i = 0; i < longest; ++i) {
      y[static_cast<size_t>(i)] = i < count ? 1 + draw.below(letters) : 0;
      for (int64_t seen = i < count ? 1 + draw.below(3) : 0; seen > 0; --seen, ++at)
        x[static_cast<size_t>(at * features + y[static_cast<size_t>(i)])] += 1;
      if (i < count) ++at;  // a pause, so that two equal letters are two
    }
    to.values<int64_t>("frames")[0] = std::min(at, frames);
    to.values<int64_t>("letters")[0] = count;
  }
};

}  // namespace

TEST_CASE("a reader learns words from frames that nobody aligned") {
  manual_seed(2);
  Reader net;
  optim::Adam adam({.lr = 5e-3});
  Trainer trainer(
      net, [&](const Tensors& batch) { return ctc_loss(net(batch["x"]), batch["y"], batch["frames"], batch["letters"]); }, adam);
  const Dataset words_spoken{.source = std::make_shared<Spoken>()};
  const History history = trainer.fit(words_spoken, {.epochs = 6, .batch = 32, .data = {.shuffle = true}, .log = "none"});
  INFO(history.epochs.front().train_loss << " " << history.last().train_loss);
  CHECK(history.last().train_loss < 0.25);
}
