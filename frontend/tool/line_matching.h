#pragma once
// Which lines of one text are those of another.

#include <string>
#include <vector>

namespace weft::tool {

/// By line of `a`: its partner in `b`, or -1. Partners are equal and in the same order. The most lines that are possible, for texts that
/// differ in some thousand lines at one place; for larger ones what lies between lines that are in both as often (Cohen's patience diff).
std::vector<int> matching_lines(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace weft::tool
