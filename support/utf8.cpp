#include "weft/support/utf8.h"

#include <fmt/format.h>

namespace weft {

std::pair<size_t, uint32_t> first_character(std::string_view text) {
  if (text.empty()) return {0, 0};
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return {0, 0};
  uint32_t code = first & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[bytes] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {0, 0};
  return {bytes, code};
}

std::optional<size_t> first_byte_outside_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = first_character(text.substr(at)).first;
    if (bytes == 0) return at;
    at += bytes;
  }
  return std::nullopt;
}

std::string escaped_outside_utf8(std::string_view text) {
  std::string all;
  while (const auto at = first_byte_outside_utf8(text)) {
    all += fmt::format("{}\\x{:02x}", text.substr(0, *at), static_cast<unsigned char>(text[*at]));
    text.remove_prefix(*at + 1);
  }
  return all.append(text);
}

}  // namespace weft
