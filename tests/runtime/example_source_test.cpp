#include "weft/runtime/data/example_source.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <thread>

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/split.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/in_child.h"

using namespace weft;

namespace {

/// Example i: x = {i, 2 i mod 256} as u8, y = i, z = -i. Counts how often it is asked.
struct Numbered : ExampleSource {
  explicit Numbered(int64_t count) : count(count) {}
  int64_t size() const override { return count; }
  std::vector<SourceColumn> columns() const override {
    return {{.name = "x", .dtype = u8, .shape = {2}}, {.name = "y", .dtype = i64}, {.name = "z", .dtype = f64, .shape = {1}}};
  }
  void read(Example& to) const override {
    ++reads;
    const auto x = to.values<uint8_t>("x");
    x[0] = static_cast<uint8_t>(to.index()), x[1] = static_cast<uint8_t>(2 * to.index());
    to.values<int64_t>("y")[0] = to.index();
    to.values<double>("z")[0] = -static_cast<double>(to.index());
  }
  int64_t count;
  mutable std::atomic<int> reads = 0;
};

Dataset in_memory(int64_t count) {
  Array x(u8, {count, 2}), y(i64, {count}), z(f64, {count, 1});
  for (int64_t i = 0; i < count; ++i) {
    x.set(2 * i, static_cast<double>(i % 256)), x.set(2 * i + 1, static_cast<double>(2 * i % 256));
    y.set(i, static_cast<double>(i)), z.set(i, -static_cast<double>(i));
  }
  return {.inputs = std::move(x), .targets = std::move(y), .arrays = {{"z", std::move(z)}}};
}

template <class T>
void append(std::vector<double>& to, const View& view) {
  for (const T value : view.values<T>()) to.push_back(static_cast<double>(value));
}

/// All that an epoch delivers, in its order.
std::vector<double> epoch(Batcher& batcher, int64_t number, int64_t first = 0) {
  std::vector<double> all;
  batcher.start_epoch(number, first);
  while (const Batch* batch = batcher.next()) {
    all.push_back(static_cast<double>(batch->size));
    append<float>(all, batch->inputs);
    append<int64_t>(all, batch->targets);
    append<double>(all, (*batch)["z"]);
  }
  return all;
}

Transform add_noise() {
  Transform t{.name = "noise"};
  t.shape = [](const Shape& shape) { return shape; };
  t.apply = [](std::span<const float> from, const Shape&, std::span<float> to, Draw& draw) {
    for (size_t i = 0; i < from.size(); ++i) to[i] = from[i] + static_cast<float>(draw.uniform());
  };
  return t;
}

}  // namespace

TEST_CASE("source: delivers what a set in memory does, in the same order and for any number of workers") {
  const bool noisy = GENERATE(false, true);
  Dataset memory = in_memory(45), made{.source = std::make_shared<Numbered>(45)};
  for (Dataset* set : {&memory, &made}) {
    set->divisor = 255;
    if (noisy) set->transforms = {add_noise()};
  }
  for (const int workers : {1, 3}) {
    const BatchOptions options{.batch = 4, .shuffle = true, .seed = 5, .workers = workers};
    Batcher expected(memory, options), got(made, options);
    CHECK(got.batches() == 12);
    for (const int64_t number : {0, 1, 7}) CHECK(epoch(got, number) == epoch(expected, number));
    for (const int64_t first : {1, 11, 12}) CHECK(epoch(got, 3, first) == epoch(expected, 3, first));
  }
}

TEST_CASE("source: is asked for what a batch needs, no more") {
  const auto source = std::make_shared<Numbered>(1000);
  const Dataset data{.source = source};
  Batcher batcher(data, {.batch = 10});
  CHECK(source->reads == 0);
  batcher.start_epoch(0);
  batcher.next();
  CHECK(source->reads <= 30);  // the batch in use, and what is loaded ahead
}

TEST_CASE("source: beside arrays in memory") {
  Dataset data{.source = source_of(3, {{.name = "x", .shape = {2}}},
                                   [](Example& to) { std::ranges::fill(to.values<float>("x"), static_cast<float>(10 * to.index())); })};
  data.targets = Array::of<float>({3}, std::vector<float>{1, 2, 3});
  data.arrays = {{"weight", Array::of<float>({3}, std::vector<float>{7, 8, 9})}};
  CHECK(data.size() == 3);
  CHECK(data.input_shape(4) == Shape{4, 2});
  Batcher batcher(data, {.batch = 3});
  batcher.start_epoch(0);
  const Batch* batch = batcher.next();
  std::vector<double> all;
  append<float>(all, batch->inputs), append<float>(all, batch->targets), append<float>(all, (*batch)["weight"]);
  CHECK(all == std::vector<double>{0, 0, 10, 10, 20, 20, 1, 2, 3, 7, 8, 9});
  data.targets = Array(f32, {4});
  CHECK_THROWS_WITH(data.check(), contains_text("has a source of 3 examples, but its targets are [4]"));
}

