#pragma once
// Texts that keep to a number of columns: of a terminal's line, of a legend.

#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// `text` on one line, in UTF-8: each byte that is none of it becomes U+FFFD, each control character a space.
std::string one_line(std::string_view text);

/// How many columns of a terminal one_line(text) takes: two for a letter of East Asia's scripts or an emoji, none for an accent of its own.
int columns_of(std::string_view text);

/// one_line(text), with "..." in place of what is too much for `columns` of them: after two thirds of what is left.
std::string elided(std::string_view text, int columns);

/// Each of them so, but cut where most of those that differ still do: names of layers that share their beginning and their end
/// show what is between.
std::vector<std::string> elided_apart(const std::vector<std::string>& texts, int columns);

/// A loss or a rate in at most 7 columns: "0.1235", "12.346", "1234.6", "9.8e-05", "nan".
std::string number_text(double value);

/// A fraction in 6 columns: "97.12%", " 5.00%", "100.0%".
std::string percent_text(double fraction);

/// A time with three digits or four, in at most 7 columns: "3035 us", "12.3 ms", "4.21 s".
std::string duration_text(double microseconds);

}  // namespace weft
