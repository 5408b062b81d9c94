#include "weft/runtime/data/batcher.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <numeric>
#include <set>

#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Example i has the inputs {i, 2 i mod 256, 0} and the target i.
Dataset numbered(int64_t count) {
  Array inputs(u8, Shape{count, 3}), targets(i64, Shape{count});
  for (int64_t i = 0; i < count; ++i) {
    inputs.set(3 * i, static_cast<double>(i % 256));
    inputs.set(3 * i + 1, static_cast<double>(2 * i % 256));
    targets.set(i, static_cast<double>(i));
  }
  return Dataset::from(std::move(inputs), std::move(targets));
}

template <class T>
std::vector<T> values(const View& view) {
  const auto all = view.values<T>();
  return {all.begin(), all.end()};
}

/// The targets of a whole epoch in the order delivered.
std::vector<int64_t> epoch_targets(Batcher& batcher, int64_t epoch) {
  std::vector<int64_t> all;
  batcher.start_epoch(epoch);
  while (const Batch* batch = batcher.next()) {
    const auto some = values<int64_t>(batch->targets);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

TEST_CASE("batcher: an epoch goes on from any of its batches") {
  const Dataset set = numbered(45);
  for (const int workers : {1, 3}) {
    Batcher batcher(set, {.batch = 4, .shuffle = true, .seed = 2, .workers = workers});
    const std::vector<int64_t> all = epoch_targets(batcher, 3);
    for (int64_t first = 0; first <= 12; ++first) {
      batcher.start_epoch(3, first);
      std::vector<int64_t> rest;
      while (const Batch* batch = batcher.next()) {
        if (rest.empty()) CHECK(batch->index == first);
        for (int64_t target : values<int64_t>(batch->targets)) rest.push_back(target);
      }
      CHECK(rest == std::vector<int64_t>(all.begin() + std::min<int64_t>(4 * first, 45), all.end()));
    }
    CHECK_THROWS_WITH(batcher.start_epoch(3, 13), contains_text("an epoch of 12 batches has no batch number 13"));
  }
}

TEST_CASE("batcher: in order, with a ragged last batch") {
  const Dataset set = numbered(10);
  Batcher batcher(set, {.batch = 4});
  CHECK(batcher.batches() == 3);
  batcher.start_epoch(0);
  for (int64_t index = 0; index < 3; ++index) {
    const Batch* batch = batcher.next();
    REQUIRE(batch);
    CHECK(batch->index == index);
    CHECK(batch->size == (index < 2 ? 4 : 2));
    CHECK(batch->inputs.count() == batch->size * 3);
    const auto inputs = values<float>(batch->inputs);
    const auto targets = values<int64_t>(batch->targets);
    for (int64_t i = 0; i < batch->size; ++i) {
      CHECK(targets[static_cast<size_t>(i)] == 4 * index + i);
      CHECK(inputs[static_cast<size_t>(3 * i)] == static_cast<float>(4 * index + i));
      CHECK(inputs[static_cast<size_t>(3 * i + 1)] == static_cast<float>(8 * index + 2 * i));
    }
  }
  CHECK(batcher.next() == nullptr);
  CHECK(batcher.next() == nullptr);
}

TEST_CASE("batcher: drop_last leaves the ragged batch out") {
  const Dataset set = numbered(10);
  Batcher dropping(set, {.batch = 4, .drop_last = true});
  CHECK(dropping.batches() == 2);
  CHECK(epoch_targets(dropping, 0).size() == 8);
  Batcher exact(set, {.batch = 5, .drop_last = true});
  CHECK(epoch_targets(exact, 0).size() == 10);
  Batcher too_large(set, {.batch = 11, .drop_last = true});
  CHECK(too_large.batches() == 0);
  CHECK(epoch_targets(too_large, 0).empty());
  Batcher one(set, {.batch = 1000});
  CHECK(epoch_targets(one, 0).size() == 10);
}

TEST_CASE("batcher: an empty data set has no batches") {
  const Dataset set;
  Batcher batcher(set, {});
  CHECK(batcher.batches() == 0);
  CHECK(epoch_targets(batcher, 0).empty());
}

TEST_CASE("batcher: u8 is divided, bit for bit as x / 255.0f") {
  Array inputs(u8, Shape{256});
  for (int64_t i = 0; i < 256; ++i) inputs.set(i, static_cast<double>(i));
  Dataset set = Dataset::from(inputs, Array(f32, Shape{256}));
  set.divisor = 255.0f;
  Batcher batcher(set, {.batch = 256});
  batcher.start_epoch(0);
  const auto delivered = values<float>(batcher.next()->inputs);
  for (size_t i = 0; i < 256; ++i) CHECK(delivered[i] == static_cast<float>(static_cast<uint8_t>(i)) / 255.0f);
}

TEST_CASE("batcher: f32 and i64 inputs") {
  Dataset floats = Dataset::from(Array::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4}), Array(f32, Shape{2}));
  Batcher plain(floats, {.batch = 2});
  plain.start_epoch(0);
  CHECK(values<float>(plain.next()->inputs) == std::vector<float>{1, 2, 3, 4});

  Dataset scaled = floats;
  scaled.divisor = 3;
  Batcher divided(scaled, {.batch = 2});
  divided.start_epoch(0);
  CHECK(values<float>(divided.next()->inputs) == std::vector<float>{1.f / 3, 2.f / 3, 1, 4.f / 3});

  const int64_t large = (int64_t{1} << 53) + 1;
  const Dataset ids = Dataset::from(Array::of<int64_t>({2}, std::vector<int64_t>{7, large}), Array(f32, Shape{2}));
  Batcher tokens(ids, {.batch = 2});
  tokens.start_epoch(0);
  CHECK(values<int64_t>(tokens.next()->inputs) == std::vector<int64_t>{7, large});
}

