#pragma once
// Edits of a program's text as a careless or a malicious hand would make them: they know lines, tokens and numbers, but no
// grammar.

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::test {

/// `text` with some edits, a function of the two alone.
std::string edited(const std::string& text, uint64_t seed);
/// The same in the place of the text's `size` bytes, where `most` have room; returns how many they are then.
size_t edit_in_place(uint8_t* text, size_t size, size_t most, uint64_t seed);

}  // namespace weft::test
