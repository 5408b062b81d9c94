#include <algorithm>
#include <cmath>

#include "weft/runtime/columns.h"
#include "weft/runtime/gnuplot.h"
#include "weft/runtime/plot.h"

namespace weft {
namespace {

// In pixels of the screen.
constexpr int64_t usual_side = 80, caption_line = 15, caption_letter = 7, widest_caption = 2 * usual_side, title_letter = 8, border = 10;

/// What stands above an image, line by line.
using Caption = std::vector<std::string>;

/// Where images stand, in pixels of theirs: x to the right, y downwards, each in the middle of a cell with its caption above. All
/// pixels are squares on the screen.
struct Layout {
  int64_t columns, rows, height, width;
  double scale;  // pixels of the screen for one of an image; whole numbers where images are enlarged
  int64_t gap, cell, label;

  Layout(const Dataset& images, const std::vector<Caption>& captions, int64_t wanted)
      : columns(std::min(wanted, std::ssize(captions))), rows((std::ssize(captions) + columns - 1) / columns),
        height(images.inputs.shape()[2]), width(images.inputs.shape()[3]) {
    const int64_t side = std::max<int64_t>(1, std::max(height, width));
    scale = static_cast<double>(usual_side) / static_cast<double>(side);
    scale = scale > 0.5 ? std::max(1.0, std::round(scale)) : 2 * scale;
    int64_t lines = 1, longest = 0;
    for (const Caption& caption : captions) {
      lines = std::max(lines, std::ssize(caption));
      for (const std::string& line : caption) longest = std::max<int64_t>(longest, columns_of(line));
    }
    gap = of_screen(8);
    cell = std::max({width, of_screen(std::min(caption_letter * longest, widest_caption)), int64_t{2}});  // gnuplot wants two columns
    label = of_screen(caption_line * lines);
  }

  /// So many pixels of the screen, and not less.
  int64_t of_screen(int64_t pixels) const {
    return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(static_cast<double>(pixels) / scale)));
  }
  int on_screen(int64_t pixels) const { return static_cast<int>(std::lround(scale * static_cast<double>(pixels))); }

  /// How long a line above an image may be.
  int caption_columns() const { return on_screen(cell + gap) / static_cast<int>(caption_letter); }
  int64_t left(int64_t place) const { return place % columns * (cell + gap) + (cell - width) / 2; }
  int64_t top(int64_t place) const { return place / columns * (height + label) + label; }
  int64_t total_width() const { return columns * (cell + gap) - gap; }
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
    if (i < 0 || i >= images.size()) throw Error("{} has no example {}: it has {}, counted from 0", images.title(), i, images.size());
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
  if (images.targets.shape().rank() != 1 || images.targets.shape()[0] == 0) return "";
  const double target = images.targets.at(index);
  const bool named = images.targets.dtype() == i64 && target >= 0 && target < static_cast<double>(images.class_names.size());
  return named ? images.class_names[static_cast<size_t>(target)] : fmt::format("{:g}", target);
}

/// The lines of each caption; where there are none, what each target is.
std::vector<Caption> lines_of(const std::vector<std::string>& captions, const Dataset& images, std::span<const int64_t> indices) {
  std::vector<Caption> all;
  for (size_t place = 0; place < indices.size(); ++place) {
    if (captions.empty()) {
      all.push_back({label_of(images, indices[place])});
      continue;
    }
    Caption& lines = all.emplace_back();
    std::string_view rest = captions[place];
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1))
      lines.emplace_back(rest.substr(0, end));
    lines.emplace_back(rest);
  }
  return all;
}

/// Line by line, the last one right above its image.
std::string labels(const Caption& caption, int64_t place, const Layout& at) {
  std::string script;
  const double x = static_cast<double>(at.left(place)) + static_cast<double>(at.width - 1) / 2;
  double y = static_cast<double>(at.top(place)) - 0.5 + caption_line / 2.0 / at.scale;
  for (auto line = caption.rbegin(); line != caption.rend(); ++line) {
    y -= static_cast<double>(caption_line) / at.scale;
    script +=
        fmt::format("set label {} at {},{} center font ',9' front\n", detail::gnuplot_text(elided(*line, at.caption_columns())), x, y);
  }
  return script;
}

}  // namespace

void save_image_grid(const std::string& path, const Dataset& images, std::span<const int64_t> indices, const std::string& title,
                     int64_t columns, const std::vector<std::string>& captions) {
  check(images, indices, columns);
  if (!captions.empty() && captions.size() != indices.size())
    throw Error("an image grid needs a caption for each of its {} images, or none, not {}", indices.size(), captions.size());
  const std::vector<Caption> lines = lines_of(captions, images, indices);
  const Layout at(images, lines, columns);
  std::string script = "$pixels << end\n" + pixels(painted(images, indices, at), at) + "end\n";
  for (int64_t place = 0; place < std::ssize(indices); ++place) script += labels(lines[static_cast<size_t>(place)], place, at);
  constexpr int most_title = 80;
  const std::string heading = elided(title, most_title);
  const int above = title.empty() ? border : 4 * border;
  const int width = std::max(at.on_screen(at.total_width()), static_cast<int>(title_letter) * columns_of(heading)) + 2 * border;
  const int height = at.on_screen(at.total_height()) + above + border;
  // The frame has exactly the grid's shape, in the middle.
  const double left = (width - at.scale * static_cast<double>(at.total_width())) / 2 / width;
  const double top = 1 - static_cast<double>(above) / height, bottom = top - at.scale * static_cast<double>(at.total_height()) / height;
  script += fmt::format("set title {}\nunset key\nunset border\nunset tics\n", detail::gnuplot_text(heading));
  script += fmt::format("set lmargin at screen {}\nset rmargin at screen {}\nset bmargin at screen {}\nset tmargin at screen {}\n", left,
                        1 - left, bottom, top);
  script += fmt::format("set xrange [-0.5:{}.5]\nset yrange [{}.5:-0.5]\n", at.total_width() - 1, at.total_height() - 1);
  script += "plot $pixels using 1:2:3:4:5 with rgbimage\n";
  detail::run_gnuplot(path, width, height, script);
}

}  // namespace weft
