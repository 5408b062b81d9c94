#include "weft/runtime/data/csv.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "weft/support/input_file.h"
#include "weft/support/number_text.h"

namespace weft {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

enum class Number { good, missing, malformed, too_large };

/// As spreadsheets write numbers, also with a plus before them.
Number parse_number(std::string_view text, double& value) {
  if (text.empty()) return Number::missing;
  if (text.front() == '+' && text.substr(1, 1) != "-") text.remove_prefix(1);
  const LeadingNumber<double> number = leading_number<double>(text);
  if (number.out_of_range) return Number::too_large;
  if (!number.is_all_of(text) || !std::isfinite(number.value)) return Number::malformed;
  value = number.value;
  return Number::good;
}

class Reader {
 public:
  Reader(const std::string& path, std::string_view text, const CsvOptions& options) : path_(path), rest_(text), options_(options) {}

  Table read() {
    Table table;
    if (!next_line()) throw Error(ErrorKind::file, "it is empty").at(path_);
    if (options_.header) {
      read_header(table);
      next_line();
    } else {
      for (size_t i = 0; i < fields_.size(); ++i) table.columns.push_back(std::to_string(i));
    }
    table.values.resize(table.columns.size());
    prepare(table);
    for (; line_ != 0; next_line()) read_row(table);
    if (table.dropped > 0 && table.rows() == 0)
      throw Error(ErrorKind::file, "all {} rows have a missing value, so that none is left", table.dropped).at(path_);
    for (size_t i = 0; i < columns_.size(); ++i) finish(table, i);
    return table;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...)).at(fmt::format("{}:{}", path_, line_));
  }
  /// About a field: where it starts, as an editor counts, and what its column is called.
  template <class... Args>
  [[noreturn]] void fail_at(const Table& table, size_t field, fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(ErrorKind::file, "column '{}': {}", table.columns[field], fmt::format(format, std::forward<Args>(args)...))
        .at(fmt::format("{}:{}:{}", path_, line_, starts_[field] + 1));
  }

  /// Splits the next line into fields_; at the end, false and line_ is 0. Empty lines may only end the file.
  bool next_line() {
    if (rest_.find_first_not_of("\r\n") == std::string_view::npos) {
      line_ = 0;
      return false;
    }
    ++line_;
    const size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : rest_.empty() ? 0 : 1);
    split(line);
    return true;
  }

  void split(std::string_view line) {
    fields_.clear();
    starts_.clear();
    size_t at = 0;
    for (;;) {
      std::string field;
      size_t end = std::min(line.find(',', at), line.size());
      const size_t first = std::min(line.find_first_not_of(" \t", at), line.size());
      starts_.push_back(std::min(first, end));
      if (first < line.size() && line[first] == '"') {
        end = unquote(line, first, field);
      } else {
        field = trimmed(line.substr(at, end - at));
      }
      fields_.push_back(std::move(field));
      if (end == line.size()) return;
      at = end + 1;
    }
  }

  /// Reads the quoted field at line[at]; returns where the field ends (a comma or the end of the line).
  size_t unquote(std::string_view line, size_t at, std::string& field) const {
    for (++at;; ++at) {
      if (at >= line.size()) fail("a quoted field does not end");
      if (line[at] != '"') {
        field += line[at];
      } else if (at + 1 < line.size() && line[at + 1] == '"') {
        field += line[at++];
      } else {
        break;
      }
    }
    const size_t end = std::min(line.find(',', at), line.size());
    if (!trimmed(line.substr(at + 1, end - at - 1)).empty()) fail("there is text after a quoted field");
    return end;
  }

  void read_header(Table& table) {
    double ignored = 0;
    const auto is_number = [&](const std::string& field) { return parse_number(field, ignored) == Number::good; };
    if (std::all_of(fields_.begin(), fields_.end(), is_number))
      fail(
          "a line of column names was expected, but it has only numbers; without such a line, read with "
          ".header = false");
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (fields_[i].empty()) fail("column {} has no name", i + 1);
      if (std::count(fields_.begin(), fields_.end(), fields_[i]) > 1) fail("two columns are named '{}'", fields_[i]);
    }
    table.columns = fields_;
  }

  /// What is known of a column beside its name.
  struct Column {
    Missing missing;
    const Categorical* categorical = nullptr;
    std::vector<std::string> categories = {};  // by code
    std::map<std::string, double> codes = {};
    std::vector<size_t> missing_rows = {};
  };

  void prepare(const Table& table) {
    for (const std::string& name : table.columns) {
      const auto own = options_.missing_in.find(name);
      columns_.push_back({own == options_.missing_in.end() ? options_.missing : own->second});
    }
    for (const auto& [name, missing] : options_.missing_in) number_of(table, name);
    for (const Categorical& categorical : options_.categorical) {
      Column& column = columns_[number_of(table, categorical.name)];
      column.categorical = &categorical;
      for (const std::string& category : categorical.categories)
        if (!code_of(column, category).second)
          throw Error("column '{}' is given the category '{}' twice", categorical.name, category).of("read_csv");
      if (options_.missing_in.contains(categorical.name) && column.missing.by == Missing::By::mean)
        throw Error("column '{}' is categorical, and texts have no mean", categorical.name).of("read_csv");
    }
  }

  static size_t number_of(const Table& table, const std::string& name) {
    table.column(name);  // which throws where there is none
    return static_cast<size_t>(std::find(table.columns.begin(), table.columns.end(), name) - table.columns.begin());
  }

  /// Its code, and whether it is new.
  static std::pair<double, bool> code_of(Column& column, const std::string& category) {
    const auto [at, added] = column.codes.try_emplace(category, static_cast<double>(column.categories.size()));
    if (added) column.categories.push_back(category);
    return {at->second, added};
  }

  void read_row(Table& table) {
    if (fields_.size() != table.columns.size())
      fail("{} field{}, but the {} has {}", fields_.size(), fields_.size() == 1 ? "" : "s", options_.header ? "header" : "first line",
           table.columns.size());
    std::vector<bool> missing;
    for (const std::string& field : fields_) missing.push_back(is_missing(field));
    bool dropped = false;
    for (size_t i = 0; i < fields_.size(); ++i) dropped = dropped || (missing[i] && columns_[i].missing.by == Missing::By::dropping);
    std::vector<double> row;
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (missing[i]) check_rule(table, i);
      row.push_back(missing[i] ? columns_[i].missing.value : columns_[i].categorical ? category(table, i, dropped) : number(table, i));
    }
    table.dropped += dropped;
    for (size_t i = 0; i < row.size() && !dropped; ++i) {
      if (missing[i]) columns_[i].missing_rows.push_back(table.values[i].size());
      table.filled += missing[i];
      table.values[i].push_back(row[i]);
    }
  }

  void check_rule(const Table& table, size_t i) const {
    const Missing::By by = columns_[i].missing.by;
    if (by == Missing::By::refusing) fail_at(table, i, "the value is missing");
    if (by == Missing::By::mean && columns_[i].categorical)
      fail_at(table, i, "the value is missing, and texts have no mean; .missing_in gives the column a rule of its own");
  }

  bool is_missing(const std::string& field) const {
    return std::find(options_.missing_texts.begin(), options_.missing_texts.end(), field) != options_.missing_texts.end();
  }

  double number(const Table& table, size_t i) const {
    double value = 0;
    const std::string shown = fields_[i].substr(0, 40);
    const char* const hint = line_ == 1 ? "; if the first line names the columns, read with .header = true" : "";
    switch (parse_number(fields_[i], value)) {
      case Number::good: break;
      case Number::missing: fail_at(table, i, "the value is missing");
      case Number::malformed: fail_at(table, i, "'{}' is not a finite number{}", shown, hint);
      case Number::too_large: fail_at(table, i, "'{}' is out of the range of f64", shown);
    }
    return value;
  }

  /// Of a row that is dropped no category is learnt.
  double category(const Table& table, size_t i, bool dropped) {
    Column& column = columns_[i];
    const std::vector<std::string>& given = column.categorical->categories;
    if (given.empty()) return dropped ? 0 : code_of(column, fields_[i]).first;
    const auto found = column.codes.find(fields_[i]);
    if (found == column.codes.end())
      fail_at(table, i, "'{}' is none of the categories {}", fields_[i].substr(0, 40), fmt::format("'{}'", fmt::join(given, "', '")));
    return found->second;
  }

  void finish(Table& table, size_t i) {
    std::vector<double>& values = table.values[i];
    Column& column = columns_[i];
    if (column.missing.by == Missing::By::mean && !column.missing_rows.empty()) {
      const size_t present = values.size() - column.missing_rows.size();
      if (present == 0) throw Error(ErrorKind::file, "column '{}' has no value that a mean could be of", table.columns[i]).at(path_);
      double sum = 0;  // the missing ones are 0
      for (const double value : values) sum += value;
      for (const size_t row : column.missing_rows) values[row] = sum / static_cast<double>(present);
    }
    if (!column.categorical) return;
    if (column.categorical->categories.empty()) sort_categories(column, values);
    table.categories[table.columns[i]] = std::move(column.categories);
  }

  /// From the order in which they came to that of their texts. What a missing value was given stays.
  static void sort_categories(Column& column, std::vector<double>& values) {
    std::vector<double> sorted(column.categories.size());
    double next = 0;
    column.categories.clear();
    for (const auto& [category, code] : column.codes) {
      sorted[static_cast<size_t>(code)] = next++;
      column.categories.push_back(category);
    }
    auto missing = column.missing_rows.begin();
    for (size_t row = 0; row < values.size(); ++row) {
      if (missing != column.missing_rows.end() && *missing == row) ++missing;
      else values[row] = sorted[static_cast<size_t>(values[row])];
    }
  }

  const std::string& path_;
  std::string_view rest_;
  const CsvOptions& options_;
  std::vector<Column> columns_;
  int64_t line_ = 0;
  std::vector<std::string> fields_;
  std::vector<size_t> starts_;  // of the fields in the line
};

}  // namespace

