#include "weft/passes/analysis/relayout.h"

#include <algorithm>
#include <vector>

namespace weft::passes {
namespace {

using Part = Layout::Part;

/// The axes of two shapes with as many elements, without those of extent 1, in groups of equal products.
std::vector<std::pair<std::vector<int>, std::vector<int>>> groups_of(const Shape& from, const Shape& to) {
  std::vector<std::pair<std::vector<int>, std::vector<int>>> groups;
  int i = 0, j = 0;
  const auto next = [](const Shape& s, int& at) {
    while (at < s.rank() && s[at] == 1) ++at;
    return at < s.rank();
  };
  while (next(from, i) && next(to, j)) {
    auto& [f, t] = groups.emplace_back();
    int64_t a = from[i], b = to[j];
    f.push_back(i++), t.push_back(j++);
    while (a != b) {
      if (a < b) {
        if (!next(from, i)) return {};
        a *= from[i], f.push_back(i++);
      } else {
        if (!next(to, j)) return {};
        b *= to[j], t.push_back(j++);
      }
    }
  }
  return groups;
}

}  // namespace

std::optional<Relaid> reshaped(const Shape& from, const Shape& to, const Layout& layout) {
  if (from.numel() == 0) return std::nullopt;
  std::vector<Part> parts = layout.parts(from.rank());
  std::erase_if(parts, [&](const Part& p) { return from[p.axis] == 1 && !layout.is_cut(p.axis); });
  std::vector<Part> result;
  for (size_t place = 0; place < parts.size();) {
    const auto groups = groups_of(from, to);
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
      return std::find(g.first.begin(), g.first.end(), parts[place].axis) != g.first.end();
    });
    if (group == groups.end()) return std::nullopt;
    const auto& [f, t] = *group;
    if (f.size() == 1 && t.size() == 1) {
      result.push_back({t[0], parts[place++].block});
      continue;
    }
    for (int axis : f) {
      if (place == parts.size() || parts[place].axis != axis || layout.is_cut(axis)) return std::nullopt;
      ++place;
    }
    for (int axis : t) result.push_back({axis, 0});
  }
  // Axes of extent 1 lie anywhere: behind the axis before them.
  for (int axis = 0; axis < to.rank(); ++axis) {
    if (to[axis] != 1) continue;
    const auto before = std::find_if(result.begin(), result.end(), [&](const Part& p) { return p.axis == axis - 1 && p.block == 0; });
    result.insert(before == result.end() ? result.begin() : before + 1, {axis, 0});
  }
  const Layout relaid = Layout::of(result);
  return Relaid{relaid.physical(to), relaid};
}

}  // namespace weft::passes
