#pragma once
// What every reader of a file looks at first.

#include <filesystem>
#include <string>

#include "weft/support/error.h"

namespace weft {

/// Throws weft::Error unless there is such a file.
inline void require_file(const std::string& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) throw Error("cannot read '{}': it is a folder, not a file", path);
  if (!std::filesystem::is_regular_file(path, code)) throw Error("cannot read '{}': there is no such file", path);
}

}  // namespace weft
