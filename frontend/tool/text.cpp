#include "weft/frontend/tool/text.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string_view>

#include "weft/runtime/columns.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

constexpr size_t narrowest = 12;  // a column is not cut below this
constexpr std::string_view gap = "  ";

std::string scaled(double value, double step, const auto& units) {
  size_t unit = 0;
  // 999.95 would be shown as 1000.0.
  while (unit + 1 < units.size() && value >= step * 0.99995) value /= step, ++unit;
  return unit == 0 ? fmt::format("{:.0f}{}", value, units[0]) : fmt::format("{:.1f}{}", value, units[unit]);
}

std::string cut(const std::string& cell, size_t width, bool keep_end) {
  if (cell.size() <= width) return cell;
  if (keep_end) return fmt::format("...{}", cell.substr(cell.size() - (width - 3)));
  return cell.substr(0, width - 3) + "...";
}

}  // namespace

int output_width() {
  if (const char* columns = std::getenv("COLUMNS"))
    if (const int given = number_in<int>(columns).value_or(0); given > 0) return given;
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 160;
}

std::string bytes_text(int64_t bytes) { return scaled(static_cast<double>(bytes), 1024, std::array{" B", " KiB", " MiB", " GiB", " TiB"}); }

std::string count_text(double count) { return count == 0 ? "-" : scaled(count, 1000, std::array{"", " k", " M", " G", " T"}); }

void write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  if (!(file << text << std::flush)) throw Error("{}: cannot write the file: {}", path, std::strerror(errno));
}

void try_writing(const std::string& path) {
  if (path == "-") return;
  std::error_code error;
  const bool was_there = std::filesystem::exists(path, error);
  const bool can = static_cast<bool>(std::ofstream(path, std::ios::binary | std::ios::app));
  const int why = errno;
  if (can && !was_there) std::filesystem::remove(path, error);
  if (!can) throw Error(ErrorKind::file, "{}: cannot write the file: {}", path, std::strerror(why));
}

std::string wrapped(const std::string& text, int width, int indent) {
  std::istringstream words(text);
  std::string result, word;
  int column = indent;
  while (words >> word) {
    if (!result.empty() && column + 1 + static_cast<int>(word.size()) > width) {
      result += '\n';
      result.append(static_cast<size_t>(indent), ' ');
      column = indent;
    } else if (!result.empty()) {
      result += ' ';
      ++column;
    }
    result += word;
    column += static_cast<int>(word.size());
  }
  return result;
}

Table::Table(std::vector<std::string> titles, std::vector<Column> columns) : columns_(std::move(columns)) {
  rows_.push_back(std::move(titles));
}

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = one_line(cell);
  rows_.push_back(std::move(cells));
}

void Table::rule() { rows_.emplace_back(); }

std::vector<size_t> Table::widths(int width) const {
  std::vector<size_t> all(columns_.size(), 0);
  for (const auto& row : rows_)
    for (size_t c = 0; c < row.size(); ++c) all[c] = std::max(all[c], row[c].size());
  const auto total = [&] { return std::accumulate(all.begin(), all.end(), gap.size() * (all.size() - 1)); };
  // The widest column that may be cut gives way first.
  while (total() > static_cast<size_t>(width)) {
    size_t* widest = nullptr;
    for (size_t c = 0; c < all.size(); ++c) {
      const bool may_cut = columns_[c] != Column::left && columns_[c] != Column::right;
      if (may_cut && all[c] > narrowest && (!widest || all[c] > *widest)) widest = &all[c];
    }
    if (!widest) break;
    --*widest;
  }
  return all;
}

std::string Table::text(int width) const {
  const std::vector<size_t> widths = this->widths(width);
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    if (row.empty()) line.assign(std::accumulate(widths.begin(), widths.end(), gap.size() * (widths.size() - 1)), '-');
    for (size_t c = 0; c < row.size(); ++c) {
      if (columns_[c] == Column::wrapped) {
        line += wrapped(row[c], static_cast<int>(line.size() + widths[c]), static_cast<int>(line.size()));
        continue;
      }
      const std::string cell = cut(row[c], widths[c], columns_[c] == Column::cut_start);
      const std::string padding(widths[c] - cell.size(), ' ');
      line += columns_[c] == Column::right ? padding + cell : cell + padding;
      if (c + 1 < row.size()) line += gap;
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace weft::tool
