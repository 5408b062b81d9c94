// Training on examples that a source makes, on samples by weight, on rows of several lengths and on blends.

#include <atomic>
#include <cmath>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using test::TempDir;
using weft::testing::points;

namespace {

/// The points, lent one by one.
std::shared_ptr<const ExampleSource> lent(const Dataset& data) {
  return source_of(data.size(), {{.name = "x", .shape = {2}}, {.name = "y", .dtype = i64}}, [&data](Example& to) {
    for (int64_t k = 0; k < 2; ++k) to.values<float>("x")[static_cast<size_t>(k)] = static_cast<float>(data.inputs.at(2 * to.index() + k));
    to.values<int64_t>("y")[0] = data.targets.values<int64_t>()[static_cast<size_t>(to.index())];
  });
}

struct Trained {
  std::vector<std::vector<float>> weights;
  History history;
};

Trained train(const Dataset& data, const Dataset& test, FitOptions options) {
  manual_seed(3);
  nn::Sequential net(nn::Linear(2, 8), nn::Tanh(), nn::Dropout(0.2), nn::Linear(8, 2));
  optim::Adam adam({.lr = 0.01});
  options.log = "none";
  Trained result;
  result.history = Trainer(net, cross_entropy, adam).fit(data, test, options);
  for (const Parameter& p : net.parameters()) result.weights.push_back(p.values<float>());
  return result;
}

}  // namespace

TEST_CASE("a source trains as the same examples in memory do, bit for bit, and resumes") {
  const Dataset memory = points(50), test = points(20, 50);
  const Dataset source{.source = lent(memory)}, test_source{.source = lent(test)};
  const FitOptions options{.epochs = 3, .batch = 8, .data = {.shuffle = true, .workers = 2}};
  const Trained expected = train(memory, test, options), got = train(source, test_source, options);
  CHECK(got.weights == expected.weights);
  CHECK(got.history.last().test_loss == expected.history.last().test_loss);

  const TempDir dir;
  FitOptions first = options, rest = options;
  first.stop.max_steps = 10;
  first.checkpoints.path = rest.checkpoints.resume = dir / "run.safetensors";
  train(source, test_source, first);
  CHECK(train(source, test_source, rest).weights == expected.weights);
}

TEST_CASE("a source: a label that is no class of the model is an error where it is fed, and overfitting reads a part") {
  const Dataset bad{.source = source_of(8, {{.name = "x", .shape = {2}}, {.name = "y", .dtype = i64}}, [](Example& to) {
                      std::ranges::fill(to.values<float>("x"), 1.0f);
                      to.values<int64_t>("y")[0] = to.index() == 6 ? 2 : 0;
                    })};
  CHECK_THROWS_WITH(train(bad, points(8), {.batch = 4}), contains_text("element 2 is 2"));
  std::atomic<int64_t> last = 0;
  const Dataset many{.source = source_of(1000, {{.name = "x", .shape = {2}}, {.name = "y", .dtype = i64}}, [&](Example& to) {
                       last = std::max(last.load(), to.index());
                       std::ranges::fill(to.values<float>("x"), 1.0f);
                       to.values<int64_t>("y")[0] = 0;
                     })};
  train(many, points(8), {.epochs = 2, .batch = 4, .data = {.overfit = 6}});
  CHECK(last == 5);
}

TEST_CASE("a stream trains, and resumes in the middle of an epoch") {
  const Dataset memory = points(50), test = points(20, 50);
  const Dataset stream{.source = stream_of(20, {{.name = "x", .shape = {2}}, {.name = "y", .dtype = i64}}, [&memory](int64_t epoch) {
                         return [&memory, i = epoch * 7](Example& to) mutable {
                           if (i >= memory.size()) return false;
                           for (int64_t k = 0; k < 2; ++k)
                             to.values<float>("x")[static_cast<size_t>(k)] = static_cast<float>(memory.inputs.at(2 * i + k));
                           to.values<int64_t>("y")[0] = memory.targets.values<int64_t>()[static_cast<size_t>(i++)];
                           return true;
                         };
                       })};
  const FitOptions options{.epochs = 3, .batch = 8};
  const Trained whole = train(stream, test, options);
  CHECK(whole.history.steps == 9);
  const TempDir dir;
  FitOptions first = options, rest = options;
  first.stop.max_steps = 4;
  first.checkpoints.path = rest.checkpoints.resume = dir / "run.safetensors";
  train(stream, test, first);
  CHECK(train(stream, test, rest).weights == whole.weights);
}

