#pragma once
// Tables of numbers, and of texts that name categories, from comma-separated text (RFC 4180; LF, CRLF or CR; quotes, but no line
// breaks in them).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

struct Table {
  std::vector<std::string> columns;         // names; "0", "1", ... without a header line
  std::vector<std::vector<double>> values;  // values[column][row]; all columns have rows() values; of a categorical one, codes
  std::map<std::string, std::vector<std::string>> categories = {};  // of each categorical column: a code's text
  int64_t dropped = 0;                                              // rows left out by Missing::drop_row()
  int64_t filled = 0;                                               // values that were missing and got one

  int64_t rows() const { return values.empty() ? 0 : static_cast<int64_t>(values[0].size()); }

  /// Throws weft::Error listing the columns when there is none of that name.
  const std::vector<double>& column(std::string_view name) const;

  /// The named columns side by side: f32 [rows, names.size()]. Throws weft::Error as column() does.
  Array array(const std::vector<std::string>& names) const;

  /// A categorical column's codes, i64 [rows], for an nn::Embedding or a target; and as rows of zeros with a one, f32 [rows, categories].
  /// Throw weft::Error for another column, and for a code that a missing value was given and that is no category's.
  Array codes(std::string_view name) const;
  Array one_hot(std::string_view name) const;
};

/// What a missing value becomes.
struct Missing {
  enum class By { refusing, number, mean, dropping };
  By by = By::refusing;
  double value = 0;

  static Missing refuse() { return {}; }                               // an error
  static Missing number(double value) { return {By::number, value}; }  // this; of a categorical column, a code (-1, say)
  static Missing mean() { return {By::mean}; }                         // the mean of the column's other values; of numbers alone
  static Missing drop_row() { return {By::dropping}; }                 // its whole row is left out; Table::dropped counts them
};

/// A column of texts.
struct Categorical {
  std::string name;
  std::vector<std::string> categories = {};  // which there may be, in the order of their codes; none: those that there are, sorted
};

struct CsvOptions {
  bool header = true;  // whether the first line names the columns
  std::vector<Categorical> categorical = {};
  Missing missing = {};                            // in any column
  std::map<std::string, Missing> missing_in = {};  // in these columns instead
  std::vector<std::string> missing_texts = {""};   // fields that say that there is no value: {"", "NA", "?"}
};

/// Reads a table of finite numbers and of categories.
///
///   read_csv("housing.csv", {.categorical = {{"ocean_proximity"}}, .missing = Missing::mean()});
///
/// Throws weft::Error for a missing value where Missing::refuse() stands, a malformed one and a text that is none of the categories
/// given ("file:line:column: ", as an editor counts, and the column's name), and, naming file and line, for a line with too few or too
/// many fields, a repeated column name, and a header line that consists of numbers (a row of data would be lost); for an option that
/// names no column, for a mean of categories or of no values, and where all rows are left out.
Table read_csv(const std::string& path, CsvOptions options = {});

}  // namespace weft
