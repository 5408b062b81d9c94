#pragma once
// Text as numbers, for the lesson that writes.

#include <random>

#include "options.h"

/// A text, cut into windows that follow each other: an example is the numbers of a window's characters, its target those of each
/// character's next.
struct Text {
  weft::CharTokenizer characters;  // that there are
  weft::Dataset train, test;       // the last tenth
};

/// DIR/input.txt (--data), or sentences that the program makes up; says which. Throws weft::Error for a text that is no UTF-8, and for one
/// too short for a window of each set.
Text load_text(const Options& o, int64_t window);

/// A number from 0 on, each drawn as often as its probability says. The same numbers on every machine.
int64_t draw(const std::vector<float>& probabilities, std::mt19937_64& random);
