#pragma once
// Characters of UTF-8.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weft {

/// How many bytes the character at the front of `text` has, and which it is; 0 bytes where there is no UTF-8: overlong, a
/// surrogate, cut off, the end of the text.
std::pair<size_t, uint32_t> first_character(std::string_view text);

}  // namespace weft
