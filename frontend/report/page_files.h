#pragma once
// The page's own files (page/) and docs/words.md, which the build puts into the library.

#include <string_view>

namespace weft::detail {

extern const std::string_view page_html, page_style, page_words, page_script;

}  // namespace weft::detail
