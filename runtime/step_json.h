#pragma once
// Reading the program's text (step_file.h): each function throws weft::Error saying which entry is not what it must be.

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

#include "weft/runtime/note_text.h"
#include "weft/support/error.h"
#include "weft/support/shape.h"

namespace weft::step_json {

using Json = nlohmann::ordered_json;

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...));
}

/// As an error shows it.
inline std::string shown(const Json& j) {
  std::string text = j.dump();
  constexpr size_t longest = 80;
  return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

inline int64_t integer(const Json& j) {
  const bool fits = j.is_number_integer() && (!j.is_number_unsigned() || j.get<uint64_t>() <= INT64_MAX);
  if (!fits) refuse("{} is no integer", shown(j));
  return j.get<int64_t>();
}

inline uint64_t word(const Json& j) {
  if (!j.is_number_unsigned()) refuse("{} is no number of 64 bits", shown(j));
  return j.get<uint64_t>();
}

inline const std::string& text(const Json& j) {
  if (!j.is_string()) refuse("{} is no text", shown(j));
  return j.get_ref<const std::string&>();
}

inline const Json& list(const Json& j) {
  if (!j.is_array()) refuse("{} is no list", shown(j));
  return j;
}

inline bool flag(const Json& j) {
  if (!j.is_boolean()) refuse("{} is neither true nor false", shown(j));
  return j.get<bool>();
}

inline const Json& object(const Json& j) {
  if (!j.is_object()) refuse("{} is no object", shown(j));
  return j;
}

/// What `read` makes of the value; its error says which one it was.
template <class Read>
decltype(auto) named(const std::string& name, const Json& value, Read read) try {
  return read(value);
} catch (Error& e) {
  e.message(fmt::format("{}: {}", name, e.message()));
  throw;
}

inline const Json& member(const Json& j, const char* name) {
  if (!object(j).contains(name)) refuse("it has no '{}'", name);
  return j[name];
}

/// Of an object.
template <class Read>
decltype(auto) read(const Json& j, const char* name, Read as) {
  return named(fmt::format("'{}'", name), member(j, name), as);
}

/// Of a list.
template <class Read>
decltype(auto) read_at(const Json& j, size_t place, Read as) {
  if (place >= list(j).size()) refuse("{} has no place {}", shown(j), place);
  return as(j[place]);
}

/// Each of a list that a member is.
template <class Each>
void read_all(const Json& j, const char* name, Each each) {
  const Json& all = read(j, name, list);
  for (size_t i = 0; i < all.size(); ++i) named(fmt::format("{} {}", name, i), all[i], each);
}

inline Dims dims(const Json& j) {
  Dims all;
  for (const Json& extent : list(j)) all.push_back(integer(extent));
  return all;
}

inline std::optional<int64_t> optional_integer(const Json& from, const char* name) {
  return from.contains(name) ? std::optional(read(from, name, integer)) : std::nullopt;
}

inline double real(const Json& j) { return detail::number_in_note(nlohmann::json(text(j))); }

}  // namespace weft::step_json