const std::vector<double>& Table::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) throw Error("no column '{}'; the columns are {}", name, fmt::format("'{}'", fmt::join(columns, "', '")));
  return values[static_cast<size_t>(found - columns.begin())];
}

Array Table::array(const std::vector<std::string>& names) const {
  const auto width = static_cast<int64_t>(names.size());
  Array result(f32, Shape{rows(), width});
  for (int64_t c = 0; c < width; ++c) {
    const std::vector<double>& from = column(names[static_cast<size_t>(c)]);
    for (int64_t r = 0; r < rows(); ++r) result.set(r * width + c, from[static_cast<size_t>(r)]);
  }
  return result;
}

Array Table::codes(std::string_view name) const {
  const std::vector<double>& from = column(name);
  const auto found = categories.find(std::string(name));
  if (found == categories.end()) throw Error("column '{}' holds numbers, not categories", name).of("Table");
  Array result(i64, Shape{rows()});
  for (int64_t r = 0; r < rows(); ++r) {
    const double code = from[static_cast<size_t>(r)];
    if (!(code >= 0 && code < static_cast<double>(found->second.size())))
      throw Error("row {} of column '{}' has the code {}, which is no category's", r, name, code).of("Table");
    result.set(r, code);
  }
  return result;
}

Array Table::one_hot(std::string_view name) const {
  const Array all = codes(name);
  const auto width = std::ssize(categories.find(std::string(name))->second);
  Array result(f32, Shape{rows(), width});
  for (int64_t r = 0; r < rows(); ++r) result.set(r * width + static_cast<int64_t>(all.at(r)), 1);
  return result;
}

Table read_csv(const std::string& path, CsvOptions options) {
  const std::string text = read_all(path);
  std::string_view content = text;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // spreadsheets write a byte order mark
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF") || content.find('\0') != std::string_view::npos)
    throw Error(ErrorKind::file, "it is no text of one byte a character, as UTF-16 is none; save it as UTF-8").at(path);
  return Reader(path, content, options).read();
}

}  // namespace weft
