#include "weft/support/error.h"

#include <algorithm>
#include <new>
#include <numeric>

namespace weft {
namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t previous = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = previous;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string without_zeros(std::string text) {
  for (size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0', at)) text.replace(at, 1, "\\0");
  return text;
}

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::shape: return "shape";
    case ErrorKind::file: return "file";
    case ErrorKind::numeric: return "numeric";
    case ErrorKind::memory: return "memory";
    case ErrorKind::device: return "device";
    case ErrorKind::internal: return "internal";
  }
  return "";
}

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(""), kind_(kind) { set(message_, message); }

Error& Error::set(std::string& part, std::string to) {
  part = without_zeros(std::move(to));
  const bool in_file = kind_ == ErrorKind::file && !where_.empty();
  text_ = (in_file ? where_ + ": " : "") + (op_.empty() ? "" : op_ + ": ") + message_;
  if (!given_.empty()) text_ += "; given (" + given_ + ")";
  if (!in_file && !where_.empty()) text_ += ", at " + where_;
  if (!hint_.empty()) text_ += "; " + hint_;
  return *this;
}

ErrorKind kind_of(const std::exception& error) {
  if (const auto* e = dynamic_cast<const Error*>(&error)) return e->kind();
  return dynamic_cast<const std::bad_alloc*>(&error) ? ErrorKind::memory : ErrorKind::internal;
}

std::vector<std::string> nearest_names(std::string_view name, const std::vector<std::string>& candidates, size_t count) {
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance <= std::max<size_t>(2, name.size() / 2)) ranked.emplace_back(distance, candidate);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> result;
  for (size_t i = 0; i < std::min(count, ranked.size()); ++i) result.push_back(ranked[i].second);
  return result;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto names = nearest_names(name, candidates);
  if (names.empty()) return "";
  std::string text = "did you mean ";
  for (size_t i = 0; i < names.size(); ++i) text += fmt::format("{}'{}'", i ? ", " : "", names[i]);
  return text + "?";
}

}  // namespace weft
