#pragma once
// How pictures are handed to gnuplot.

#include <string>
#include <string_view>

namespace weft::detail {

/// Any bytes as a string in a script. It is in double quotes with everything in it escaped that gnuplot or its lexer would take for
/// more than itself: within single quotes a text cannot begin with one, nor hold the end of a line.
std::string gnuplot_quoted(std::string_view bytes);

/// A text to be drawn as it is, one_line() of it, as a string in a script.
std::string gnuplot_text(std::string_view text);

/// Runs `script`, which plots, with output to `path` (.svg or .png) of this size in pixels; texts have no markup. See plot.h
/// for what happens without gnuplot, and what is thrown.
void run_gnuplot(const std::string& path, int width, int height, const std::string& script);

}  // namespace weft::detail
