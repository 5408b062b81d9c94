#pragma once
// What is thrown. `Error` is a user's mistake, a bad file, or what a machine has not: its text says what was required, what was
// given and where, and a program can ask it for each of these. `InternalError` is a broken invariant of weft itself; it is no
// Error, so that who expects a mistake never takes a defect for one.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What a program can do about it (docs/ERRORS.md has an example of each).
enum class ErrorKind {
  usage,    // the call is wrong: an unknown name, a number out of its range, things in the wrong order. Change the program
  shape,    // shapes or element types do not go together
  file,     // a file is not there, cannot be written, or is not what it should be
  numeric,  // a number of the data or the results: not finite, an index out of its range
  memory,   // more than there is
  device,   // this machine, or the target's library, does not do it
  internal  // a defect of weft: please report it
};
/// "usage"
std::string_view name_of(ErrorKind kind);

/// A name from a file may hold any byte, but what() ends at the first zero: each is written as \0.
std::string without_zeros(std::string text);

/// what() is "<op>: <message>; given (<given>), at <where>; <hint>", without what is empty; of a file, "<where>: <message>; <hint>".
///
///   throw Error(ErrorKind::shape, "axis {} is out of range", axis).of("softmax").given("f32[2,3]").at("train.cpp:31");
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : Error(ErrorKind::usage, message) {}
  template <class... Args>
    requires(sizeof...(Args) > 0)
  explicit Error(fmt::format_string<Args...> format, Args&&... args) : Error(fmt::format(format, std::forward<Args>(args)...)) {}
  Error(ErrorKind kind, const std::string& message);
  template <class... Args>
    requires(sizeof...(Args) > 0)
  Error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args)
      : Error(kind, fmt::format(format, std::forward<Args>(args)...)) {}

  // More of it, as it is thrown or on its way: catch (Error& e) { e.at(line); throw; }
  Error& as(ErrorKind kind) {
    kind_ = kind;
    return set(op_, std::move(op_));
  }
  Error& of(std::string_view op) { return set(op_, std::string(op)); }
  Error& given(std::string_view what) { return set(given_, std::string(what)); }
  Error& at(std::string_view where) { return set(where_, std::string(where)); }
  /// Behind those that it has.
  Error& hint(std::string_view what) { return set(hint_, hint_ + (hint_.empty() || what.empty() ? "" : "; ") + std::string(what)); }
  Error& message(std::string_view text) { return set(message_, std::string(text)); }

  ErrorKind kind() const { return kind_; }
  /// Who refuses: an op, a layer, an optimizer, a step ("step 'train'"), a pass; may be empty, as all that follow.
  const std::string& op() const { return op_; }
  /// What is required, or what is wrong.
  const std::string& message() const { return message_; }
  /// What was given in its place: the operands' types, mostly.
  const std::string& given() const { return given_; }
  /// The user's line ("train.cpp:31"), or the place in a file ("net.weft:4:12", "'x.npy', byte 10").
  const std::string& where() const { return where_; }
  /// What to try.
  const std::string& hint() const { return hint_; }

  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Error& set(std::string& part, std::string to);

  ErrorKind kind_;
  std::string op_, message_, given_, where_, hint_;
  std::string text_;
};

class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& message) : std::logic_error("internal error in weft (please report it): " + message) {}
  ErrorKind kind() const { return ErrorKind::internal; }
};

/// Of anything that weft throws; what is not weft's own is internal, but for the system's refusals of memory.
ErrorKind kind_of(const std::exception& error);

/// Throws InternalError when an invariant of weft does not hold.
#define WEFT_CHECK(condition, ...)                                                               \
  do {                                                                                           \
    if (!(condition)) [[unlikely]]                                                               \
      throw ::weft::InternalError(fmt::format("{} [" #condition "]", fmt::format(__VA_ARGS__))); \
  } while (false)

/// The candidates nearest to `name` by edit distance, for "did you mean"; at most `count`, best first.
std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& candidates, size_t count = 3);

/// A hint: "did you mean 'a', 'b'?", or "" without candidates near enough.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace weft
