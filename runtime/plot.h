#pragma once
// Pictures of training, drawn by gnuplot (http://gnuplot.info, Debian's gnuplot-nox), which is looked for when a picture is
// saved. Where there is none, the script for it, data included, is written beside, and a line on standard error says so.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/runtime/data/dataset.h"

namespace weft {

/// Curves and points in one frame. Texts are drawn as they are, on one line: none of their characters means anything to gnuplot;
/// what is too long for the picture is cut ("..."). Where all x are whole numbers, as epochs are, so are the ticks. The legend
/// takes about a quarter of the width at most; of more series than it has lines it names the first and counts the others.
///
///   Plot plot{.title = "A line", .x_label = "t_u", .y_label = "t_c"};
///   plot.points("readings", t_u, t_c);
///   plot.line("fitted", t_u, predicted);
///   plot.save("line.svg");
struct Plot {
  std::string title = {}, x_label = {}, y_label = {};
  std::optional<std::pair<double, double>> x_limits = {}, y_limits = {};  // otherwise what the data needs
  bool log_x = false, log_y = false;
  bool grid = true, legend = true;

  /// One x for each y. What is not finite leaves a gap.
  struct Series {
    std::string label;
    std::vector<double> x, y;
    bool joined;
  };
  std::vector<Series> series = {};

  /// Adds a curve, or points. Throws weft::Error when there are not as many x as y.
  void line(std::string label, std::vector<double> x, std::vector<double> y);
  void points(std::string label, std::vector<double> x, std::vector<double> y);

  /// As SVG or PNG, by the ending of `path`, of this size in pixels. Throws weft::Error for another ending, without any
  /// finite point, when the file cannot be written and when gnuplot fails, with its words.
  void save(const std::string& path, int width = 800, int height = 500) const;
};

/// Draws examples of `images` (inputs [N, 1 or 3, height, width]: grey or RGB, black at 0 and full at the set's divisor)
/// in rows. An image keeps its shape: its pixels are squares, the longer side is about 80 pixels of the picture (of images over
/// 160, 160). Above each stands its caption, of one line or several ('\n'); without captions, the name of its class or
/// the class's number, and nothing of a set without targets.
///
///   save_image_grid("wrong.png", test, std::vector<int64_t>{3, 17}, "wrong", 8, {"cat\n(is a dog)", "dog\n(is a cat)"});
///
/// Throws weft::Error as Plot::save does, for other inputs, for an index outside the set and for another number of captions.
void save_image_grid(const std::string& path, const Dataset& images, std::span<const int64_t> indices, const std::string& title = "",
                     int64_t columns = 8, const std::vector<std::string>& captions = {});

}  // namespace weft
