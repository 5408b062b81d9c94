#pragma once
// Numbers out of text, whatever the locale says of decimal points and of groups of digits: the only way in which weft reads
// them. (fmt::format, without its "L", writes them so.)

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace weft {

/// The number that a text begins with.
template <class T>
struct LeadingNumber {
  T value{};
  size_t length = 0;          // characters of the text that are the number; 0: it begins with none
  bool out_of_range = false;  // it is a number, but not one that a T holds: `value` says nothing

  /// Is all of `text` the number, and does a T hold it?
  bool is_all_of(std::string_view text) const { return length > 0 && length == text.size() && !out_of_range; }
};

/// Digits with a sign, a decimal point and an exponent, "inf" or "nan" where T is floating. Blanks are no part of a number.
template <class T>
LeadingNumber<T> leading_number(std::string_view text) {
  LeadingNumber<T> number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  number.out_of_range = error == std::errc::result_out_of_range;
  if (error == std::errc() || number.out_of_range) number.length = static_cast<size_t>(end - text.data());
  return number;
}

/// All of `text` as a T; nothing where it is anything else, or out of T's range.
template <class T>
std::optional<T> number_in(std::string_view text) {
  const LeadingNumber<T> number = leading_number<T>(text);
  return number.is_all_of(text) ? std::optional(number.value) : std::nullopt;
}

/// All of `text` as digits of base 16.
template <std::integral T>
std::optional<T> hex_number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace weft