TEST_CASE("batcher: the order is a function of seed and epoch") {
  const Dataset set = numbered(100);
  Batcher a(set, {.batch = 8, .shuffle = true, .seed = 1});
  Batcher b(set, {.batch = 8, .shuffle = true, .seed = 1});
  Batcher other_size(set, {.batch = 32, .shuffle = true, .seed = 1});
  Batcher other_seed(set, {.batch = 8, .shuffle = true, .seed = 2});
  const auto first = epoch_targets(a, 0), second = epoch_targets(a, 1);
  CHECK(first != second);
  CHECK(epoch_targets(a, 0) == first);   // going back
  CHECK(epoch_targets(b, 1) == second);  // not having seen epoch 0
  CHECK(epoch_targets(other_size, 0) == first);
  CHECK(epoch_targets(other_seed, 0) != first);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(100);
  std::iota(all.begin(), all.end(), int64_t{0});
  CHECK(sorted == all);
}

TEST_CASE("batcher: the order stays what it was in earlier versions") {
  std::vector<int64_t> order(10);
  shuffle_order(order, 42, 3);
  CHECK(order == std::vector<int64_t>{0, 1, 2, 4, 3, 8, 5, 9, 7, 6});
  shuffle_order({}, 0, 0);
  shuffle_order(std::span(order).first(1), 0, 0);
  CHECK(order[0] == 0);
}

TEST_CASE("batcher: every place is equally likely") {
  // Where example 0 of 10 lands in 5000 epochs: 500 expected in each place, standard deviation 21.
  std::vector<int> landed(10);
  std::vector<int64_t> order(10);
  for (int64_t epoch = 0; epoch < 5000; ++epoch) {
    shuffle_order(order, 7, epoch);
    ++landed[static_cast<size_t>(std::find(order.begin(), order.end(), 0) - order.begin())];
  }
  for (const int count : landed) CHECK(std::abs(count - 500) < 100);
}

