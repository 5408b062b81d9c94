#pragma once
// JSON in a checkpoint's metadata: numbers that come back to the bit, and nothing that a damaged file could do harm with.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weft::detail {

/// The tree of a text; throws weft::Error where it is no JSON or nested deeper than 32 lists and objects.
nlohmann::json parse_note(const std::string& text);

// JSON has no infinities, and its numbers need not come back to the bit; texts of this form do.
std::string text_of(double value);
/// Throws weft::Error unless it is such a text.
double number_in_note(const nlohmann::json& text);

/// An integer from 0 to largest_count (restored_count.h); throws weft::Error for anything else.
int64_t count_in_note(const nlohmann::json& number);

/// `list`; throws weft::Error unless it is one.
const nlohmann::json& list_in_note(const nlohmann::json& list);

}  // namespace weft::detail
