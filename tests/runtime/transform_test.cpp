#include "weft/runtime/data/transform.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "weft/runtime/data/batcher.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

using Pixels = std::vector<float>;

Pixels counting(const Shape& shape) {
  Pixels all(static_cast<size_t>(shape.numel()));
  std::iota(all.begin(), all.end(), 1.0f);
  return all;
}

Pixels apply(const Transform& t, const Shape& shape, int64_t example, int64_t epoch = 0) {
  Pixels to(static_cast<size_t>(t.shape(shape).numel()), -1.0f);
  Draw draw(7, epoch, example, 0);
  t.apply(counting(shape), shape, to, draw);
  return to;
}

/// Images 3 x 4 x 4 whose pixels tell which example and place they are.
Dataset images(int64_t count) {
  Array x(f32, {count, 3, 4, 4});
  for (int64_t i = 0; i < x.shape().numel(); ++i) x.set(i, static_cast<double>(i + 1));
  Dataset data{.inputs = std::move(x), .targets = Array(i64, {count})};
  data.transforms = {transforms::random_crop(3, 3, 2), transforms::random_horizontal_flip(), transforms::normalize({1, 2, 3}, {4, 5, 6})};
  return data;
}

std::vector<Pixels> batches(const Dataset& data, BatchOptions options, int64_t epoch) {
  Batcher batcher(data, options);
  batcher.start_epoch(epoch);
  std::vector<Pixels> all;
  while (const Batch* batch = batcher.next()) {
    const auto values = batch->inputs.values<float>();
    all.emplace_back(values.begin(), values.end());
  }
  return all;
}

}  // namespace

TEST_CASE("transform: normalize subtracts the channel's mean and divides by its deviation") {
  const Pixels got = apply(transforms::normalize({1, 2}, {2, 4}), {2, 1, 2}, 0);
  CHECK(got == Pixels{0, 0.5f, 0.25f, 0.5f});
  CHECK_THROWS_WITH(transforms::normalize({1}, {1, 2}), contains_text("1 means and 2 deviations"));
  CHECK_THROWS_WITH(transforms::normalize({1}, {0}), contains_text("the deviations positive"));
  CHECK_THROWS_WITH(transforms::normalize({1, 1}, {1, 1}).shape({3, 2, 2}),
                    "normalize: means of 2 channels were given, but an example is [3,2,2]");
  CHECK_THROWS_WITH(transforms::normalize({1}, {1}).shape({4}), "normalize: an image is [channels, height, width], but an example is [4]");
}

TEST_CASE("transform: a random crop takes every place equally often, zeros outside of the image") {
  const Transform crop = transforms::random_crop(2, 3, 1);
  CHECK(crop.shape({2, 3, 4}) == Shape{2, 2, 3});
  // The image is 3 x 4 with a frame of zeros: 4 x 4 places.
  std::map<Pixels, int> seen;
  for (int64_t example = 0; example < 3200; ++example) ++seen[apply(crop, {2, 3, 4}, example)];
  CHECK(seen.size() == 16);
  for (const auto& [pixels, count] : seen) CHECK(std::abs(count - 200) < 80);
  CHECK(seen.contains(Pixels{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 13, 14}));         // top left
  CHECK(seen.contains(Pixels{6, 7, 8, 10, 11, 12, 18, 19, 20, 22, 23, 24}));  // inside
  CHECK(seen.contains(Pixels{11, 12, 0, 0, 0, 0, 23, 24, 0, 0, 0, 0}));       // bottom right
  CHECK(apply(transforms::random_crop(3, 4), {2, 3, 4}, 5) == counting({2, 3, 4}));
  CHECK(apply(transforms::random_crop(2, 2, 5), {1, 1, 1}, 3).size() == 4);  // may see nothing of the image
  CHECK_THROWS_WITH(transforms::random_crop(0, 3), contains_text("must be positive"));
  CHECK_THROWS_WITH(crop.shape({1, 3, 0}), "random_crop: 2 x 3 does not fit into an example [1,3,0] with a padding of 1");
}

