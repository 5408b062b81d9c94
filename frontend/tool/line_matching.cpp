#include "weft/frontend/tool/line_matching.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace weft::tool {
namespace {

/// Lines from one on, before another, of both texts.
struct Part {
  size_t a, a_end, b, b_end;
  size_t rows() const { return a_end - a; }
  size_t columns() const { return b_end - b; }
};

class Matching {
 public:
  Matching(const std::vector<std::string>& a, const std::vector<std::string>& b) : partner(a.size(), -1) {
    std::unordered_map<std::string_view, int> numbers;
    const auto numbered = [&](const std::vector<std::string>& lines) {
      std::vector<int> all;
      for (const std::string& line : lines) all.push_back(numbers.try_emplace(line, static_cast<int>(numbers.size())).first->second);
      return all;
    };
    a_ = numbered(a), b_ = numbered(b);
    std::vector<Part> open{{0, a.size(), 0, b.size()}};
    while (!open.empty()) {
      Part part = open.back();
      open.pop_back();
      trim(part);
      if (part.rows() * part.columns() <= most_exact) exact(part);
      else split(part, open);
    }
  }

  std::vector<int> partner;

 private:
  static constexpr size_t most_exact = 16'000'000;

  void pair(size_t a, size_t b) { partner[a] = static_cast<int>(b); }

  /// Equal starts and ends.
  void trim(Part& p) {
    while (p.rows() > 0 && p.columns() > 0 && a_[p.a] == b_[p.b]) pair(p.a++, p.b++);
    while (p.rows() > 0 && p.columns() > 0 && a_[p.a_end - 1] == b_[p.b_end - 1]) pair(--p.a_end, --p.b_end);
  }

  /// The longest common sequence.
  void exact(const Part& p) {
    const size_t width = p.columns() + 1;
    std::vector<int> longest((p.rows() + 1) * width, 0);  // of what is left from here on
    const auto at = [&](size_t i, size_t k) -> int& { return longest[i * width + k]; };
    for (size_t i = p.rows(); i-- > 0;)
      for (size_t k = p.columns(); k-- > 0;)
        at(i, k) = a_[p.a + i] == b_[p.b + k] ? at(i + 1, k + 1) + 1 : std::max(at(i + 1, k), at(i, k + 1));
    for (size_t i = 0, k = 0; i < p.rows() && k < p.columns();) {
      if (a_[p.a + i] == b_[p.b + k]) pair(p.a + i++, p.b + k++);
      else if (at(i + 1, k) >= at(i, k + 1)) ++i;
      else ++k;
    }
  }

  using Places = std::unordered_map<int, std::vector<size_t>>;
  static Places places(const std::vector<int>& lines, size_t from, size_t end) {
    Places all;
    for (size_t i = from; i < end; ++i) all[lines[i]].push_back(i);
    return all;
  }

  /// Pairs the longest ascending sequence of lines that are there once in both, or where there is none as often in both, the first with the
  /// first and so on; what lies between them is open then.
  void split(const Part& p, std::vector<Part>& open) {
    const Places in_a = places(a_, p.a, p.a_end), in_b = places(b_, p.b, p.b_end);
    std::vector<std::pair<size_t, size_t>> anchors;
    for (const bool once : {true, false}) {
      if (!anchors.empty()) break;
      for (const auto& [line, at] : in_a) {
        const auto other = in_b.find(line);
        if (other == in_b.end() || other->second.size() != at.size() || (once && at.size() != 1)) continue;
        for (size_t i = 0; i < at.size(); ++i) anchors.emplace_back(at[i], other->second[i]);
      }
    }
    std::sort(anchors.begin(), anchors.end());
    Part rest = p;
    for (const auto& [a, b] : longest_ascending(anchors)) {
      pair(a, b);
      open.push_back({rest.a, a, rest.b, b});
      rest.a = a + 1, rest.b = b + 1;
    }
    if (!anchors.empty()) open.push_back(rest);
  }

  /// Of pairs with ascending firsts those with ascending seconds.
  static std::vector<std::pair<size_t, size_t>> longest_ascending(const std::vector<std::pair<size_t, size_t>>& all) {
    std::vector<size_t> last;  // by length less one: the end of such a sequence with the least second
    std::vector<int64_t> before(all.size(), -1);
    for (size_t i = 0; i < all.size(); ++i) {
      const auto at =
          std::lower_bound(last.begin(), last.end(), all[i].second, [&](size_t l, size_t second) { return all[l].second < second; });
      if (at != last.begin()) before[i] = static_cast<int64_t>(*std::prev(at));
      if (at == last.end()) last.push_back(i);
      else *at = i;
    }
    std::vector<std::pair<size_t, size_t>> sequence;
    for (int64_t i = last.empty() ? -1 : static_cast<int64_t>(last.back()); i >= 0; i = before[static_cast<size_t>(i)])
      sequence.push_back(all[static_cast<size_t>(i)]);
    std::reverse(sequence.begin(), sequence.end());
    return sequence;
  }

  std::vector<int> a_, b_;  // a number for each different line
};

}  // namespace

std::vector<int> matching_lines(const std::vector<std::string>& a, const std::vector<std::string>& b) { return Matching(a, b).partner; }

}  // namespace weft::tool
