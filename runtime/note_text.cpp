#include "weft/runtime/note_text.h"

#include <nlohmann/json.hpp>

#include "weft/runtime/restored_count.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"
#include "weft/support/utf8.h"

namespace weft::detail {
namespace {

using nlohmann::json;

constexpr int deepest = 32;

/// How deep lists and objects stand in each other, at most; brackets in texts do not count.
int depth_of(std::string_view text) {
  int depth = 0, most = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') ++i;
    else if (text[i] == '"') quoted = !quoted;
    else if (quoted) continue;
    else if (text[i] == '[' || text[i] == '{') most = std::max(most, ++depth);
    else if (text[i] == ']' || text[i] == '}') --depth;
  }
  return most;
}

/// What `read` gives; its error says whose value it read.
template <class Read>
decltype(auto) named(const std::string& name, Read read) try {
  return read();
} catch (Error& e) {
  e.message(fmt::format("'{}': {}", name, e.message()));
  throw;
}

template <class Json>
void require_utf8(const Json& tree) {
  const auto require = [](const std::string& text) {
    if (first_byte_outside_utf8(text))
      throw Error(ErrorKind::file, "'{}' is not UTF-8, as names and texts in a file must be", escaped_outside_utf8(text));
  };
  if (tree.is_string()) return require(tree.template get_ref<const std::string&>());
  for (const auto& [name, value] : tree.items()) {
    if (tree.is_object()) require(name);
    if (value.is_structured() || value.is_string()) require_utf8(value);
  }
}

template <class Json>
std::string printed(const Json& tree) {
  require_utf8(tree);
  return tree.dump();
}

}  // namespace

json parse_note(const std::string& text) {
  if (depth_of(text) > deepest) throw Error("they are nested deeper than {} lists and objects", deepest);
  try {
    return json::parse(text);
  } catch (const json::parse_error& e) {
    throw Error("it is no JSON from byte {} on", e.byte);
  } catch (const json::out_of_range&) {
    throw Error("it has a number that is too large");
  }
}

std::string print_note(const json& note) { return printed(note); }
std::string print_note(const nlohmann::ordered_json& note) { return printed(note); }

std::string text_of(double value) { return fmt::format("{}", value); }

double number_in_note(const json& text) {
  if (text.is_string())
    if (const auto value = number_in<double>(text.get_ref<const std::string&>())) return *value;
  throw Error("{} is no number in quotes", text.dump());
}

int64_t count_in_note(const json& number) {
  if (number.is_number_unsigned())
    if (const auto value = number.get<uint64_t>(); value <= largest_count) return static_cast<int64_t>(value);
  throw Error("{} is no count", number.dump());
}

const json& list_in_note(const json& list) {
  if (!list.is_array()) throw Error("{} is no list", list.dump());
  return list;
}

const json& entry_in_note(const json& list, size_t i) {
  if (i >= list_in_note(list).size()) throw Error("{} has no place {}", list.dump(), i);
  return list[i];
}

const std::string& text_in_note(const json& text) {
  if (!text.is_string()) throw Error("{} is no text", text.dump());
  return text.get_ref<const std::string&>();
}

bool flag_in_note(const json& flag) {
  if (!flag.is_boolean()) throw Error("{} is neither true nor false", flag.dump());
  return flag.get<bool>();
}

const json& member_in_note(const json& object, const std::string& name) {
  if (!object.is_object() || !object.contains(name)) throw Error("it has no '{}' where there must be one", name);
  return object[name];
}

const json& object_in_note(const json& object, const std::string& name) {
  const json& member = member_in_note(object, name);
  if (!member.is_object()) throw Error("'{}' is {}, and no object", name, member.dump());
  return member;
}

const json& list_in_note(const json& object, const std::string& name) {
  return named(name, [&]() -> const json& { return list_in_note(member_in_note(object, name)); });
}

const std::string& text_in_note(const json& object, const std::string& name) {
  return named(name, [&]() -> const std::string& { return text_in_note(member_in_note(object, name)); });
}

double number_in_note(const json& object, const std::string& name) {
  return named(name, [&] { return number_in_note(member_in_note(object, name)); });
}

int64_t count_in_note(const json& object, const std::string& name) {
  return named(name, [&] { return count_in_note(member_in_note(object, name)); });
}

uint64_t word_in_note(const json& object, const std::string& name) {
  const json& member = member_in_note(object, name);
  if (!member.is_number_unsigned()) throw Error("'{}' is {}, and no number of 64 bits", name, member.dump());
  return member.get<uint64_t>();
}

}  // namespace weft::detail
