#include "weft/tests/programs/runner/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace weft::testing {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// One line of either text, or of both.
struct Step {
  char sign;  // '-': of a alone, '+': of b alone, ' ': of both
  size_t a, b;
};

/// The steps from a to b that keep the most lines.
std::vector<Step> steps_between(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  // kept[i][k]: how many lines of a from i on and of b from k on can be kept.
  std::vector<std::vector<int>> kept(a.size() + 1, std::vector<int>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t k = b.size(); k-- > 0;) kept[i][k] = a[i] == b[k] ? kept[i + 1][k + 1] + 1 : std::max(kept[i + 1][k], kept[i][k + 1]);
  std::vector<Step> steps;
  for (size_t i = 0, k = 0; i < a.size() || k < b.size();) {
    if (i < a.size() && k < b.size() && a[i] == b[k]) steps.push_back({' ', i++, k++});
    else if (i < a.size() && (k == b.size() || kept[i + 1][k] >= kept[i][k + 1])) steps.push_back({'-', i++, k});
    else steps.push_back({'+', i, k++});
  }
  return steps;
}

}  // namespace

LineDiff line_diff(const std::string& expected, const std::string& given, int line) {
  constexpr size_t around = 2;
  const std::vector<std::string> a = lines_of(expected), b = lines_of(given);
  const std::vector<Step> steps = steps_between(a, b);
  std::vector<bool> shown(steps.size(), false);
  for (size_t s = 0; s < steps.size(); ++s)
    if (steps[s].sign != ' ')
      for (size_t t = s < around ? 0 : s - around; t < std::min(steps.size(), s + around + 1); ++t) shown[t] = true;
  const auto first = std::find_if(steps.begin(), steps.end(), [](const Step& s) { return s.sign != ' '; });
  LineDiff diff{line + static_cast<int>(first == steps.end() ? a.size() : first->a), ""};
  for (size_t s = 0; s < steps.size(); ++s) {
    if (!shown[s]) continue;
    if (s > 0 && !shown[s - 1] && !diff.text.empty()) diff.text += "       ...\n";
    const Step& step = steps[s];
    if (step.sign == '+') diff.text += fmt::format("+      {}\n", b[step.b]);
    else diff.text += fmt::format("{}{:4}  {}\n", step.sign, line + static_cast<int>(step.a), a[step.a]);
  }
  return diff;
}

}  // namespace weft::testing
