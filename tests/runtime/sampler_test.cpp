#include "weft/runtime/data/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "weft/runtime/data/batcher.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::vector<int64_t> order(const Sampler& sampler, uint64_t seed = 1, int64_t epoch = 0) {
  std::vector<int64_t> all(static_cast<size_t>(sampler.count));
  sampler.order(all, seed, epoch);
  return all;
}

}  // namespace

TEST_CASE("sampler: with replacement, examples come as often as their weights have it") {
  const Sampler sampler = weighted_sampler({1, 0, 2, 5, 0}, {.count = 80'000});
  std::map<int64_t, double> counts;
  for (const int64_t i : order(sampler)) ++counts[i];
  CHECK(counts.size() == 3);
  // Four deviations of a binomial's.
  for (const auto& [example, share] : std::map<int64_t, double>{{0, 0.125}, {2, 0.25}, {3, 0.625}})
    CHECK(std::abs(counts[example] - 80'000 * share) < 4 * std::sqrt(80'000 * share * (1 - share)));
  CHECK(order(sampler) == order(sampler));
  CHECK(order(sampler, 2) != order(sampler));
  CHECK(order(sampler, 1, 1) != order(sampler));
  CHECK(weighted_sampler({1, 1, 1}).count == 3);
}

TEST_CASE("sampler: without replacement, each comes once and the heavy ones first") {
  const std::vector<double> weights{1, 3, 0, 6};
  const Sampler sampler = weighted_sampler(weights, {.count = 3, .replacement = false});
  std::map<int64_t, double> firsts, seconds_behind_3;
  constexpr int draws = 20'000;
  for (int64_t epoch = 0; epoch < draws; ++epoch) {
    const auto all = order(sampler, 3, epoch);
    CHECK(std::set<int64_t>(all.begin(), all.end()) == std::set<int64_t>{0, 1, 3});
    ++firsts[all[0]];
    if (all[0] == 3) ++seconds_behind_3[all[1]];
  }
  for (const auto& [example, share] : std::map<int64_t, double>{{0, 0.1}, {1, 0.3}, {3, 0.6}})
    CHECK(std::abs(firsts[example] - draws * share) < 4 * std::sqrt(draws * share * (1 - share)));
  CHECK(std::abs(seconds_behind_3[1] - 0.75 * firsts[3]) < 4 * std::sqrt(firsts[3] * 0.75 * 0.25));
}

TEST_CASE("sampler: weights that are none are refused") {
  CHECK_THROWS_WITH(weighted_sampler({}), contains_text("of 0 weights none is above 0"));
  CHECK_THROWS_WITH(weighted_sampler({0, 0}), contains_text("of 2 weights none is above 0"));
  CHECK_THROWS_WITH(weighted_sampler({1, -1}), contains_text("weight 1 is -1"));
  CHECK_THROWS_WITH(weighted_sampler({NAN}), contains_text("weight 0 is nan"));
  CHECK_THROWS_WITH(weighted_sampler({std::numeric_limits<double>::max(), std::numeric_limits<double>::max()}),
                    contains_text("the sum of the weights is not finite"));
  CHECK_THROWS_WITH(weighted_sampler({1}, {.count = -1}), contains_text(".count (-1)"));
  CHECK_THROWS_WITH(weighted_sampler({1, 0}, {.count = 2, .replacement = false}), contains_text("cannot have 2 examples, for 1 have"));
}

TEST_CASE("sampler: a balance of classes") {
  CHECK(class_balance(std::vector<int64_t>{3, 0, 3, 3}) == std::vector<double>{1.0 / 3, 1, 1.0 / 3, 1.0 / 3});
}

TEST_CASE("sampler: what a batcher delivers by it") {
  Array x(f32, {4, 1});
  for (int64_t i = 0; i < 4; ++i) x.set(i, static_cast<double>(i));
  const Dataset data{.inputs = x, .targets = Array(f32, {4})};
  const Sampler sampler = weighted_sampler({1, 0, 1, 4}, {.count = 10});
  for (const int workers : {1, 3}) {
    Batcher batcher(data, {.batch = 4, .seed = 9, .workers = workers, .sampler = sampler});
    CHECK(batcher.batches() == 3);
    for (const int64_t first : {0, 1}) {
      std::vector<int64_t> got;
      batcher.start_epoch(2, first);
      while (const Batch* batch = batcher.next())
        for (const float value : batch->inputs.values<float>()) got.push_back(static_cast<int64_t>(value));
      const auto all = order(sampler, 9, 2);
      CHECK(got == std::vector<int64_t>(all.begin() + 4 * first, all.end()));
    }
  }
  CHECK_THROWS_WITH(Batcher(data, {.shuffle = true, .sampler = sampler}), contains_text(".shuffle must be off"));
  CHECK_THROWS_WITH(Batcher(data, {.sampler = weighted_sampler({1})}),
                    contains_text("the sampler is for 1 examples, but the data set has 4; make it of"));
  Sampler wrong{.name = "mine", .set_size = 4, .count = -2};
  wrong.order = [](std::span<int64_t>, uint64_t, int64_t) {};
  CHECK_THROWS_WITH(Batcher(data, {.sampler = wrong}), "the sampler (mine) gives -2 examples");
  wrong.count = 2;
  wrong.order = [](std::span<int64_t> to, uint64_t, int64_t) { to[0] = 0, to[1] = 4; };
  Batcher batcher(data, {.batch = 1, .sampler = wrong});
  batcher.start_epoch(0);
  CHECK_THROWS_WITH(batcher.next(), "the sampler (mine) wants example 4 of 4");
}

TEST_CASE("sampler: an example that comes twice is transformed in two ways") {
  Transform noise{.name = "noise"};
  noise.shape = [](const Shape& shape) { return shape; };
  noise.apply = [](std::span<const float>, const Shape&, std::span<float> to, Draw& draw) { to[0] = static_cast<float>(draw.uniform()); };
  Dataset data{.inputs = Array(f32, {2, 1}), .targets = Array(f32, {2})};
  data.transforms = {noise};
  Batcher batcher(data, {.batch = 6, .sampler = weighted_sampler({1, 0}, {.count = 6})});
  batcher.start_epoch(0);
  const auto values = batcher.next()->inputs.values<float>();
  CHECK(std::set<float>(values.begin(), values.end()).size() == 6);
}

TEST_CASE("sampler: batches of about the same length") {
  std::vector<int64_t> lengths(1003);
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<int64_t>(i * 7919 % 100);
  const Sampler sampler = length_grouped_sampler(lengths, {.batch = 10, .batches = 20});
  const auto all = order(sampler);
  CHECK(std::set<int64_t>(all.begin(), all.end()).size() == 1003);
  CHECK(order(sampler, 1, 1) != all);
  int64_t apart = 0, last_longest = 0, descents = 0;
  for (size_t batch = 0; batch < 100; ++batch) {
    const auto of = [&](size_t i) { return lengths[static_cast<size_t>(all[10 * batch + i])]; };
    apart += of(0) - of(9);
    for (size_t i = 1; i < 10; ++i) CHECK(of(i) <= of(i - 1));
    descents += batch > 0 && of(0) < last_longest;
    last_longest = of(0);
  }
  CHECK(apart < 100 * 10);  // of 100 drawn anyhow the mean would be about 80
  CHECK(descents > 30);     // batches come in a random order
  CHECK(descents < 70);
  const Sampler in_order = length_grouped_sampler({1, 5, 3, 2, 9, 4}, {.batch = 2, .batches = 2, .shuffle = false});
  CHECK(order(in_order) == std::vector<int64_t>{1, 2, 3, 0, 4, 5});
  CHECK_THROWS_WITH(length_grouped_sampler({1, -2}), contains_text("example 1 has the length -2"));
  CHECK_THROWS_WITH(length_grouped_sampler({1}, {.batch = 0}), contains_text(".batch (0)"));
}
