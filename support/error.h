#pragma once
// The two kinds of failure. `Error` is a user's mistake or a bad file: its text says what was required,
// what was given and where. `InternalError` is a broken invariant of weft itself.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A name from a file may hold any byte, but what() ends at the first zero: each is written as \0.
std::string without_zeros(std::string text);

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(without_zeros(message)) {}
  template <class... Args>
    requires(sizeof...(Args) > 0)
  explicit Error(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(without_zeros(fmt::format(format, std::forward<Args>(args)...))) {}
};

class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& message) : std::logic_error("internal error in weft (please report it): " + message) {}
};

/// Throws InternalError when an invariant of weft does not hold.
#define WEFT_CHECK(condition, ...)                                                               \
  do {                                                                                           \
    if (!(condition)) [[unlikely]]                                                               \
      throw ::weft::InternalError(fmt::format("{} [" #condition "]", fmt::format(__VA_ARGS__))); \
  } while (false)

/// The candidates nearest to `name` by edit distance, for "did you mean"; at most `count`, best first.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& candidates, size_t count = 3);

/// "; did you mean 'a', 'b'?", or "" without candidates near enough.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace weft
