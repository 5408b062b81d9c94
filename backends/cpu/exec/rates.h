#pragma once
// What one thread does a second, about, on processors of these years: for choices that must not follow from the machine, or that are made
// before anything was measured.

namespace weft::cpu {

inline constexpr double flops_per_second = 1e11, bytes_per_second = 4e10;  // the bytes out of its cache

}  // namespace weft::cpu
