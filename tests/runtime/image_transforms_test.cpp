#include "weft/runtime/data/image_transforms.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/pictures.h"

using namespace weft;

namespace {

using Pixels = std::vector<float>;
using Arguments = std::vector<double>;

Pixels apply(const Transform& t, const Pixels& from, const Shape& shape, int64_t example = 0) {
  Pixels to(static_cast<size_t>(t.shape(shape).numel()), -9.0f);
  Draw draw(7, 0, example, 0);
  t.apply(from, shape, to, draw);
  return to;
}

int64_t whole(double x) { return static_cast<int64_t>(x); }

const std::map<std::string, std::function<Transform(const Arguments&)>> named = {
    {"resize", [](const Arguments& a) { return transforms::resize(whole(a[0]), whole(a[1])); }},
    {"resize_shorter", [](const Arguments& a) { return transforms::resize(whole(a[0])); }},
    {"center_crop", [](const Arguments& a) { return transforms::center_crop(whole(a[0]), whole(a[1])); }},
    {"brightness", [](const Arguments& a) { return transforms::color_jitter({.brightness = {a[0], a[0]}}); }},
    {"contrast", [](const Arguments& a) { return transforms::color_jitter({.contrast = {a[0], a[0]}}); }},
    {"saturation", [](const Arguments& a) { return transforms::color_jitter({.saturation = {a[0], a[0]}}); }},
    {"hue", [](const Arguments& a) { return transforms::color_jitter({.hue = {a[0], a[0]}}); }},
    {"rotate", [](const Arguments& a) { return transforms::random_rotation({a[0], a[0]}); }},
    {"rotate_bilinear",
     [](const Arguments& a) { return transforms::random_rotation({a[0], a[0]}, {.bilinear = true, .fill = static_cast<float>(a[1])}); }},
    {"random_resized_crop",
     [](const Arguments& a) {
       return transforms::random_resized_crop(whole(a[0]), whole(a[1]), {.scale = {a[2], a[3]}, .ratio = {a[4], a[5]}});
     }},
};

}  // namespace

TEST_CASE("image transforms: what torchvision gives") {
  std::set<std::string> seen;
  const auto all = test::expected_pictures();
  for (const auto& expected : all["transforms"]) {
    const std::string name = expected["name"];
    INFO(expected["name"] << expected["shape"] << expected["arguments"]);
    const Shape shape(expected["shape"].get<Dims>());
    const Transform t = named.at(name)(expected["arguments"].get<Arguments>());
    CHECK(t.shape(shape) == Shape(expected["result_shape"].get<Dims>()));
    const Pixels got = apply(t, test::drawn(shape), shape), wanted = expected["result"].get<Pixels>();
    REQUIRE(got.size() == wanted.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(wanted[i]).margin(2e-6));
    seen.insert(name);
  }
  CHECK(seen.size() == named.size());
}

TEST_CASE("image transforms: a random part has its area and its ratio") {
  // A picture whose pixels tell their place: what is left of a linear one is linear.
  const Shape shape{2, 40, 60};
  Pixels from;
  for (int axis = 0; axis < 2; ++axis)
    for (int64_t y = 0; y < 40; ++y)
      for (int64_t x = 0; x < 60; ++x) from.push_back(static_cast<float>(axis == 0 ? y : x));
  const Transform t = transforms::random_resized_crop(8, 8, {.scale = {0.25, 0.5}, .ratio = {0.5, 2}});
  std::set<float> tops;
  for (int64_t example = 0; example < 300; ++example) {
    const Pixels got = apply(t, from, shape, example);
    const float height = (got[56] - got[0]) / 7 * 8, width = (got[64 + 7] - got[64]) / 7 * 8;  // of the part, within a pixel
    CHECK(height * width > 0.15f * 2400);
    CHECK(height * width < 0.6f * 2400);
    CHECK(width / height > 0.4f);
    CHECK(width / height < 2.4f);
    CHECK(*std::min_element(got.begin(), got.end()) >= 0);
    CHECK(*std::max_element(got.begin(), got.end()) <= 59);
    tops.insert(got[0]);
  }
  CHECK(tops.size() > 50);
  CHECK(apply(t, from, shape, 5) == apply(t, from, shape, 5));
}

