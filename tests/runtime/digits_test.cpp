#include "weft/runtime/data/digits.h"

#include <algorithm>
#include <array>

#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// FNV-1a.
uint64_t hash(const Array& array) {
  uint64_t value = 14695981039346656037u;
  for (size_t i = 0; i < array.bytes(); ++i) value = (value ^ std::to_integer<uint64_t>(array.data()[i])) * 1099511628211u;
  return value;
}

}  // namespace

TEST_CASE("digits: shapes and types") {
  const Dataset set = generate_digits(20, 3);
  CHECK(set.inputs.dtype() == u8);
  CHECK(set.inputs.shape() == Shape{20, 1, 28, 28});
  CHECK(set.targets.dtype() == i64);
  CHECK(set.targets.shape() == Shape{20});
  CHECK(set.divisor == 255.0f);
  CHECK(set.class_names.size() == 10);
  CHECK(set.class_names[9] == "9");
  CHECK(generate_digits(0, 3).size() == 0);
  CHECK_THROWS_WITH(generate_digits(-1, 3), "cannot generate -1 digits");
}

TEST_CASE("digits: the same images on every machine and in every version") {
  const Dataset set = generate_digits(500, 7);
  CHECK(hash(set.inputs) == 7648665079956436974u);
  CHECK(hash(set.targets) == 7586854575022129931u);
}

TEST_CASE("digits: a longer set starts with the shorter ones, other seeds differ") {
  const Dataset few = generate_digits(10, 5), more = generate_digits(30, 5), other = generate_digits(10, 6);
  CHECK(std::equal(few.inputs.data(), few.inputs.data() + few.inputs.bytes(), more.inputs.data()));
  CHECK(hash(few.inputs) != hash(other.inputs));
}

TEST_CASE("digits: all classes, about equally often, none of them blank") {
  const Dataset set = generate_digits(5000, 1);
  std::array<int, 10> counts{};
  for (const int64_t label : set.targets.values<int64_t>()) ++counts.at(static_cast<size_t>(label));
  for (const int count : counts) CHECK(std::abs(count - 500) < 100);
  const auto pixels = set.inputs.values<uint8_t>();
  for (size_t i = 0; i < 5000; ++i) {
    const auto image = pixels.subspan(i * 784, 784);
    REQUIRE(std::count_if(image.begin(), image.end(), [](uint8_t p) { return p > 80; }) >= 12);
  }
}

TEST_CASE("digits: nearest centroid stays below 80 %, and is far above chance") {
  const Dataset train = generate_digits(10000, 1), test = generate_digits(2000, 2);
  std::vector<std::array<double, 784>> centroids(10);
  std::array<double, 10> counts{};
  for (size_t i = 0; i < 10000; ++i) {
    const auto label = static_cast<size_t>(train.targets.values<int64_t>()[i]);
    ++counts[label];
    for (size_t p = 0; p < 784; ++p) centroids[label][p] += train.inputs.values<uint8_t>()[i * 784 + p];
  }
  for (size_t c = 0; c < 10; ++c)
    for (double& value : centroids[c]) value /= counts[c];

  int right = 0;
  for (size_t i = 0; i < 2000; ++i) {
    std::array<double, 10> distances{};
    const auto image = test.inputs.values<uint8_t>().subspan(i * 784, 784);
    for (size_t c = 0; c < 10; ++c)
      for (size_t p = 0; p < 784; ++p) distances[c] += (image[p] - centroids[c][p]) * (image[p] - centroids[c][p]);
    const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
    right += nearest == test.targets.values<int64_t>()[i];
  }
  CHECK(right < 1600);
  CHECK(right > 1000);
}
