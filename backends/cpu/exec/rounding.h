#pragma once
// Whole multiples.

#include <cstdint>

namespace weft::cpu {

/// Of numbers that are not negative.
constexpr int64_t ceil_div(int64_t x, int64_t y) { return (x + y - 1) / y; }
constexpr int64_t round_up(int64_t x, int64_t y) { return ceil_div(x, y) * y; }

}  // namespace weft::cpu
