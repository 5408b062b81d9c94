#pragma once
// Tables of numbers from comma-separated text (RFC 4180; LF, CRLF or CR; quotes, but no line breaks in them).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

struct Table {
  std::vector<std::string> columns;         // names; "0", "1", ... without a header line
  std::vector<std::vector<double>> values;  // values[column][row]; all columns have rows() values

  int64_t rows() const { return values.empty() ? 0 : static_cast<int64_t>(values[0].size()); }

  /// Throws weft::Error listing the columns when there is none of that name.
  const std::vector<double>& column(std::string_view name) const;

  /// The named columns side by side: f32 [rows, names.size()]. Throws weft::Error as column() does.
  Array array(const std::vector<std::string>& names) const;
};

struct CsvOptions {
  bool header = true;  // whether the first line names the columns
};

/// Reads a table of finite numbers. Throws weft::Error for a missing or malformed value ("file:line:column: ", as an
/// editor counts, and the column's name), and, naming file and line, for a line with too few or too many fields, a
/// repeated column name, and a header line that consists of numbers (a row of data would be lost).
Table read_csv(const std::string& path, CsvOptions options = {});

}  // namespace weft