TEST_CASE("image transforms: colours jitter within their ranges, in any order") {
  const Shape shape{3, 2, 2};
  const Pixels from = test::drawn(shape);
  const Transform bright = transforms::color_jitter({.brightness = {0.5, 0.8}});
  std::set<float> factors;
  for (int64_t example = 0; example < 100; ++example) {
    const float factor = apply(bright, from, shape, example)[1] / from[1];
    CHECK(factor >= 0.4999f);
    CHECK(factor < 0.8001f);
    factors.insert(factor);
  }
  CHECK(factors.size() > 90);
  CHECK(apply(transforms::color_jitter({}), from, shape) == from);
  // Brightness before contrast and after it are two results.
  const Transform both = transforms::color_jitter({.brightness = {0.5, 0.5}, .contrast = {0.5, 0.5}});
  const Transform saturated = transforms::color_jitter({.brightness = {3, 3}, .contrast = {0.2, 0.2}});
  std::set<Pixels> results;
  for (int64_t example = 0; example < 50; ++example) results.insert(apply(saturated, from, shape, example));
  CHECK(results.size() == 2);
  CHECK(apply(both, from, shape).size() == 12);
}

TEST_CASE("image transforms: an erased rectangle and holes") {
  const Shape shape{2, 20, 30};
  const Pixels ones(1200, 1.0f);
  const Transform t = transforms::random_erasing({.probability = 0.5, .scale = {0.1, 0.2}, .ratio = {0.5, 2}, .value = 7});
  int erased = 0;
  for (int64_t example = 0; example < 400; ++example) {
    const Pixels got = apply(t, ones, shape, example);
    const auto count = std::count(got.begin(), got.begin() + 600, 7.0f);
    if (count == 0) {
      CHECK(got == ones);
      continue;
    }
    ++erased;
    CHECK(count > 45);
    CHECK(count < 140);
    CHECK(std::equal(got.begin(), got.begin() + 600, got.begin() + 600));  // the same in both channels
    // A rectangle: as many as its rows and columns have it.
    std::set<size_t> rows, columns;
    for (size_t i = 0; i < 600; ++i)
      if (got[i] == 7) rows.insert(i / 30), columns.insert(i % 30);
    CHECK(static_cast<size_t>(count) == rows.size() * columns.size());
  }
  CHECK(erased > 150);
  CHECK(erased < 250);
  std::set<std::ptrdiff_t> counts;
  for (int64_t example = 0; example < 200; ++example) {
    const Pixels got = apply(transforms::cutout(8), ones, shape, example);
    counts.insert(std::count(got.begin(), got.begin() + 600, 0.0f));
  }
  CHECK(*counts.rbegin() == 64);
  CHECK(*counts.begin() >= 16);  // a corner's quarter
  CHECK(counts.size() > 5);
}

TEST_CASE("image transforms: what does not go is told") {
  CHECK_THROWS_WITH(transforms::resize(0, 3), "resize: height (0) and width (3) must be positive");
  CHECK_THROWS_WITH(transforms::resize(4).shape({4}),
                    contains_text("resize: an image is [channels, height, width], but an example is [4]"));
  CHECK_THROWS_WITH(transforms::resize(4).shape({1, 0, 4}), contains_text("has no pixels"));
  CHECK_THROWS_WITH(transforms::center_crop(-1, 3), contains_text("center_crop: height (-1)"));
  CHECK_THROWS_WITH(transforms::random_resized_crop(3, 3, {.scale = {0, 1}}), contains_text(".scale (0, 1) lies in (0, 1]"));
  CHECK_THROWS_WITH(transforms::random_resized_crop(3, 3, {.ratio = {2, 1}}), contains_text(".ratio (2, 1)"));
  CHECK_THROWS_WITH(transforms::color_jitter({.hue = {-0.6, 0}}), contains_text(".hue (-0.6, 0) lies from -0.5 to 0.5"));
  CHECK_THROWS_WITH(transforms::color_jitter({.contrast = {NAN, 1}}), contains_text(".contrast (nan, 1)"));
  CHECK_THROWS_WITH(transforms::color_jitter({}).shape({2, 4, 4}), contains_text("1 or 3 channels"));
  CHECK_THROWS_WITH(transforms::random_rotation({10, 5}), contains_text("from 10 to 5 degrees"));
  CHECK_THROWS_WITH(transforms::random_erasing({.probability = 2}), contains_text("2 is no probability"));
  CHECK_THROWS_WITH(transforms::random_erasing({.scale = {0, 2}}), contains_text(".scale (0, 2)"));
  CHECK_THROWS_WITH(transforms::cutout(0), contains_text("length (0)"));
}