TEST_CASE("transform: a flip mirrors the columns, with its probability") {
  const Pixels same = counting({2, 2, 3}), mirrored = {3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10};
  CHECK(apply(transforms::random_horizontal_flip(1), {2, 2, 3}, 0) == mirrored);
  CHECK(apply(transforms::random_horizontal_flip(0), {2, 2, 3}, 0) == same);
  int flipped = 0, changed = 0;
  for (int64_t example = 0; example < 1000; ++example) {
    const Pixels first = apply(transforms::random_horizontal_flip(0.3), {2, 2, 3}, example);
    flipped += first == mirrored;
    changed += apply(transforms::random_horizontal_flip(0.3), {2, 2, 3}, example, 1) != first;  // another epoch
  }
  CHECK(std::abs(flipped - 300) < 60);
  CHECK(std::abs(changed - 420) < 70);
  CHECK_THROWS_WITH(transforms::random_horizontal_flip(1.5), "random_horizontal_flip: 1.5 is no probability");
}

TEST_CASE("transform: batches have the same bits by seed, whatever the batch size and the number of workers") {
  const Dataset data = images(50);
  CHECK(data.input_shape(7) == Shape{7, 3, 3, 3});
  const auto one = batches(data, {.batch = 8, .shuffle = true, .seed = 3}, 2);
  REQUIRE(one.size() == 7);
  CHECK(one.back().size() == 2 * 27);
  for (const int workers : {2, 5, 16}) CHECK(batches(data, {.batch = 8, .shuffle = true, .seed = 3, .workers = workers}, 2) == one);
  Pixels joined, singles;
  for (const Pixels& batch : one) joined.insert(joined.end(), batch.begin(), batch.end());
  for (const Pixels& batch : batches(data, {.batch = 1, .shuffle = true, .seed = 3, .workers = 3}, 2))
    singles.insert(singles.end(), batch.begin(), batch.end());
  CHECK(joined == singles);
  CHECK(batches(data, {.batch = 8, .seed = 3}, 0) != batches(data, {.batch = 8, .seed = 3}, 1));  // transformed anew each epoch
  CHECK(batches(data, {.batch = 8, .seed = 3}, 0) != batches(data, {.batch = 8, .seed = 4}, 0));
}

TEST_CASE("transform: every example and every transform of it draws its own numbers") {
  // 256 equal images 1 x 1 x 2, flipped once: by chance alone, so that no half repeats another.
  Dataset data{.inputs = Array(f32, {256, 1, 1, 2}), .targets = Array(i64, {256})};
  for (int64_t i = 0; i < 256; ++i) data.inputs.set(2 * i, 1);
  data.transforms = {transforms::random_horizontal_flip()};
  const Pixels once = batches(data, {.batch = 256}, 0)[0];
  for (size_t period = 2; period <= 256; period *= 2)
    CHECK_FALSE(std::equal(once.begin() + static_cast<std::ptrdiff_t>(period), once.end(), once.begin()));
  data.transforms.push_back(transforms::random_horizontal_flip());
  const Pixels twice = batches(data, {.batch = 256}, 0)[0];
  int mirrored = 0;
  for (size_t i = 0; i < 256; ++i) mirrored += twice[2 * i] == 0;
  CHECK(std::abs(mirrored - 128) < 40);  // the second is not always the first again
}

TEST_CASE("transform: u8 images are divided first; a data set without random transforms stays what it is") {
  Dataset data{.inputs = Array(u8, {2, 1, 2, 2}), .targets = Array(i64, {2}), .divisor = 255};
  for (int64_t i = 0; i < 8; ++i) data.inputs.set(i, static_cast<double>(30 * i));
  data.transforms = {transforms::normalize({0.5f}, {0.25f})};
  const auto got = batches(data, {.batch = 2}, 0);
  for (size_t i = 0; i < 8; ++i) CHECK(got[0][i] == (static_cast<float>(30 * i) / 255.0f - 0.5f) / 0.25f);
}

TEST_CASE("transform: one that does not fit is refused before anything is loaded") {
  Dataset data = images(2);
  data.transforms.push_back(transforms::random_crop(4, 4));
  CHECK_THROWS_WITH(data.check(), "random_crop: 4 x 4 does not fit into an example [3,3,3] with a padding of 0");
  Dataset ids{.inputs = Array(i64, {2, 3, 2, 2}), .targets = Array(i64, {2})};
  ids.transforms = {transforms::random_horizontal_flip()};
  CHECK_THROWS_WITH(Batcher(ids, {}),
                    contains_text("i64 inputs are delivered as they are, but the data set has the transform 'random_horizontal_flip'"));
}
