#include "weft/runtime/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "weft/support/philox.h"

namespace weft {
namespace {

constexpr int side = 28;
constexpr int64_t pixel = 1024;                // lengths on the page are in 1/1024 pixel
constexpr int64_t one = 65536;                 // factors are in 1/65536
constexpr uint32_t digits_site = 0xD1610000u;  // apart from the sites of ops, which count from 0

struct Point {
  int64_t x, y;
};

/// A line through all points, straight or curved (a Catmull-Rom spline); a curve may close smoothly.
struct Stroke {
  bool curved;
  std::vector<Point> points;
};
using Glyph = std::vector<Stroke>;
constexpr bool curve = true, line = false;

/// The ways to write a digit, in a box of 100 x 100, y downwards.
// clang-format off
const std::vector<Glyph>& styles_of(int64_t digit) {
  static const std::array<std::vector<Glyph>, 10> styles = {{
      {   // 0: round, narrow, begun and ended apart
       {{curve, {{50, 0}, {24, 12}, {14, 50}, {26, 90}, {50, 100}, {75, 90}, {86, 50}, {76, 12}, {50, 0}}}},
       {{curve, {{50, 0}, {32, 14}, {26, 50}, {32, 86}, {50, 100}, {68, 86}, {74, 50}, {68, 14}, {50, 0}}}},
       {{curve, {{62, 4}, {34, 6}, {16, 36}, {18, 78}, {44, 100}, {74, 86}, {86, 48}, {74, 14}, {46, 0}}}}},
      {   // 1: a bar, with a flag, with flag and foot
       {{line, {{50, 0}, {50, 100}}}},
       {{line, {{32, 20}, {54, 0}, {54, 100}}}},
       {{line, {{30, 22}, {52, 0}, {52, 100}}}, {line, {{28, 100}, {76, 100}}}}},
      {   // 2: straight foot, looped foot, broad
       {{curve, {{20, 24}, {30, 6}, {52, 0}, {76, 12}, {74, 38}, {50, 66}, {18, 100}}}, {line, {{18, 100}, {84, 100}}}},
       {{curve, {{22, 22}, {34, 4}, {58, 2}, {76, 20}, {66, 48}, {42, 76}, {24, 96}, {14, 88}, {26, 78}, {48, 88},
                 {66, 100}, {88, 92}}}},
       {{curve, {{14, 18}, {40, 2}, {70, 6}, {82, 28}, {60, 56}, {34, 80}, {16, 98}}},
        {curve, {{16, 98}, {50, 92}, {88, 98}}}}},
      {   // 3: two bows, flat top, large lower bow
       {{curve, {{20, 14}, {46, 0}, {74, 12}, {72, 36}, {46, 48}}},
        {curve, {{46, 48}, {78, 60}, {80, 84}, {50, 100}, {18, 88}}}},
       {{line, {{20, 0}, {78, 0}, {46, 40}}}, {curve, {{46, 40}, {74, 48}, {84, 74}, {60, 98}, {32, 98}, {16, 86}}}},
       {{curve, {{24, 8}, {50, 0}, {68, 14}, {60, 34}, {36, 42}}},
        {curve, {{36, 42}, {70, 46}, {84, 72}, {62, 98}, {16, 94}}}}},
      {   // 4: open, closed, curved
       {{line, {{26, 0}, {18, 56}, {84, 56}}}, {line, {{70, 12}, {68, 100}}}},
       {{line, {{64, 100}, {64, 0}, {12, 66}, {88, 66}}}},
       {{curve, {{24, 4}, {18, 36}, {34, 54}, {74, 44}}}, {line, {{78, 0}, {70, 100}}}}},
      {   // 5: with corner, one curve, broad
       {{line, {{82, 0}, {28, 0}, {22, 44}}}, {curve, {{22, 44}, {52, 36}, {82, 56}, {76, 88}, {46, 100}, {16, 90}}}},
       {{curve, {{80, 2}, {44, 4}, {28, 20}, {34, 42}, {64, 54}, {78, 76}, {58, 98}, {20, 96}}}},
       {{line, {{26, 4}, {22, 48}}}, {line, {{26, 4}, {86, 0}}},
        {curve, {{22, 48}, {58, 42}, {80, 66}, {62, 96}, {14, 94}}}}},
      {   // 6: round, straight stem, large loop
       {{curve, {{74, 4}, {44, 14}, {22, 50}, {22, 84}, {48, 100}, {76, 88}, {78, 62}, {52, 52}, {24, 72}}}},
       {{curve, {{58, 0}, {34, 40}, {20, 76}, {38, 98}, {66, 94}, {74, 72}, {54, 58}, {26, 70}}}},
       {{curve, {{60, 0}, {28, 24}, {14, 62}, {30, 94}, {64, 98}, {84, 74}, {70, 48}, {40, 46}, {18, 66}}}}},
      {   // 7: plain, crossed, with a serif and a bent stem
       {{line, {{16, 0}, {82, 0}, {42, 100}}}},
       {{line, {{16, 2}, {84, 0}, {38, 100}}}, {line, {{34, 50}, {76, 48}}}},
       {{line, {{18, 18}, {20, 2}, {82, 2}}}, {curve, {{82, 2}, {60, 36}, {48, 68}, {46, 100}}}}},
      {   // 8: crossing strokes, two rings, slim
       {{curve, {{72, 14}, {48, 0}, {24, 16}, {34, 40}, {66, 58}, {80, 80}, {50, 100}, {20, 82}, {34, 58},
                 {66, 40}, {72, 14}}}},
       {{curve, {{50, 0}, {26, 22}, {50, 46}, {74, 22}, {50, 0}}},
        {curve, {{50, 46}, {18, 74}, {50, 100}, {82, 74}, {50, 46}}}},
       {{curve, {{66, 10}, {44, 2}, {32, 20}, {46, 44}, {64, 66}, {66, 90}, {44, 100}, {30, 84}, {42, 58},
                 {64, 30}, {66, 10}}}}},
      {   // 9: straight stem, round tail, bent stem
       {{curve, {{76, 18}, {52, 0}, {24, 14}, {24, 42}, {50, 52}, {76, 30}}}, {line, {{78, 8}, {72, 100}}}},
       {{curve, {{78, 26}, {60, 2}, {30, 6}, {20, 34}, {42, 52}, {72, 40}, {78, 26}}},
        {curve, {{78, 26}, {80, 62}, {64, 94}, {26, 96}}}},
       {{curve, {{74, 20}, {50, 2}, {24, 18}, {30, 46}, {58, 46}, {74, 20}}},
        {curve, {{74, 20}, {66, 60}, {44, 100}}}}},
  }};
  return styles[static_cast<size_t>(digit)];
}
// clang-format on

/// The random numbers of one image, in the order drawn.
class Draws {
 public:
  Draws(uint64_t seed, int64_t image) : seed_(seed), image_(static_cast<uint64_t>(image)) {}

