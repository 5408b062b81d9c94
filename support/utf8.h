#pragma once
// Characters of UTF-8.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// How many bytes the character at the front of `text` has, and which it is; 0 bytes where there is no UTF-8: overlong, a
/// surrogate, cut off, the end of the text.
std::pair<size_t, uint32_t> first_character(std::string_view text);

/// Where the first byte stands that is no UTF-8, for names out of files may hold any; none in a text that is.
std::optional<size_t> first_byte_outside_utf8(std::string_view text);

/// `text` for what takes UTF-8 alone: each byte that is none of it as four characters, "w\\xff".
std::string escaped_outside_utf8(std::string_view text);

}  // namespace weft
