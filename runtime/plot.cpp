#include "weft/runtime/plot.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "weft/runtime/columns.h"
#include "weft/runtime/gnuplot.h"

namespace weft {
namespace {

using detail::gnuplot_text;

// In pixels, of the font that run_gnuplot() sets and of the legend's smaller one.
constexpr int letter = 8, small_letter = 7, legend_row = 17;

/// Distinct also to eyes that see fewer colours (Okabe and Ito, "Color universal design", 2008).
constexpr const char* colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933"};

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "nan"; }

std::string range(const char* axis, const std::optional<std::pair<double, double>>& limits) {
  return limits ? fmt::format("set {}range [{}:{}]\n", axis, limits->first, limits->second) : "";
}

bool has_point(const Plot::Series& s) {
  for (size_t i = 0; i < s.x.size(); ++i)
    if (std::isfinite(s.x[i]) && std::isfinite(s.y[i])) return true;
  return false;
}

/// A short curve shows its points too (one alone would be no curve), a long one is drawn thinner.
const char* style(const Plot::Series& s) {
  if (!s.joined) return "points pt 7 ps 0.8";
  if (s.x.size() <= 50) return "linespoints lw 2 pt 7 ps 0.4";
  return s.x.size() <= 500 ? "lines lw 2" : "lines lw 1";
}

bool is_whole(double value) { return !std::isfinite(value) || (value == std::round(value) && std::fabs(value) < 1e15); }

/// Where x is a whole number everywhere, as epochs and steps are, there are no ticks between whole numbers.
std::string whole_ticks(const Plot& plot, int width) {
  double least = INFINITY, most = -INFINITY;
  for (const Plot::Series& s : plot.series)
    for (size_t i = 0; i < s.x.size(); ++i) {
      if (!is_whole(s.x[i])) return "";
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      least = std::min(least, s.x[i]), most = std::max(most, s.x[i]);
    }
  if (plot.log_x) return "";
  const bool one = least == most && !plot.x_limits;
  if (plot.x_limits) std::tie(least, most) = std::minmax(plot.x_limits->first, plot.x_limits->second);
  if (std::ceil(least) > std::floor(most)) return "";  // the limits have no whole number between them
  const size_t digits = fmt::format("{:.0f}", std::max(std::fabs(least), std::fabs(most))).size();
  const double room = std::clamp(0.7 * width / (letter * static_cast<double>(digits + 2)), 1.0, 10.0);
  double step = 1;  // then 2, 5, 10, 20, ...
  for (int i = 0; (most - least) / step > room; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return fmt::format("set xtics {:.0f}\nset format x '%.0f'\n", step) +
         (one ? fmt::format("set xrange [{}:{}]\n", least - 0.5, least + 0.5) : "");
}

/// What the legend says of each series: nothing of those for which the picture is too low.
struct Legend {
  Legend(const Plot& plot, int width, int height) {
    std::vector<std::string> labels;
    for (const Plot::Series& s : plot.series) labels.push_back(s.label);
    titles = elided_apart(labels, std::max(width / 4 / small_letter - 8, 8));
    const auto rows = static_cast<size_t>(std::max((height - 100) / legend_row, 2));
    if (titles.size() <= rows) return;
    more = titles.size() - (rows - 1);
    for (size_t i = rows - 1; i < titles.size(); ++i) titles[i].clear();
  }

  std::string place() const {
    int longest = 0;
    for (const std::string& title : titles) longest = std::max(longest, columns_of(title));
    // gnuplot leaves room for the letters of the larger font.
    return fmt::format("set key outside right top vertical Left reverse samplen 2 width {} font ',10'\n", -longest / 6);
  }

  std::vector<std::string> titles;
  size_t more = 0;  // series without
};

}  // namespace

void Plot::line(std::string label, std::vector<double> x, std::vector<double> y) {
  if (x.size() != y.size()) throw Error("the plot's series '{}' has {} x but {} y", label, x.size(), y.size());
  series.push_back({std::move(label), std::move(x), std::move(y), true});
}

void Plot::points(std::string label, std::vector<double> x, std::vector<double> y) {
  line(std::move(label), std::move(x), std::move(y));
  series.back().joined = false;
}

void Plot::save(const std::string& path, int width, int height) const {
  if (std::none_of(series.begin(), series.end(), has_point)) throw Error("cannot draw '{}': the plot has no finite point", path);
  std::string script = fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", gnuplot_text(elided(title, width / letter)),
                                   gnuplot_text(elided(x_label, width / letter)), gnuplot_text(elided(y_label, height / letter)));
  script += whole_ticks(*this, width) + range("x", x_limits) + range("y", y_limits);
  if (log_x) script += "set logscale x\nset format x '%.0e'\n";
  if (log_y) script += "set logscale y\nset format y '%.0e'\n";
  if (grid) script += "set grid lc rgb '#DDDDDD' lt 1\n";
  const Legend entries(*this, width, height);
  script += legend ? entries.place() : "unset key\n";
  std::string plots;
  for (size_t i = 0; i < series.size(); ++i) {
    const Series& s = series[i];
    script += fmt::format("$data{} << end\n", i);
    for (size_t j = 0; j < s.x.size(); ++j) script += number(s.x[j]) + " " + number(s.y[j]) + "\n";
    script += "end\n";
    const char* colour = colours[i % std::size(colours)];
    const size_t dashes = s.joined ? i / std::size(colours) : 0;  // tell curves of one colour apart
    plots += fmt::format("{} $data{} using 1:2 with {} lc rgb '{}'{} title {}", i == 0 ? "plot" : ",", i, style(s), colour,
                         dashes == 0 ? "" : fmt::format(" dt {}", dashes + 1), gnuplot_text(entries.titles[i]));
  }
  if (entries.more > 0)
    plots += fmt::format(", keyentry with lines lc rgb 'white' title {}", gnuplot_text(fmt::format("and {} more", entries.more)));
  detail::run_gnuplot(path, width, height, script + plots + "\n");
}

}  // namespace weft