  uint32_t bits() {
    if (count_ % 4 == 0)
      block_ = philox4x32({count_ / 4, static_cast<uint32_t>(image_), static_cast<uint32_t>(image_ >> 32), digits_site},
                          {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    return block_[count_++ % 4];
  }
  /// Uniform in [low, high].
  int64_t uniform(int64_t low, int64_t high) {
    return low + static_cast<int64_t>((uint64_t{bits()} * static_cast<uint64_t>(high - low + 1)) >> 32);
  }
  /// In [-limit, limit], the middle more often.
  int64_t around_zero(int64_t limit) { return (uniform(-limit, limit) + uniform(-limit, limit)) / 2; }

 private:
  uint64_t seed_, image_;
  uint32_t count_ = 0;
  std::array<uint32_t, 4> block_{};
};

/// Where a point of the 100 x 100 box (given in 1/64 of its units) comes to lie on the page.
class Placement {
 public:
  explicit Placement(Draws& draws) {
    // The rotation by an angle of tangent 2t / (1 - t^2); shear and scale come first.
    const int64_t t = draws.around_zero(one * 20 / 100);
    const int64_t norm = one + t * t / one;
    const int64_t cosine = (one - t * t / one) * one / norm, sine = 2 * t * one / norm;
    const int64_t shear = draws.around_zero(one * 40 / 100);
    const int64_t size = draws.uniform(70, 110);
    const int64_t width = size * draws.uniform(75, 115) / 100;
    // 100 units are 20 pixels.
    const int64_t x_scale = one * width / 100 * (20 * pixel) / 6400, y_scale = one * size / 100 * (20 * pixel) / 6400;
    xx_ = cosine * x_scale / one;
    yx_ = sine * x_scale / one;
    const int64_t sheared = shear * y_scale / one;
    xy_ = (cosine * sheared - sine * y_scale) / one;
    yy_ = (sine * sheared + cosine * y_scale) / one;
    x_ = side * pixel / 2 + draws.around_zero(4 * pixel);
    y_ = side * pixel / 2 + draws.around_zero(3 * pixel);
    for (Point& p : wobble_) p = {draws.around_zero(3 * pixel / 2), draws.around_zero(3 * pixel / 2)};
  }

  Point operator()(Point p) const {
    p = {p.x - 3200, p.y - 3200};
    const Point straight = {x_ + (xx_ * p.x + xy_ * p.y) / one, y_ + (yx_ * p.x + yy_ * p.y) / one};
    const Point bend = wobble_at(straight);
    return {straight.x + bend.x, straight.y + bend.y};
  }

 private:
  /// Bilinear between the displacements at the nodes of a grid over the page.
  Point wobble_at(Point p) const {
    constexpr int64_t cell = side * pixel / (nodes - 1);
    const int64_t x = std::clamp<int64_t>(p.x, 0, side * pixel - 4), y = std::clamp<int64_t>(p.y, 0, side * pixel - 4);
    const int64_t column = std::min(x / cell, nodes - 2), row = std::min(y / cell, nodes - 2);
    const int64_t fx = x - column * cell, fy = y - row * cell;
    const Point* const node = &wobble_[static_cast<size_t>(row * nodes + column)];
    const auto mix = [&](int64_t a, int64_t b, int64_t c, int64_t d) {
      return ((a * (cell - fx) + b * fx) / cell * (cell - fy) + (c * (cell - fx) + d * fx) / cell * fy) / cell;
    };
    return {mix(node[0].x, node[1].x, node[nodes].x, node[nodes + 1].x), mix(node[0].y, node[1].y, node[nodes].y, node[nodes + 1].y)};
  }

  static constexpr int64_t nodes = 4;
  int64_t xx_, xy_, yx_, yy_, x_, y_;
  std::array<Point, nodes * nodes> wobble_;
};

/// Ink on the page, 0 .. pixel per pixel.
class Page {
 public:
  /// A line of half-width `radius` with round ends, softened over one pixel.
  void draw(Point a, Point b, int64_t radius) {
    const int64_t reach = radius + pixel / 2;
    const int64_t dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const auto first = [&](int64_t v) { return std::clamp<int64_t>((v - reach) / pixel, 0, side - 1); };
    const auto last = [&](int64_t v) { return std::clamp<int64_t>((v + reach) / pixel, 0, side - 1); };
    for (int64_t row = first(std::min(a.y, b.y)); row <= last(std::max(a.y, b.y)); ++row)
      for (int64_t column = first(std::min(a.x, b.x)); column <= last(std::max(a.x, b.x)); ++column) {
        const int64_t px = column * pixel + pixel / 2 - a.x, py = row * pixel + pixel / 2 - a.y;
        const int64_t along = px * dx + py * dy, across = px * dy - py * dx;
        int64_t distance2 = 0;
        if (along <= 0) distance2 = px * px + py * py;
        else if (along >= length2) distance2 = (px - dx) * (px - dx) + (py - dy) * (py - dy);
        else distance2 = across * across / length2;
        if (distance2 >= reach * reach) continue;
        // A square root is correctly rounded, hence the same everywhere.
        const auto distance = static_cast<int64_t>(std::sqrt(static_cast<double>(distance2)));
        int64_t& ink = ink_[static_cast<size_t>(row * side + column)];
        ink = std::max(ink, std::min(pixel, reach - distance));
      }
  }

  int64_t ink(size_t i) const { return ink_[i]; }

 private:
  std::array<int64_t, side * side> ink_{};
};

/// Point k / steps of the way from p1 to p2 on the spline through p0, p1, p2, p3.
Point spline(Point p0, Point p1, Point p2, Point p3, int64_t k, int64_t steps) {
  const auto at = [&](int64_t a, int64_t b, int64_t c, int64_t d) {
    return (2 * b * steps * steps * steps + (c - a) * k * steps * steps + (2 * a - 5 * b + 4 * c - d) * k * k * steps +
            (3 * b - a - 3 * c + d) * k * k * k) /
           (2 * steps * steps * steps);
  };
  return {at(p0.x, p1.x, p2.x, p3.x), at(p0.y, p1.y, p2.y, p3.y)};
}

/// Draws the stroke through `points`, which are those of the glyph in 1/64, moved a little.
void draw_stroke(Page& page, const Stroke& stroke, const std::vector<Point>& points, const Placement& place, int64_t radius) {
  const size_t count = points.size();
  const Point &front = stroke.points.front(), &back = stroke.points.back();
  const bool closed = stroke.curved && front.x == back.x && front.y == back.y;
  // Straight lines are cut as well, so that they wobble.
  constexpr int64_t steps = 5;
  Point pen = place(points[0]);
  for (size_t i = 0; i + 1 < count; ++i) {
    const Point p1 = points[i], p2 = points[i + 1];
    const Point p0 = !stroke.curved ? Point{2 * p1.x - p2.x, 2 * p1.y - p2.y} : i > 0 ? points[i - 1] : closed ? points[count - 2] : p1;
    const Point p3 = !stroke.curved ? Point{2 * p2.x - p1.x, 2 * p2.y - p1.y} : i + 2 < count ? points[i + 2] : closed ? points[1] : p2;
    for (int64_t k = 1; k <= steps; ++k) {
      const Point next = place(spline(p0, p1, p2, p3, k, steps));
      page.draw(pen, next, radius);
      pen = next;
    }
  }
}

void draw_digit(int64_t digit, Draws& draws, uint8_t* image) {
  const std::vector<Glyph>& styles = styles_of(digit);
  const Glyph& glyph = styles[static_cast<size_t>(draws.uniform(0, std::ssize(styles) - 1))];
  const Placement place(draws);
  const int64_t radius = draws.uniform(pixel * 60 / 100, pixel * 170 / 100);
  const int64_t brightness = draws.uniform(150, 255);
  const int64_t noise = draws.uniform(4, 40);

  Page page;
  std::vector<Point> points;
  for (const Stroke& stroke : glyph) {
    points.clear();
    for (const Point& p : stroke.points) points.push_back({64 * p.x + draws.around_zero(64 * 5), 64 * p.y + draws.around_zero(64 * 5)});
    draw_stroke(page, stroke, points, place, radius);
  }
  for (size_t i = 0; i < side * side; i += 4) {
    const uint32_t bits = draws.bits();
    for (size_t j = 0; j < 4; ++j) {
      const int64_t grain = (static_cast<int64_t>(bits >> (8 * j) & 255) - 128) * noise / 128;
      image[i + j] = static_cast<uint8_t>(std::clamp<int64_t>(page.ink(i + j) * brightness / pixel + grain, 0, 255));
    }
  }
}

}  // namespace

Dataset generate_digits(int64_t count, uint64_t seed) {
  if (count < 0) throw Error("cannot generate {} digits", count);
  Array images(u8, Shape{count, 1, side, side}), labels(i64, Shape{count});
  for (int64_t i = 0; i < count; ++i) {
    Draws draws(seed, i);
    const int64_t digit = draws.uniform(0, 9);
    labels.values<int64_t>()[static_cast<size_t>(i)] = digit;
    draw_digit(digit, draws, images.values<uint8_t>().data() + i * side * side);
  }
  Dataset result = Dataset::from(std::move(images), std::move(labels));
  result.divisor = 255.0f;
  result.name = "digits";
  for (int digit = 0; digit < 10; ++digit) result.class_names.push_back(std::to_string(digit));
  return result;
}

Dataset generate_colour_digits(int64_t count, uint64_t seed) {
  Dataset result = generate_digits(count, seed);
  constexpr int64_t frame = 32, border = (frame - side) / 2;
  Array images(u8, Shape{count, 3, frame, frame});
  const auto from = result.inputs.values<uint8_t>();
  const auto to = images.values<uint8_t>();
  for (int64_t i = 0; i < count; ++i) {
    Draws draws(seed ^ 0xc01035, i);
    for (int64_t channel = 0; channel < 3; ++channel) {
      const int64_t background = draws.uniform(0, 110), ink = draws.uniform(background + 60, 255);
      for (int64_t y = 0; y < frame; ++y)
        for (int64_t x = 0; x < frame; ++x) {
          const int64_t row = y - border, column = x - border;
          const bool inside = row >= 0 && row < side && column >= 0 && column < side;
          const int64_t grey = inside ? from[static_cast<size_t>((i * side + row) * side + column)] : 0;
          to[static_cast<size_t>(((i * 3 + channel) * frame + y) * frame + x)] =
              static_cast<uint8_t>(background + (ink - background) * grey / 255);
        }
    }
  }
  result.inputs = std::move(images);
  result.name = "colour digits";
  return result;
}

}  // namespace weft
