#pragma once
// JSON in a checkpoint's metadata: numbers that come back to the bit, and nothing that a damaged file could do harm with.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weft::detail {

/// The tree of a text; throws weft::Error where it is no JSON or nested deeper than 32 lists and objects.
nlohmann::json parse_note(const std::string& text);

/// The text of a tree; throws weft::Error naming a name or a text in it that is not UTF-8, which no JSON holds.
std::string print_note(const nlohmann::json& note);
std::string print_note(const nlohmann::ordered_json& note);

// JSON has no infinities, and its numbers need not come back to the bit; texts of this form do.
std::string text_of(double value);
/// Throws weft::Error unless it is such a text.
double number_in_note(const nlohmann::json& text);

/// An integer from 0 to largest_count (restored_count.h); throws weft::Error for anything else.
int64_t count_in_note(const nlohmann::json& number);

/// `list`; throws weft::Error unless it is one.
const nlohmann::json& list_in_note(const nlohmann::json& list);

/// What stands at place `i` of a list; throws weft::Error where there is nothing.
const nlohmann::json& entry_in_note(const nlohmann::json& list, size_t i);
/// Throw weft::Error unless it is one.
const std::string& text_in_note(const nlohmann::json& text);
bool flag_in_note(const nlohmann::json& flag);

// Members of an object. Each throws weft::Error with the member's name where there is none, or it is something else.
const nlohmann::json& member_in_note(const nlohmann::json& object, const std::string& name);
const nlohmann::json& object_in_note(const nlohmann::json& object, const std::string& name);
const nlohmann::json& list_in_note(const nlohmann::json& object, const std::string& name);
const std::string& text_in_note(const nlohmann::json& object, const std::string& name);
double number_in_note(const nlohmann::json& object, const std::string& name);
int64_t count_in_note(const nlohmann::json& object, const std::string& name);
/// Any number of 64 bits, as streams of random numbers have.
uint64_t word_in_note(const nlohmann::json& object, const std::string& name);

}  // namespace weft::detail
