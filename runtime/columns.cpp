#include "weft/runtime/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <set>

#include "weft/support/utf8.h"

namespace weft {
namespace {

constexpr std::string_view dots = "...", replacement = "\xef\xbf\xbd";

/// C0, delete and C1, what Unicode has for ends of lines, and what is no character.
bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || (code & 0xfffe) == 0xfffe;
}

struct Range {
  uint32_t first, last;
};

bool is_in(uint32_t code, const Range* begin, const Range* end) {
  return std::any_of(begin, end, [code](const Range& r) { return code >= r.first && code <= r.last; });
}

/// Unicode's East_Asian_Width W and F, and its combining marks, by blocks.
int width_of(uint32_t code) {
  static constexpr Range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
                                   {0xf900, 0xfaff},   {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
                                   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd}};
  static constexpr Range none[] = {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
  if (is_in(code, std::begin(none), std::end(none))) return 0;
  return is_in(code, std::begin(wide), std::end(wide)) ? 2 : 1;
}

/// A text's characters, as they are shown, with their widths.
struct Characters {
  explicit Characters(std::string_view text) {
    while (!text.empty()) {
      const auto [bytes, code] = first_character(text);
      if (bytes == 0) all.emplace_back(replacement, 1);
      else if (is_control(code)) all.emplace_back(" ", 1);
      else all.emplace_back(text.substr(0, bytes), width_of(code));
      text.remove_prefix(std::max<size_t>(bytes, 1));
    }
  }
  int columns() const {
    int sum = 0;
    for (const auto& [text, width] : all) sum += width;
    return sum;
  }
  std::string text() const {
    std::string joined;
    for (const auto& [text, width] : all) joined += text;
    return joined;
  }
  /// The first of them that fit in `columns`.
  std::string head(int columns) const {
    std::string kept;
    for (const auto& [text, width] : all) {
      if ((columns -= width) < 0) break;
      kept += text;
    }
    return kept;
  }
  std::string tail(int columns) const {
    auto from = all.end();
    while (from != all.begin() && (columns -= std::prev(from)->second) >= 0) --from;
    std::string kept;
    for (; from != all.end(); ++from) kept += from->first;
    return kept;
  }

  std::vector<std::pair<std::string_view, int>> all;
};

/// With `before` of the columns for what stands before the dots.
std::string cut(const Characters& characters, int columns, int before) {
  if (characters.columns() <= columns) return characters.text();
  const int kept = columns - static_cast<int>(dots.size());
  if (kept < 2) return characters.head(columns);
  return characters.head(before).append(dots) + characters.tail(kept - before);
}

int usual_cut(int columns) { return (columns - static_cast<int>(dots.size())) * 2 / 3; }

}  // namespace

std::string one_line(std::string_view text) { return Characters(text).text(); }

int columns_of(std::string_view text) { return Characters(text).columns(); }

std::string elided(std::string_view text, int columns) { return cut(Characters(text), columns, usual_cut(columns)); }

std::vector<std::string> elided_apart(const std::vector<std::string>& texts, int columns) {
  const int usual = usual_cut(columns), last = std::max(usual, columns - static_cast<int>(dots.size()));
  std::vector<std::string> best;
  size_t most = 0;
  for (int i = -1; i <= last; ++i) {
    const int before = i < 0 ? usual : i;
    std::vector<std::string> some;
    for (const std::string& text : texts) some.push_back(cut(Characters(text), columns, before));
    const size_t apart = std::set<std::string>(some.begin(), some.end()).size();
    if (apart <= most) continue;
    most = apart;
    best = std::move(some);
  }
  return best;
}

std::string number_text(double value) {
  const double size = std::fabs(value);
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const int decimals = value < 0 || size >= 1e99 || size < 1e-99 ? 0 : 1;  // with three digits of exponent or a sign there is no room
  if (size != 0 && (size < 1e-3 || size >= (value < 0 ? 9999.5 : 99999.5))) return fmt::format("{:.{}e}", value, decimals);
  return fmt::format("{:.{}f}", value, size < 10 ? 4 : size < 100 ? 3 : size < 1000 ? 2 : 1);
}

std::string percent_text(double fraction) {
  const double percent = 100 * fraction;
  return fmt::format("{:>5}%", fmt::format("{:.{}f}", percent, percent < 99.995 ? 2 : 1));
}

std::string duration_text(double microseconds) {
  static constexpr const char* units[] = {"us", "ms", "s"};
  size_t unit = 0;
  double value = microseconds;
  for (; unit < 2 && value >= 9999.5; ++unit) value /= 1000;
  return fmt::format("{:>4.{}f} {}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, units[unit]);
}

}  // namespace weft
