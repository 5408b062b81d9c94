#pragma once
// Sums of rows by a name, and the texts that the reports' tables share.

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weft/support/error.h"

namespace weft::detail {

/// "12.3", or nothing for what makes no sense per second.
inline std::string per_second(double amount, double microseconds) {
  return microseconds > 0 && amount > 0 ? fmt::format("{:.1f}", amount / microseconds * 1e-3) : "";
}

inline std::string cut(const std::string& text, size_t width) { return text.size() <= width ? text : text.substr(0, width - 3) + "..."; }

/// Names in so many columns each, cut where they still differ; where the difference stands too far from both ends, what the long ones all
/// begin with goes: "...11.self_at...jection" of "encoder.the_layers.11.self_attention.out_projection".
std::vector<std::string> told_apart(std::vector<std::string> names, int columns);

/// The names of rows so.
template <class Row>
std::vector<std::string> names_of_rows(const std::vector<Row>& rows, int width) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return told_apart(std::move(names), width);
}

/// "a.2" before "a.10": digits as the numbers that they are.
inline bool in_natural_order(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number = [&](std::string_view& text) {
    const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view digits = text.substr(std::min(text.find_first_not_of('0'), end), end);
    text.remove_prefix(end);
    return digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  };
  std::string_view x = a, y = b;
  while (!x.empty() && !y.empty()) {
    if (is_digit(x[0]) && is_digit(y[0])) {
      const std::string_view m = number(x), n = number(y);
      if (m != n) return std::pair(m.size(), m) < std::pair(n.size(), n);
    } else if (x[0] != y[0]) {
      return x[0] < y[0];
    } else {
      x.remove_prefix(1), y.remove_prefix(1);
    }
  }
  return x.empty() && y.empty() ? a < b : x.empty();
}

/// A row of each name, in the order in which they came.
template <class Row, void (*add_to)(Row&, const Row&)>
class Sums {
 public:
  void add(const std::string& name, const Row& row) {
    const auto [at, is_new] = place_.try_emplace(name, rows_.size());
    if (is_new) rows_.push_back({.name = name});
    add_to(rows_[at->second], row);
  }
  template <class Before>
  std::vector<Row> sorted(Before before) && {
    std::stable_sort(rows_.begin(), rows_.end(), before);
    return std::move(rows_);
  }

 private:
  std::vector<Row> rows_;
  std::unordered_map<std::string, size_t> place_;
};

}  // namespace weft::detail
