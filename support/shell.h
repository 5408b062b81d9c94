#pragma once
// Words of a shell's command line.

#include <string>
#include <string_view>

namespace weft {

/// One word, whatever is in it: a shell takes a single-quoted string as it is, but for the quote itself.
inline std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += "'\\''";
    else result += c;
  }
  return result + "'";
}

}  // namespace weft