TEST_CASE("source: parts of a set read it where they need it") {
  const auto source = std::make_shared<Numbered>(20);
  const Dataset data{.source = source};
  const Dataset part = subset(data, {7, 3, 3});
  CHECK(source->reads == 0);
  Batcher batcher(part, {.batch = 3});
  CHECK(epoch(batcher, 0) == std::vector<double>{3, 7, 14, 3, 6, 3, 6, 7, 3, 3, -7, -3, -3});
  CHECK_THROWS_WITH(subset(data, {20}), contains_text("has no example 20"));
  const std::vector<Dataset> parts = random_split(data, {15, 5}, 1);
  std::set<int64_t> seen;
  for (const Dataset& p : parts) {
    Batcher b(p, {.batch = 20});
    b.start_epoch(0);
    for (const int64_t y : b.next()->targets.values<int64_t>()) seen.insert(y);
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("source: what it throws comes in the place of its batch, and the batches before it come") {
  for (const int workers : {1, 2}) {
    const Dataset data{.source = source_of(10, {{.name = "x"}}, [](Example& to) {
                         if (to.index() == 5) throw Error("example 5 is lost");
                         to.values<float>("x")[0] = 1;
                       })};
    Batcher batcher(data, {.batch = 2, .workers = workers});
    batcher.start_epoch(0);
    CHECK(batcher.next());
    CHECK(batcher.next());
    CHECK_THROWS_WITH(batcher.next(), "example 5 is lost");
    batcher.start_epoch(0, 3);
    CHECK(batcher.next()->index == 3);
  }
}

TEST_CASE("source: mistakes are told") {
  const auto first = [](const Dataset& data) {
    Batcher batcher(data, {});
    batcher.start_epoch(0);
    batcher.next();
  };
  const auto reading = [](std::vector<SourceColumn> columns, std::function<void(Example&)> read) {
    return Dataset{.source = source_of(2, std::move(columns), std::move(read))};
  };
  const std::vector<SourceColumn> one{{.name = "x", .shape = {2}}};
  CHECK_THROWS_WITH(first(reading(one, [](Example&) {})), "the source writes nothing under 'x'");
  CHECK_THROWS_WITH(first(reading(one, [](Example& to) { to.values<double>("x"); })),
                    contains_text("'x' of the source has f32 elements, but it is written as f64"));
  CHECK_THROWS_WITH(first(reading(one, [](Example& to) { to.values<float>("w"); })),
                    contains_text("the source has no column 'w'; it has 'x'"));
  CHECK_THROWS_WITH(first(reading(one, [](Example& to) { to.values<float>("x", {3}); })),
                    contains_text("'x' of the source is [2], but an example gives [3]"));
  const auto nothing = [](Example&) {};
  CHECK_THROWS_WITH(reading({{.name = ""}}, nothing).check(), contains_text("a column without a name"));
  CHECK_THROWS_WITH(reading({{.name = "a"}, {.name = "a"}}, nothing).check(), contains_text("another 'a'"));
  CHECK_THROWS_WITH(reading({{.name = "x", .dtype = f64}}, nothing).check(), contains_text("must be u8, f32 or i64, but they are f64"));
  CHECK_THROWS_WITH(reading({{.name = "y", .dtype = u8}}, nothing).check(), contains_text("must be i64 or f32, but they are u8"));
  CHECK_THROWS_WITH(reading({{.name = "a", .form = SourceColumn::Form::varies}}, nothing).check(),
                    contains_text("only u8 or f32 inputs, \"x\", vary in shape"));
  CHECK_THROWS_WITH(reading({{.name = "a", .form = SourceColumn::Form::padded}}, nothing).check(),
                    contains_text("an example is a single number"));
  CHECK_THROWS_WITH(source_of(-1, {}, nothing), contains_text("no -1 examples"));
  CHECK_THROWS_WITH(source_of(1, {}, nullptr), contains_text("null function"));
  Dataset labelled = reading({{.name = "y", .dtype = i64}}, [](Example& to) { to.values<int64_t>("y")[0] = 4; });
  labelled.class_names = {"a", "b"};
  CHECK_THROWS_WITH(first(labelled), contains_text("has the class 4, but there are 2 classes"));
}

TEST_CASE("source: inputs of several shapes become one by the transforms") {
  Transform sum{.name = "sum"};
  sum.shape = [](const Shape&) { return Shape{1}; };
  sum.apply = [](std::span<const float> from, const Shape& shape, std::span<float> to, Draw&) {
    CHECK(shape.numel() == std::ssize(from));
    to[0] = std::accumulate(from.begin(), from.end(), 0.0f);
  };
  Dataset data{.source = source_of(4, {{.name = "x", .dtype = u8, .shape = {1}, .form = SourceColumn::Form::varies}},
                                   [](Example& to) { std::ranges::fill(to.values<uint8_t>("x", {to.index() + 1}), uint8_t{2}); })};
  Batcher unequal(data, {.batch = 4});
  unequal.start_epoch(0);
  CHECK_THROWS_WITH(unequal.next(), contains_text("example 1 of the data set is [2], but the first is [1]"));
  data.transforms = {sum};
  Batcher batcher(data, {.batch = 4});
  batcher.start_epoch(0);
  std::vector<double> all;
  append<float>(all, batcher.next()->inputs);
  CHECK(all == std::vector<double>{2, 4, 6, 8});
}

TEST_CASE("source: its random numbers are a function of seed, epoch and example") {
  const Dataset data{.source = source_of(12, {{.name = "x"}, {.name = "i", .dtype = i64}}, [](Example& to) {
                       Draw draw = to.draw();
                       to.values<float>("x")[0] = static_cast<float>(draw.uniform());
                       to.values<int64_t>("i")[0] = to.index();
                     })};
  const auto numbers = [&](BatchOptions options, int64_t number) {
    Batcher batcher(data, options);
    std::vector<float> all(12);
    batcher.start_epoch(number);
    while (const Batch* batch = batcher.next())
      for (size_t i = 0; i < static_cast<size_t>(batch->size); ++i)
        all[static_cast<size_t>((*batch)["i"].values<int64_t>()[i])] = batch->inputs.values<float>()[i];
    return all;
  };
  const auto some = numbers({.batch = 5, .seed = 1}, 2);
  CHECK(numbers({.batch = 3, .shuffle = true, .seed = 1, .workers = 3}, 2) == some);
  CHECK(numbers({.batch = 5, .seed = 1}, 3) != some);
  CHECK(numbers({.batch = 5, .seed = 2}, 2) != some);
  CHECK(std::set<float>(some.begin(), some.end()).size() == 12);
}

TEST_CASE("stream: starts anew with each epoch, and where it ends before the epoch does") {
  auto opened = std::make_shared<std::vector<int64_t>>();
  const Dataset data{.source = stream_of(5, {{.name = "x"}}, [opened](int64_t number) -> ReadNext {
                       opened->push_back(number);
                       return [i = 0, number](Example& to) mutable {
                         if (i == 3) return false;
                         to.values<float>("x")[0] = static_cast<float>(100 * number + i++);
                         return true;
                       };
                     })};
  Batcher batcher(data, {.batch = 2});
  const auto numbers = [&](int64_t number, int64_t first = 0) {
    std::vector<float> all;
    batcher.start_epoch(number, first);
    while (const Batch* batch = batcher.next())
      for (const float x : batch->inputs.values<float>()) all.push_back(x);
    return all;
  };
  CHECK(numbers(0) == std::vector<float>{0, 1, 2, 0, 1});
  CHECK(*opened == std::vector<int64_t>{0, 0});
  CHECK(numbers(1) == std::vector<float>{100, 101, 102, 100, 101});
  CHECK(numbers(1) == std::vector<float>{100, 101, 102, 100, 101});
  CHECK(numbers(2, 1) == std::vector<float>{202, 200, 201});  // reads past the first batch
}

#ifndef WEFT_SANITIZED  // some sanitizers end a child that makes threads
TEST_CASE("stream: a child of the process goes on where its parent was reading") {
  std::atomic<bool> reading = false;
  const Dataset data{.source = stream_of(40, {{.name = "x"}}, [&reading](int64_t) -> ReadNext {
                       return [&reading, i = 0](Example& to) mutable {
                         to.values<float>("x")[0] = static_cast<float>(i++);
                         if (i > 8) reading = true;
                         if (i > 8) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the child is made meanwhile
                         return true;
                       };
                     })};
  Batcher batcher(data, {.batch = 4});
  batcher.start_epoch(0);
  CHECK(batcher.next()->inputs.values<float>()[0] == 0);
  while (!reading) std::this_thread::yield();
  const int code = test::in_child([&] {
    for (const float first : {4.0f, 8.0f, 12.0f})
      if (batcher.next()->inputs.values<float>()[0] != first) return 1;
    return 0;
  });
  CHECK(code == 0);
  CHECK(batcher.next()->inputs.values<float>()[0] == 4);
}
#endif

TEST_CASE("stream: what does not go with it is refused") {
  const auto open = [](int64_t) -> ReadNext { return [](Example&) { return false; }; };
  const Dataset data{.source = stream_of(5, {{.name = "x"}}, open)};
  CHECK_THROWS_WITH(Batcher(data, {.shuffle = true}), contains_text("is a stream, which one worker reads in order"));
  CHECK_THROWS_WITH(Batcher(data, {.workers = 2}), contains_text("is a stream"));
  CHECK_THROWS_WITH(subset(data, {0}), contains_text("of a stream no examples can be chosen"));
  CHECK_THROWS_WITH(stream_of(0, {}, open), contains_text("at least 1 example, not 0"));
  CHECK_THROWS_WITH(stream_of(1, {}, nullptr), contains_text("null function"));
  Batcher batcher(data, {.batch = 2});
  batcher.start_epoch(0);
  CHECK_THROWS_WITH(batcher.next(), "the stream has no example, not even where it begins");
}
