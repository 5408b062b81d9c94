#include <algorithm>
#include <cmath>

#include "weft/runtime/gnuplot.h"
#include "weft/runtime/plot.h"

namespace weft {
namespace {

/// Where images stand, in pixels of theirs: x to the right, y downwards, each with room for its label above.
struct Layout {
  int64_t columns, rows, height, width, gap, label;

  Layout(const Dataset& images, int64_t count, int64_t columns)
      : columns(std::min(columns, count)), rows((count + columns - 1) / columns), height(images.inputs.shape()[2]),
        width(images.inputs.shape()[3]), gap(std::max<int64_t>(1, width / 8)), label(std::max<int64_t>(1, height / 3)) {}

  int64_t left(int64_t place) const { return place % columns * (width + gap); }
  int64_t top(int64_t place) const { return place / columns * (height + label) + label; }
  int64_t total_width() const { return columns * (width + gap) - gap; }
  int64_t total_height() const { return rows * (height + label); }
};

void check(const Dataset& images, std::span<const int64_t> indices, int64_t columns) {
  images.check();
  const Shape& shape = images.inputs.shape();
  if (shape.rank() != 4 || (shape[1] != 1 && shape[1] != 3) || images.inputs.dtype() == i64)
    throw Error("images to draw must be u8 or f32 [N, 1 or 3, height, width], but '{}' has {} {}", images.name,
                name_of(images.inputs.dtype()), to_string(shape));
  if (indices.empty() || columns < 1) throw Error("an image grid needs an image and a column, not {} and {}", indices.size(), columns);
  for (const int64_t i : indices)
    if (i < 0 || i >= images.size()) throw Error("data set '{}' has no example {}: it has {}, counted from 0", images.name, i, images.size());
}

int level(const Dataset& images, int64_t element) {
  return static_cast<int>(std::lround(255 * std::clamp(images.inputs.at(element) / images.divisor, 0.0, 1.0)));
}

/// Everything that is no image is white.
std::vector<int> painted(const Dataset& images, std::span<const int64_t> indices, const Layout& at) {
  std::vector<int> canvas(static_cast<size_t>(3 * at.total_width() * at.total_height()), 255);
  const int64_t channels = images.inputs.shape()[1], plane = at.height * at.width;
  for (int64_t place = 0; place < std::ssize(indices); ++place)
    for (int64_t y = 0; y < at.height; ++y)
      for (int64_t x = 0; x < at.width; ++x)
        for (int64_t c = 0; c < 3; ++c) {
          const int64_t to = (at.top(place) + y) * at.total_width() + at.left(place) + x;
          const int64_t from = indices[static_cast<size_t>(place)] * channels + (channels == 3 ? c : 0);
          canvas[static_cast<size_t>(3 * to + c)] = level(images, from * plane + y * at.width + x);
        }
  return canvas;
}

/// Lines of "x y red green blue", as gnuplot wants a picture: all of its pixels, row by row.
std::string pixels(const std::vector<int>& canvas, const Layout& at) {
  std::string lines;
  for (int64_t i = 0; i < at.total_width() * at.total_height(); ++i) {
    const int* rgb = canvas.data() + 3 * i;
    lines += fmt::format("{} {} {} {} {}\n", i % at.total_width(), i / at.total_width(), rgb[0], rgb[1], rgb[2]);
  }
  return lines;
}

std::string label_of(const Dataset& images, int64_t index) {
  if (images.targets.shape().rank() != 1) return "";
  const double target = images.targets.at(index);
  const bool named = images.targets.dtype() == i64 && target >= 0 && target < static_cast<double>(images.class_names.size());
  return named ? images.class_names[static_cast<size_t>(target)] : fmt::format("{:g}", target);
}

}  // namespace

void save_image_grid(const std::string& path, const Dataset& images, std::span<const int64_t> indices, const std::string& title,
                     int64_t columns) {
  check(images, indices, columns);
  const Layout at(images, std::ssize(indices), columns);
  std::string labels;
  for (int64_t place = 0; place < std::ssize(indices); ++place) {
    const int64_t index = indices[static_cast<size_t>(place)];
    labels += fmt::format("set label {} at {},{} center noenhanced font ',9' front\n", detail::gnuplot_quoted(label_of(images, index)),
                          static_cast<double>(at.left(place)) + static_cast<double>(at.width - 1) / 2,
                          static_cast<double>(at.top(place)) - static_cast<double>(at.label) / 2);
  }
  std::string script = "$pixels << end\n" + pixels(painted(images, indices, at), at) + "end\n" + labels;
  script += fmt::format("set title {} noenhanced\nunset key\nunset border\nunset tics\nset margins 1,1,1,{}\n", detail::gnuplot_quoted(title),
                        title.empty() ? 1 : 3);
  script += fmt::format("set xrange [-0.5:{}.5]\nset yrange [{}.5:-0.5]\n", at.total_width() - 1, at.total_height() - 1);
  script += "plot $pixels using 1:2:3:4:5 with rgbimage\n";
  const double scale = 80.0 / static_cast<double>(at.width + at.gap);  // 80 screen pixels an image
  detail::run_gnuplot(path, static_cast<int>(scale * static_cast<double>(at.total_width())) + 20,
                      static_cast<int>(scale * static_cast<double>(at.total_height())) + (title.empty() ? 20 : 50), script);
}

}  // namespace weft
