#include "weft/runtime/data/split.h"

#include <algorithm>

#include "weft/runtime/data/batcher.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

Dataset numbered(int64_t count) {
  Array x(u8, {count, 2}), y(i64, {count});
  for (int64_t i = 0; i < count; ++i) x.set(2 * i + 1, static_cast<double>(i)), y.set(i, static_cast<double>(i));
  Dataset data{.inputs = std::move(x), .targets = std::move(y), .divisor = 255};
  data.class_names = {"a", "b"};
  data.name = "numbered";
  return data;
}

std::vector<int64_t> labels(const Dataset& data) {
  for (int64_t i = 0; i < data.size(); ++i) REQUIRE(data.inputs.at(2 * i + 1) == data.targets.at(i));
  const auto all = data.targets.values<int64_t>();
  return {all.begin(), all.end()};
}

using Labels = std::vector<int64_t>;

}  // namespace

TEST_CASE("split: by given indices, in the order given") {
  const Dataset data = numbered(6);
  const auto [train, validation] = split(data, {4, 1});
  CHECK(labels(train) == Labels{0, 2, 3, 5});
  CHECK(labels(validation) == Labels{4, 1});
  for (const Dataset* part : {&train, &validation}) {
    CHECK(part->divisor == 255);
    CHECK(part->class_names == data.class_names);
    CHECK(part->name == "numbered");
  }
  CHECK(labels(split(data, {}).train).size() == 6);
  CHECK(split(data, {}).validation.size() == 0);
  CHECK_THROWS_WITH(split(data, {6}), "data set 'numbered' has no example 6: it has 6, counted from 0");
  CHECK_THROWS_WITH(split(data, {-1}), contains_text("no example -1"));
  CHECK_THROWS_WITH(split(data, {2, 3, 2}), "example 2 of data set 'numbered' is chosen twice");
}

TEST_CASE("split: a slice, and a subset with repetitions") {
  const Dataset data = numbered(5);
  CHECK(labels(slice(data, 1, 3)) == Labels{1, 2, 3});
  CHECK(slice(data, 5, 0).size() == 0);
  CHECK(labels(subset(data, Labels{3, 3, 0})) == Labels{3, 3, 0});
  CHECK_THROWS_WITH(slice(data, 3, 3), "data set 'numbered' has 5 examples, so there are no 3 from 3 on");
  CHECK_THROWS_AS(slice(data, -1, 2), Error);
}

TEST_CASE("split: at random, every example once, the same by seed") {
  const Dataset data = numbered(20);
  const std::vector<Dataset> parts = random_split(data, {15, 0, 5}, 3);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].size() == 15);
  CHECK(parts[1].size() == 0);
  Labels all = labels(parts[0]), last = labels(parts[2]);
  all.insert(all.end(), last.begin(), last.end());
  CHECK_FALSE(std::is_sorted(all.begin(), all.end()));
  CHECK(labels(random_split(data, {15, 0, 5}, 3)[2]) == last);
  CHECK(labels(random_split(data, {15, 0, 5}, 4)[2]) != last);
  Labels epoch(20);
  shuffle_order(epoch, 3, 0);
  CHECK(labels(random_split(data, {20}, 3)[0]) != epoch);  // a batcher of the same seed takes another order
  std::sort(all.begin(), all.end());
  CHECK(all == labels(data));
  const auto [large, small] = random_split<2>(data, {15, 5}, 3);
  CHECK(labels(large) == labels(random_split(data, {15, 5}, 3)[0]));
  CHECK(small.size() == 5);
  CHECK_THROWS_WITH(random_split(data, {15, 4}, 3), "data set 'numbered' has 20 examples and cannot be split into parts of 15, 4");
  CHECK_THROWS_AS(random_split(data, {21, -1}, 3), Error);
}
