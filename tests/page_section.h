#pragma once
// A part of a document that a test makes: between two lines of it, which stay.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "weft/tests/catch.h"

namespace weft::test {

/// `page` is a path in the source tree, `name` as in "<!-- name -->" and "<!-- end of name -->". Checks that `wanted` stands there; with
/// WEFT_BLESS=1 in the environment writes it there.
inline void check_page_section(const std::string& page, const std::string& name, const std::string& wanted) {
  const std::string path = std::string(WEFT_SOURCE_DIR "/") + page, begin = "<!-- " + name + " -->\n",
                    end = "<!-- end of " + name + " -->\n";
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t at = text.find(begin), from = at + begin.size(), to = text.find(end);
  REQUIRE((at != std::string::npos && to != std::string::npos && from <= to));
  const char* bless = std::getenv("WEFT_BLESS");
  if (bless && bless == std::string("1")) {
    std::ofstream(path) << text.replace(from, to - from, wanted);
    return;
  }
  INFO("WEFT_BLESS=1 writes " << page << " anew");
  CHECK(text.substr(from, to - from) == wanted);
}

}  // namespace weft::test
