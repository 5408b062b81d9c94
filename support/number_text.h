#pragma once
// Numbers out of text, whatever the locale says of decimal points and of groups of digits: the only way in which weft reads
// them. (fmt::format, without its "L", writes them so.)

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace weft {

/// All of `text` as a T: digits with a sign, a decimal point and an exponent, "inf" or "nan" where T is floating. Nothing
/// where it is anything else (blanks too), or out of T's range.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace weft