TEST_CASE("a sampler says what an epoch is, and a checkpoint knows it") {
  const Dataset data = points(50), test = points(20, 50);
  const std::vector<double> weights = class_balance(data.targets.values<int64_t>());
  FitOptions options{.epochs = 2, .batch = 8, .data = {.sampler = weighted_sampler(weights, {.count = 30})}};
  const TempDir dir;
  options.checkpoints.path = dir / "run.safetensors";
  const Trained whole = train(data, test, options);
  CHECK(whole.history.steps == 8);
  FitOptions first = options, rest = options;
  first.stop.max_steps = 5;
  first.checkpoints.path = rest.checkpoints.resume = dir / "first.safetensors";
  train(data, test, first);
  CHECK(train(data, test, rest).weights == whole.weights);
  rest.data.sampler = weighted_sampler(std::vector<double>(50, 1.0), {.count = 30});
  CHECK_THROWS_WITH(train(data, test, rest), contains_text("weighted by"));
  options.data.shuffle = true;
  CHECK_THROWS_WITH(train(data, test, options), contains_text(".shuffle must be off"));
}

TEST_CASE("rows of several lengths train in buckets, and what is behind a row counts for nothing") {
  // A row's class is whether more of its tokens are 1 than 2.
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> labels, lengths;
  for (int64_t i = 0; i < 60; ++i) {
    std::vector<int64_t> row;
    int64_t balance = 0;
    for (int64_t k = 0; k < 1 + i * 7 % 11; ++k) {
      row.push_back(1 + (i * i + 3 * k * k + k) % 2);
      balance += row.back() == 1 ? 1 : -1;
    }
    lengths.push_back(std::ssize(row));
    tokens.push_back(row);
    labels.push_back(balance > 0);
  }
  Dataset data{.source = padded_rows({{"x", RaggedRows::of(tokens)}}, {.lengths = {4, 8, 11}})};
  data.targets = Array::of({60}, labels);
  const auto fit = [&](const Dataset& set, const FitOptions& options, std::vector<double>* losses) {
    manual_seed(1);
    nn::Embedding embedding(3, 4);
    nn::Linear head(4, 2);
    optim::Adam adam({.lr = 0.05});
    Trainer trainer(
        nn::Sequential(embedding, head),
        [&](const Tensors& batch) -> Measured {
          const Tensor mask = unsqueeze(cast(batch["mask"], f32), 2);
          const Tensor logits = head(sum(embedding(batch["x"]) * mask, 1));
          const Tensor loss = cross_entropy(logits, batch["y"]);
          return {loss,
                  {{"rows", cast(constant(Array::of<float>({}, std::vector<float>{static_cast<float>(batch["x"].shape()[1])})), f32)}}};
        },
        adam);
    const History history = trainer.fit(set, options);
    for (const EpochResult& e : history.epochs) losses->push_back(e.train_loss);
    return history;
  };
  std::vector<double> bucketed, longest;
  FitOptions options{.epochs = 15, .batch = 10, .log = "none"};
  options.data.sampler = length_grouped_sampler(lengths, {.batch = 10});
  const History history = fit(data, options, &bucketed);
  CHECK(bucketed.back() < 0.4 * bucketed.front());
  const auto rows = [](const History& h) {
    for (const auto& [name, number] : h.last().train_metrics)
      if (name == "rows") return number;
    return 0.0;
  };
  CHECK(rows(history) < 9);  // all would be 11
  data.source = padded_rows({{"x", RaggedRows::of(tokens)}});
  CHECK(rows(fit(data, options, &longest)) == 11);
  for (size_t i = 0; i < longest.size(); ++i) CHECK(bucketed[i] == Approx(longest[i]).epsilon(1e-3));
}

TEST_CASE("mixup trains on probabilities") {
  Dataset data = points(48);
  data.mixup = Mixup{.alpha = 0.4, .classes = 2};
  const Trained got = train(data, points(20, 50), {.epochs = 40, .batch = 16, .data = {.shuffle = true}});
  CHECK(got.history.epochs.back().test_loss < 0.7 * got.history.epochs.front().test_loss);
  data.mixup->classes = 0;
  CHECK_THROWS_WITH(train(data, points(8), {}), contains_text("mixup of data set 'points' needs .classes"));
}
