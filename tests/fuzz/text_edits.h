#pragma once
// Edits of a program's text as a careless or a malicious hand would make them: they know lines, tokens and numbers, but no
// grammar.

#include <cstdint>
#include <string>

namespace weft::test {

/// `text` with some edits, a function of the two alone.
std::string edited(const std::string& text, uint64_t seed);

}  // namespace weft::test
