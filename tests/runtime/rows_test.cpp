#include "weft/runtime/data/rows.h"

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/mixup.h"
#include "weft/runtime/data/split.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::vector<double> values(const Array& array) {
  std::vector<double> all;
  for (int64_t i = 0; i < array.shape().numel(); ++i) all.push_back(array.at(i));
  return all;
}

template <class T>
std::vector<T> values(const View& view) {
  const auto all = view.values<T>();
  return {all.begin(), all.end()};
}

const std::vector<std::vector<int64_t>> tokens{{1, 2}, {3, 4, 5, 6, 7}, {}, {8, 9, 10}};

}  // namespace

TEST_CASE("rows: padded to the longest, with a mask") {
  const RaggedRows rows = RaggedRows::of(tokens);
  CHECK(rows.lengths == std::vector<int64_t>{2, 5, 0, 3});
  const Array padded = pad_sequence(rows, -1);
  CHECK(padded.shape() == Shape{4, 5});
  CHECK(values(padded) == std::vector<double>{1, 2, -1, -1, -1, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, 8, 9, 10, -1, -1});
  const Array mask = padding_mask(rows.lengths);
  CHECK(mask.dtype() == boolean);
  CHECK(values(mask) == std::vector<double>{1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0});
  const RaggedRows wide{Array::of<float>({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}), {1, 2}};
  CHECK(pad_sequence(wide).shape() == Shape{2, 2, 2});
  CHECK(values(pad_sequence(wide)) == std::vector<double>{1, 2, 0, 0, 3, 4, 5, 6});
  CHECK(pad_sequence(RaggedRows::of(std::vector<std::vector<float>>{})).shape() == Shape{0, 0});
  CHECK_THROWS_WITH(pad_sequence({Array(f32, {3}), {1, 1}}), contains_text("rows of 2 in all are given as an array [3]"));
  CHECK_THROWS_WITH(pad_sequence({Array(f32, {3}), {4, -1}}), contains_text("row 1 has the length -1"));
  CHECK_THROWS_WITH(padding_mask({-2}), contains_text("row 0 has the length -2"));
}

TEST_CASE("rows: a batch has the smallest length that holds its rows") {
  const Dataset data{
      .source = padded_rows({{"x", RaggedRows::of(tokens)}, {"y", RaggedRows::of(tokens), ignored_label}}, {.lengths = {2, 4, 6}})};
  CHECK(data.input_shape(3) == Shape{3, 6});
  for (const int workers : {1, 2}) {
    Batcher batcher(data, {.batch = 1, .workers = workers});
    batcher.start_epoch(0);
    std::vector<std::vector<int64_t>> x, y;
    std::vector<int64_t> lengths;
    std::vector<std::vector<bool>> masks;
    while (const Batch* batch = batcher.next()) {
      x.push_back(values<int64_t>(batch->inputs)), y.push_back(values<int64_t>(batch->targets));
      masks.push_back(values<bool>((*batch)["mask"]));
      lengths.push_back(batch->padded_length);
    }
    CHECK(lengths == std::vector<int64_t>{2, 6, 2, 4});
    CHECK(x == std::vector<std::vector<int64_t>>{{1, 2}, {3, 4, 5, 6, 7, 0}, {0, 0}, {8, 9, 10, 0}});
    CHECK(y == std::vector<std::vector<int64_t>>{{1, 2}, {3, 4, 5, 6, 7, -100}, {-100, -100}, {8, 9, 10, -100}});
    CHECK(masks == std::vector<std::vector<bool>>{{1, 1}, {1, 1, 1, 1, 1, 0}, {0, 0}, {1, 1, 1, 0}});
  }
  Batcher together(data, {.batch = 2});
  together.start_epoch(0, 1);
  const Batch* batch = together.next();
  CHECK(batch->padded_length == 4);
  CHECK(values<int64_t>(batch->inputs) == std::vector<int64_t>{0, 0, 0, 0, 8, 9, 10, 0});
  const Dataset part = subset(data, {3, 0});
  Batcher chosen(part, {.batch = 2});
  chosen.start_epoch(0);
  CHECK(values<int64_t>(chosen.next()->inputs) == std::vector<int64_t>{8, 9, 10, 0, 1, 2, 0, 0});
}

TEST_CASE("rows: without lengths all batches have the longest row's, and masks may be left out") {
  const Dataset data{.source = padded_rows({{"x", RaggedRows::of(tokens)}}, {.mask = ""})};
  CHECK(data.columns().size() == 1);
  Batcher batcher(data, {.batch = 4});
  batcher.start_epoch(0);
  CHECK(batcher.next()->inputs.count() == 20);
}

