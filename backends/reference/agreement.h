#pragma once
// When a result agrees with the reference's. The tolerance is measured, not chosen: the reference runs in double, and again with
// what it reads moved by as much as one element can hold. Per tensor
//
//   max |got - exact| <= 8 max |moved - exact| + bound * max |exact|
//
// where the bound is the ops' own error, relative to the largest value. Where exact and every moved are the same integer, infinity
// or nan, so must got be.

#include <limits>
#include <optional>
#include <span>
#include <string>

#include "weft/backends/reference/reference.h"

namespace weft::reference {

struct Tolerance {
  double bound = 0;
  double absolute = 0;
  double largest = std::numeric_limits<double>::infinity();  // beyond it numbers are not compared
};

/// The bound of any op, computed in that type: generated functions are within 2 ulp, and a reduction adds up in another order. An f16 or
/// bf16 result is known to an ulp of its own at best, whatever was rounded before it.
double own_bound(DType dtype);
/// Half the least difference of two numbers of the type: how far off a result near 0 is that was rounded right. Only of f16 that shows.
double rounding_at_zero(DType dtype);
/// The tolerance of whole programs in the type: numbers that f32, or f16, does not tell from 0 or has not are not compared.
Tolerance tolerance_in(DType dtype);

/// What is wrong with `got`, if anything. `moved`: of each run that was moved.
std::optional<std::string> disagreement(const Tensor& got, const Tensor& exact, std::span<const Tensor* const> moved, Tolerance tolerance);

}  // namespace weft::reference
