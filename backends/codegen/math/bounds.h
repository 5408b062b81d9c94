#pragma once
// How far generated functions may be from the exact result.

#include <string_view>
#include <vector>

namespace weft::codegen {

/// The largest errors over all finite operands, in units of the last place; tests/backends/cpu/math_test.cpp holds them.
struct FunctionBound {
  std::string_view name;  // the op's and the C library's
  int operands;
  double f32_ulps, f64_ulps;
};

/// Of every function that no instruction computes.
std::vector<FunctionBound> function_bounds();

}  // namespace weft::codegen
