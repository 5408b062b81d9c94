#pragma once
// Which line of the user's an op is recorded for. Modules stack scopes while they are called: inside a library layer
// every op reports the line where the user called it; inside a user's module or lambda, the user's own lines count.

#include <memory>
#include <source_location>
#include <string>
#include <string_view>

#include "weft/ir/location.h"

namespace weft::detail {

class Recording;

class Scope {
 public:
  enum class Code { library, user };

  /// Enters `name` ("" adds nothing to the path). `call` is where the user, or a library layer, called it.
  Scope(std::string_view name, Code code, std::source_location call, std::shared_ptr<Recording> recording);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  /// The line to report for something written at `at`: that one, or where the library layer that wrote it was called.
  static std::source_location call_site(std::source_location at);
  /// The same with the path of the scopes. Of absolute file names only the last part is kept.
  static ir::Location locate(std::source_location at);
  /// Where the innermost scope was called; an unknown line outside of every scope.
  static std::source_location innermost_call();
  /// "encoder.0", or "" outside of every module.
  static std::string path();
  /// The graph that the innermost scope records into, if any.
  static std::shared_ptr<Recording> recording();
};

/// Where the compiler found the file of a line that was recorded, by what the line calls it; that itself when nobody knows.
std::string source_path(const std::string& file);

/// "train.cpp:12" for a message.
std::string line_text(std::source_location at);

}  // namespace weft::detail
