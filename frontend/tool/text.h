#pragma once
// Text for people: tables that fit the terminal, and numbers with units.

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tool {

/// Columns of the terminal that standard output is; $COLUMNS, if set, overrides it. 160 for a file or a pipe.
int output_width();

/// "1.5 KiB".
std::string bytes_text(int64_t bytes);
/// "1.5 M"; "-" for none.
std::string count_text(double count);
/// `text` in lines of at most `width` characters, all but the first indented.
std::string wrapped(const std::string& text, int width, int indent);

/// Into the file, or onto standard output for "-". Throws weft::Error naming what cannot be written.
void write_text(const std::string& path, const std::string& text);
/// Throws as that would, before there is anything to write; leaves the file as it is.
void try_writing(const std::string& path);

/// Lines of cells under titles. Where the table is wider than the output, the cells of columns that may be cut are:
/// most lose their end, source lines their start; what is wrapped, in the last column, goes on below. Bytes that are no text for a terminal
/// are none of a cell.
class Table {
 public:
  enum class Column { left, right, cut_end, cut_start, wrapped };

  Table(std::vector<std::string> titles, std::vector<Column> columns);
  void add(std::vector<std::string> cells);
  /// A line of dashes above what follows.
  void rule();
  std::string text(int width) const;

 private:
  std::vector<size_t> widths(int width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // the first holds the titles; an empty one is a rule
};

}  // namespace weft::tool
