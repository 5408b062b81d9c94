#pragma once
// Where in the user's program an op comes from.

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/support/error.h"

namespace weft::ir {

/// Which part of a training step an op belongs to: what was recorded, what its gradients are made of, or what makes new parameters of
/// these.
enum class Direction { forward, backward, update };

/// A line of the user's source, and the path of the layer that recorded the op ("fc1", "encoder.0"), if any.
struct Location {
  std::string file;
  int line = 0;
  std::string scope;
  /// A line of the text that the op was read from and not of the user's source: for messages, never printed.
  bool read = false;
  /// For messages, never printed: of two locations that differ in nothing else, the first that is known stays.
  Direction direction = Direction::forward;

  bool operator==(const Location& other) const {
    return line == other.line && read == other.read && file == other.file && scope == other.scope;
  }
};

inline std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::forward: return "forward";
    case Direction::backward: return "backward";
    case Direction::update: return "update";
  }
  return "?";
}

/// "train.cpp:31" or "train.cpp:31 (fc1)"; "an unknown line" when nothing is known.
inline std::string to_string(const Location& at) {
  if (at.file.empty()) return "an unknown line";
  return at.file + ":" + std::to_string(at.line) + (at.scope.empty() ? "" : " (" + at.scope + ")");
}

/// One op has one location when recorded; gradients and fusions keep the lines they came from, in first-seen order, up to
/// `most_lines` of the source and as many of a text: what the layers of a large net share comes from all of their lines.
///
/// What one layer records is rewritten into many ops, so copies share the list, which never changes.
class Locations {
 public:
  Locations() = default;
  Locations(std::initializer_list<Location> all) : Locations(std::vector<Location>(all)) {}
  explicit Locations(std::vector<Location> all)
      : all_(all.empty() ? nullptr : std::make_shared<const std::vector<Location>>(std::move(all))) {}

  const Location* begin() const { return all_ ? all_->data() : nullptr; }
  const Location* end() const { return all_ ? all_->data() + all_->size() : nullptr; }
  size_t size() const { return all_ ? all_->size() : 0; }
  bool empty() const { return size() == 0; }
  const Location& operator[](size_t i) const { return (*all_)[i]; }

  bool shares_with(const Locations& other) const { return all_ == other.all_; }
  bool operator==(const Locations& other) const { return shares_with(other) || std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  std::shared_ptr<const std::vector<Location>> all_;  // null: none
};
constexpr std::ptrdiff_t most_lines = 32;

/// May it be added to those?
inline bool is_new(const Location& at, std::span<const Location> all) {
  const auto known = std::count_if(all.begin(), all.end(), [&](const Location& l) { return l.read == at.read; });
  return known < most_lines && std::find(all.begin(), all.end(), at) == all.end();
}

inline void merge(std::vector<Location>& into, const Locations& from) {
  for (const Location& at : from)
    if (is_new(at, into)) into.push_back(at);
}

inline void merge(Locations& into, const Locations& from) {
  if (into.shares_with(from) ||
      std::none_of(from.begin(), from.end(), [&](const Location& at) { return is_new(at, {into.begin(), into.end()}); }))
    return;
  std::vector<Location> all(into.begin(), into.end());
  merge(all, from);
  into = Locations(std::move(all));
}

/// The same, of ops that go another way.
inline Locations towards(Direction direction, const Locations& all) {
  std::vector<Location> turned(all.begin(), all.end());
  for (Location& at : turned) at.direction = direction;
  return Locations(std::move(turned));
}

/// Those of the user's source; or those of the text that it was read from.
inline Locations only(bool read, const Locations& all) {
  std::vector<Location> kept;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kept), [&](const Location& at) { return at.read == read; });
  return Locations(std::move(kept));
}
inline Locations source_lines(const Locations& all) { return only(false, all); }

/// The source lines, or where there are none the lines of the text.
inline std::string to_string(const Locations& all) {
  Locations shown = source_lines(all);
  if (shown.empty()) shown = all;
  if (shown.empty()) return to_string(Location{});
  std::string text;
  for (const Location& at : shown) text += (text.empty() ? "" : ", ") + to_string(at);
  return text;
}

/// What an error says but for its place, where that is this one, which whoever passes it on says itself.
inline std::string without_place(Error error, const Locations& place) {
  if (error.where() == to_string(place)) error.at("");
  return error.what();
}

/// Where it stands in the text that it was read from and which source lines it comes from: of what somebody wrote there.
inline std::string written_at(const Locations& all) {
  const Locations text = only(true, all), source = source_lines(all);
  if (text.empty() || source.empty()) return to_string(all);
  return to_string(text[0]) + " (" + to_string(source) + ")";
}

}  // namespace weft::ir
