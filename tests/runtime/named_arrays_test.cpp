// Data sets with arrays beside inputs and targets, and without these.

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/split.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Example i has i in every array.
Array counting(DType dtype, int64_t count, int64_t each) {
  Array array(dtype, each == 1 ? Shape{count} : Shape{count, each});
  for (int64_t i = 0; i < count * each; ++i) array.set(i, static_cast<double>(i / each));
  return array;
}

Dataset named(int64_t count) {
  Dataset data{.arrays = {{"left", counting(f32, count, 3)}, {"ids", counting(i64, count, 1)}, {"bytes", counting(u8, count, 2)}}};
  data.arrays.emplace_back("exact", counting(f64, count, 1));
  data.name = "named";
  return data;
}

}  // namespace

TEST_CASE("named arrays: batches deliver each as it is, in one order") {
  Dataset data = named(50);
  data.arrays.emplace_back("even", Array(boolean, {50}));
  for (int64_t i = 0; i < 50; ++i) data.arrays.back().second.set(i, i % 2 == 0);
  data.inputs = counting(u8, 50, 2);
  data.targets = counting(i64, 50, 1);
  data.divisor = 2;
  for (const int workers : {1, 3}) {
    Batcher batcher(data, {.batch = 8, .shuffle = true, .seed = 1, .workers = workers});
    std::vector<int64_t> seen;
    batcher.start_epoch(0);
    while (const Batch* batch = batcher.next()) {
      REQUIRE(batch->arrays.size() == 7);
      CHECK(batch->arrays[0].name == "x");
      CHECK((*batch)["left"].count() == 3 * batch->size);
      CHECK((*batch)["bytes"].dtype() == u8);
      for (size_t i = 0; i < static_cast<size_t>(batch->size); ++i) {
        const int64_t example = (*batch)["y"].values<int64_t>()[i];
        seen.push_back(example);
        const auto number = static_cast<double>(example);
        CHECK(batch->inputs.values<float>()[2 * i + 1] == number / 2);
        CHECK(batch->targets.values<int64_t>()[i] == example);
        CHECK((*batch)["left"].values<float>()[3 * i + 2] == number);
        CHECK((*batch)["ids"].values<int64_t>()[i] == example);
        CHECK((*batch)["bytes"].values<uint8_t>()[2 * i] == example);
        CHECK((*batch)["exact"].values<double>()[i] == number);
        CHECK((*batch)["even"].values<bool>()[i] == (example % 2 == 0));
      }
    }
    std::sort(seen.begin(), seen.end());
    REQUIRE(seen.size() == 50);
    for (int64_t i = 0; i < 50; ++i) CHECK(seen[static_cast<size_t>(i)] == i);
  }
}

TEST_CASE("named arrays: inputs and targets may be left out") {
  const Dataset only = named(10), images{.inputs = counting(f32, 10, 4)};
  CHECK(only.size() == 10);
  CHECK(only.columns().size() == 4);
  Batcher batcher(only, {.batch = 4});
  batcher.start_epoch(0);
  const Batch* batch = batcher.next();
  CHECK(batch->inputs.count() == 0);
  CHECK(batch->targets.count() == 0);
  CHECK_THROWS_WITH((*batch)["y"], contains_text("no array 'y'; it has 'left', 'ids', 'bytes', 'exact'"));
  CHECK_THROWS_WITH((*batch)["byte"], contains_text("did you mean 'bytes'"));

  CHECK_NOTHROW(images.check());
  REQUIRE(images.columns().size() == 1);
  CHECK(images.columns()[0].name == "x");
  Batcher alone(images, {.batch = 4});
  alone.start_epoch(0);
  CHECK(alone.next()->arrays.size() == 1);
}

TEST_CASE("named arrays: subsets and splits have them") {
  const Dataset data = named(10);
  const Dataset some = subset(data, {7, 2});
  CHECK(some.size() == 2);
  REQUIRE(some.columns().size() == 4);
  CHECK(some.arrays[0].second.values<float>()[0] == 7);
  CHECK(some.arrays[1].second.values<int64_t>()[1] == 2);
  CHECK(random_split(data, {6, 4}, 0)[1].size() == 4);
}

TEST_CASE("named arrays: what does not fit") {
  const auto refuses = [](const std::string& name, Array array, const std::string& why) {
    Dataset data = named(10);
    data.targets = counting(i64, 10, 1);
    data.arrays.emplace_back(name, std::move(array));
    CHECK_THROWS_WITH(data.check(), contains_text(why));
    CHECK_THROWS_WITH(Batcher(data, {}), contains_text(why));
  };
  refuses("ids", counting(f32, 10, 1), "two arrays called 'ids'");
  refuses("y", counting(f32, 10, 1), "two arrays called 'y'");
  refuses("", counting(f32, 10, 1), "'named' has an array without a name");
  refuses("short", counting(f32, 9, 2), "data set 'named' has 10 examples, but its array 'short' is [9,2]");
  refuses("scalar", Array(f32, Shape{}), "its array 'scalar' is []");
  Dataset data = named(10);
  data.arrays.emplace_back("x", counting(f32, 10, 1));  // there are no inputs
  CHECK_NOTHROW(data.check());
}
