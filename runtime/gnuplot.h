#pragma once
// How pictures are handed to gnuplot.

#include <string>
#include <string_view>

namespace weft::detail {

/// `text` as a string in a script, on one line.
std::string gnuplot_quoted(std::string_view text);

/// Runs `script`, which plots, with output to `path` (.svg or .png) of this size in pixels. See plot.h for what happens
/// without gnuplot, and what is thrown.
void run_gnuplot(const std::string& path, int width, int height, const std::string& script);

}  // namespace weft::detail
