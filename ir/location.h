#pragma once
// Where in the user's program an op comes from.

#include <algorithm>
#include <string>
#include <vector>

namespace weft::ir {

/// A line of the user's source, and the path of the layer that recorded the op ("fc1", "encoder.0"), if any.
struct Location {
  std::string file;
  int line = 0;
  std::string scope;

  bool operator==(const Location&) const = default;
};

/// "train.cpp:31" or "train.cpp:31 (fc1)"; "an unknown line" when nothing is known.
inline std::string to_string(const Location& at) {
  if (at.file.empty()) return "an unknown line";
  return at.file + ":" + std::to_string(at.line) + (at.scope.empty() ? "" : " (" + at.scope + ")");
}

/// One op has one location when recorded; gradients and fusions keep every line they came from, in first-seen order.
using Locations = std::vector<Location>;

inline void merge(Locations& into, const Locations& from) {
  for (const Location& at : from)
    if (std::find(into.begin(), into.end(), at) == into.end()) into.push_back(at);
}

inline std::string to_string(const Locations& all) {
  if (all.empty()) return to_string(Location{});
  std::string text;
  for (const Location& at : all) text += (text.empty() ? "" : ", ") + to_string(at);
  return text;
}

}  // namespace weft::ir
