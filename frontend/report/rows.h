#pragma once
// Sums of rows by a name, and the texts that the reports' tables share.

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/support/error.h"

namespace weft::detail {

/// "12.3", or nothing for what makes no sense per second.
inline std::string per_second(double amount, double microseconds) {
  return microseconds > 0 && amount > 0 ? fmt::format("{:.1f}", amount / microseconds * 1e-3) : "";
}

inline std::string cut(const std::string& text, size_t width) { return text.size() <= width ? text : text.substr(0, width - 3) + "..."; }

/// The end of a path says most.
inline std::string cut_start(const std::string& text, size_t width) {
  return text.size() <= width ? text : "..." + text.substr(text.size() - (width - 3));
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
