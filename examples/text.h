#pragma once
// Text as numbers, for the lesson that writes.

#include <string>
#include <string_view>
#include <vector>

#include "options.h"

/// A text, cut into windows that follow each other: an example is the numbers of a window's characters, its target those of each
/// character's next.
struct Text {
  std::string characters;     // that there are, in order: a character's number is its place
  weft::Dataset train, test;  // the last tenth

  /// Throws weft::Error for a character that the text has not.
  std::vector<int64_t> numbers(std::string_view text) const;
};

/// DIR/input.txt (--data), or sentences that the program makes up; says which. Throws weft::Error for a text too short for a window of
/// each set.
Text load_text(const Options& o, int64_t window);
