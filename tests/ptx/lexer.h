#pragma once
// PTX text as tokens.

#include <string>
#include <string_view>
#include <vector>

namespace weft::test::ptx {

struct Token {
  enum class Kind { word, dotted, number, string, sign, end } kind = Kind::end;
  std::string_view text;  // a dotted word without its dot
  int line = 0;
  bool touches = false;  // nothing stands between it and the one before
};

/// The last one is `end`. The text must live as long.
std::vector<Token> tokens_of(std::string_view text);

}  // namespace weft::test::ptx
