#pragma once
// What differs between two texts, for people.

#include <string>

namespace weft::testing {

struct LineDiff {
  int first_line;    // where the first difference is
  std::string text;  // the lines that differ and two around them: "- 14  expected", "+     given"
};

/// `line` is the number of the first line of `expected` in its file.
LineDiff line_diff(const std::string& expected, const std::string& given, int line);

}  // namespace weft::testing