TEST_CASE("rows: of bytes, divided, in the length of their batch") {
  Dataset data{.divisor = 2,
               .source = padded_rows({{"x", RaggedRows::of(std::vector<std::vector<uint8_t>>{{2, 4, 6}, {8}})}}, {.lengths = {1, 3}})};
  Batcher batcher(data, {.batch = 1});
  batcher.start_epoch(0);
  CHECK(values<float>(batcher.next()->inputs) == std::vector<float>{1, 2, 3});
  CHECK(values<float>(batcher.next()->inputs) == std::vector<float>{4});
}

TEST_CASE("rows: what does not go together is told") {
  CHECK_THROWS_WITH(padded_rows({}), contains_text("at least one column"));
  CHECK_THROWS_WITH(padded_rows({{"x", RaggedRows::of(tokens)}, {"y", RaggedRows::of(std::vector<std::vector<int64_t>>{{1}})}}),
                    contains_text("rows of 'y' have other lengths than those of 'x'"));
  CHECK_THROWS_WITH(padded_rows({{"x", RaggedRows::of(tokens)}}, {.lengths = {2, 4}}),
                    contains_text(".lengths end with 4, but the longest row has 5"));
  CHECK_THROWS_WITH(padded_rows({{"x", RaggedRows::of(tokens)}}, {.lengths = {5, 5}}), contains_text(".lengths must ascend"));
  struct Lying : ExampleSource {
    int64_t size() const override { return 1; }
    std::vector<SourceColumn> columns() const override { return {{.name = "a", .shape = {3}, .form = SourceColumn::Form::padded}}; }
    void read(Example&) const override {}
    std::vector<int64_t> padded_lengths() const override { return {1, 2}; }
  };
  CHECK_THROWS_WITH(Dataset{.source = std::make_shared<Lying>()}.check(), contains_text("end with the longest, 3"));
}

TEST_CASE("mixup: each example is blended with the one before it, and so are the labels") {
  Array x(f32, {6, 2}), y(i64, {6});
  for (int64_t i = 0; i < 6; ++i) x.set(2 * i, static_cast<double>(i)), x.set(2 * i + 1, 10), y.set(i, static_cast<double>(i % 3));
  Dataset data{.inputs = std::move(x), .targets = std::move(y)};
  data.mixup = Mixup{.alpha = 0.5, .classes = 3};
  CHECK(data.target_shape(4) == Shape{4, 3});
  CHECK(data.target_dtype() == f32);
  Batcher batcher(data, {.batch = 4, .seed = 11});
  batcher.start_epoch(5);
  for (const int64_t index : {0, 1}) {
    const Batch* batch = batcher.next();
    const auto share = static_cast<float>(mixup_share(0.5, 11, 5, index));
    const auto inputs = values<float>(batch->inputs), targets = values<float>(batch->targets);
    for (int64_t i = 0; i < batch->size; ++i) {
      const int64_t own = 4 * index + i, before = 4 * index + (i > 0 ? i : batch->size) - 1;
      const auto at = static_cast<size_t>(i);
      CHECK(inputs[2 * at] == Approx(share * static_cast<float>(own) + (1 - share) * static_cast<float>(before)));
      CHECK(inputs[2 * at + 1] == Approx(10));
      for (int64_t c = 0; c < 3; ++c)
        CHECK(targets[3 * at + static_cast<size_t>(c)] ==
              Approx(share * static_cast<float>(own % 3 == c) + (1 - share) * static_cast<float>(before % 3 == c)).margin(1e-7));
    }
  }
}

TEST_CASE("mixup: its share has the moments of Beta(alpha, alpha)") {
  for (const double alpha : {0.1, 1.0, 4.0}) {
    double sum = 0, squares = 0;
    constexpr int draws = 20'000;
    for (int64_t i = 0; i < draws; ++i) {
      const double share = mixup_share(alpha, 1, 0, i);
      CHECK((share >= 0 && share <= 1));
      sum += share, squares += (share - 0.5) * (share - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    CHECK(sum / draws == Approx(0.5).margin(5 * std::sqrt(variance / draws)));
    CHECK(squares / draws == Approx(variance).epsilon(0.04));
  }
}

TEST_CASE("mixup: what it does not take is told") {
  Dataset data{.inputs = Array(f32, {4, 2}), .targets = Array(i64, {4})};
  data.mixup = Mixup{};
  CHECK_THROWS_WITH(data.check(), contains_text("needs .classes"));
  data.mixup = Mixup{.alpha = 0, .classes = 2};
  CHECK_THROWS_WITH(data.check(), contains_text("alpha must be positive and finite, but it is 0"));
  data.mixup = Mixup{.classes = 2};
  data.check();
  data.targets = Array(f32, {4});
  CHECK_THROWS_WITH(data.check(), contains_text("targets that are one class index each"));
  data.targets = Array::of<int64_t>({4}, std::vector<int64_t>{0, 1, 2, 0});
  Batcher batcher(data, {.batch = 4});
  batcher.start_epoch(0);
  CHECK_THROWS_WITH(batcher.next(), contains_text("example 2 of the data set has the class 2, but there are 2 classes"));
}
