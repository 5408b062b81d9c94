#pragma once
// Reports in files.

#include <string>
#include <string_view>

#include "weft/runtime/replace_file.h"

namespace weft::detail {

/// Throws weft::Error naming the path where it cannot be written.
inline void write_report(const std::string& path, std::string_view text) {
  FileReplacement file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace weft::detail