TEST_CASE("batcher: buffers are allocated once") {
  const Dataset set = numbered(100);
  Batcher batcher(set, {.batch = 3, .shuffle = true});
  std::set<const std::byte*> addresses;
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    batcher.start_epoch(epoch);
    while (const Batch* batch = batcher.next()) {
      CHECK(reinterpret_cast<uintptr_t>(batch->inputs.data()) % buffer_alignment == 0);
      addresses.insert(batch->inputs.data());
    }
  }
  CHECK(addresses.size() <= 3);
}

TEST_CASE("batcher: a batch stays what it is while the loader works ahead") {
  const Dataset set = numbered(40);
  Batcher batcher(set, {.batch = 4});
  batcher.start_epoch(0);
  for (int64_t index = 0; const Batch* batch = batcher.next(); ++index) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    CHECK(values<int64_t>(batch->targets)[0] == 4 * index);
  }
}

TEST_CASE("batcher: an epoch may be left at any batch, and a batcher at any time") {
  const Dataset set = numbered(50);
  const int workers = GENERATE(1, 4);
  { Batcher unused(set, {.batch = 4, .workers = workers}); }
  for (int taken = 0; taken < 14; ++taken) {
    Batcher batcher(set, {.batch = 4, .shuffle = true, .workers = workers});
    batcher.start_epoch(0);
    for (int i = 0; i < taken; ++i) batcher.next();
    batcher.start_epoch(1);
    for (int i = 0; i < taken; ++i) batcher.next();
    CHECK(epoch_targets(batcher, 2).size() == 50);
    batcher.start_epoch(3);
    batcher.next();
  }
}

TEST_CASE("batcher: many starts in quick succession") {
  const Dataset set = numbered(64);
  Batcher batcher(set, {.batch = 8, .shuffle = true, .workers = GENERATE(1, 3)});
  for (int64_t epoch = 0; epoch < 2000; ++epoch) {
    batcher.start_epoch(epoch);
    if (epoch % 3 == 0) continue;
    std::vector<int64_t> order(64);
    shuffle_order(order, 0, epoch);
    REQUIRE(values<int64_t>(batcher.next()->targets)[0] == order[0]);
  }
}

TEST_CASE("batcher: a waiting loader takes no processor time") {
  const Dataset set = numbered(1000);
  Batcher batcher(set, {.batch = 4});
  batcher.start_epoch(0);
  batcher.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // fills its buffers
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.05);
}

TEST_CASE("batcher: what the loader throws comes out of next(), after the batches before it") {
  Dataset set = numbered(12);
  set.class_names.assign(9, "c");
  set.name = "nine";
  set.targets.values<int64_t>()[0] = -100;  // ignored by cross_entropy, so allowed
  Batcher batcher(set, {.batch = 4, .workers = GENERATE(1, 2)});
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    batcher.start_epoch(epoch);
    CHECK(batcher.next()->index == 0);
    CHECK(batcher.next()->index == 1);
    CHECK_THROWS_WITH(batcher.next(), "example 9 of data set 'nine' has the class 9, but there are 9 classes");
    CHECK_THROWS_AS(batcher.next(), Error);
  }
}

TEST_CASE("batcher: misuse") {
  const Dataset set = numbered(4);
  CHECK_THROWS_WITH(Batcher(set, {.batch = 0}), "a batch needs at least 1 example, but .batch = 0");
  CHECK_THROWS_WITH(Batcher(set, {.workers = 0}), "batches need at least 1 worker to load them, but .workers = 0");
  Dataset wrong = set;
  wrong.targets = Array(i64, Shape{3});
  CHECK_THROWS_WITH(Batcher(wrong, {}), "a data set needs one target for each input, but inputs are [4,3] and targets are [3]");
  Batcher batcher(set, {});
  CHECK_THROWS_WITH(batcher.next(), "Batcher::next() was called before start_epoch()");
  CHECK_THROWS_WITH(batcher.start_epoch(-1), "epoch -1 is not in [0, 2^32)");
}
