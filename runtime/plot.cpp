#include "weft/runtime/plot.h"

#include <algorithm>
#include <cmath>

#include "weft/runtime/gnuplot.h"

namespace weft {
namespace {

using detail::gnuplot_quoted;

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
  std::string script = fmt::format("set title {} noenhanced\nset xlabel {} noenhanced\nset ylabel {} noenhanced\n", gnuplot_quoted(title),
                                   gnuplot_quoted(x_label), gnuplot_quoted(y_label));
  script += range("x", x_limits) + range("y", y_limits);
  if (log_x) script += "set logscale x\nset format x '%.0e'\n";
  if (log_y) script += "set logscale y\nset format y '%.0e'\n";
  if (grid) script += "set grid lc rgb '#DDDDDD' lt 1\n";
  script += legend ? "set key outside right top vertical noenhanced\n" : "unset key\n";
  std::string plots;
  for (size_t i = 0; i < series.size(); ++i) {
    const Series& s = series[i];
    script += fmt::format("$data{} << end\n", i);
    for (size_t j = 0; j < s.x.size(); ++j) script += number(s.x[j]) + " " + number(s.y[j]) + "\n";
    script += "end\n";
    const char* colour = colours[i % std::size(colours)];
    const size_t dashes = s.joined ? i / std::size(colours) : 0;  // tell curves of one colour apart
    plots += fmt::format("{} $data{} using 1:2 with {} lc rgb '{}'{} title {}", i == 0 ? "plot" : ",", i, style(s), colour,
                         dashes == 0 ? "" : fmt::format(" dt {}", dashes + 1), gnuplot_quoted(s.label));
  }
  detail::run_gnuplot(path, width, height, script + plots + "\n");
}

}  // namespace weft
