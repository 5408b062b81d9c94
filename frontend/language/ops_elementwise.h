#pragma once
// Elementwise ops. Names, defaults and semantics follow torch.<name>, element types and shapes combine as ops.h says.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>
#include <string>

#include "weft/frontend/language/tensor.h"

namespace weft {

Tensor operator+(Arg a, Arg b);
Tensor operator-(Arg a, Arg b);
Tensor operator*(Arg a, Arg b);
Tensor operator/(Arg a, Arg b);  // of integers: true division, in default_dtype()
/// What a / b leaves, with the sign of b (torch.remainder), exact while |a / b| is below 2^53; of an integer by 0: a.
Tensor operator%(Arg a, Arg b);
Tensor operator-(Arg x);
Tensor operator==(Arg a, Arg b);  // comparisons give bool; with nan only != is true
Tensor operator!=(Arg a, Arg b);
Tensor operator<(Arg a, Arg b);
Tensor operator<=(Arg a, Arg b);
Tensor operator>(Arg a, Arg b);
Tensor operator>=(Arg a, Arg b);
Tensor operator&&(Arg a, Arg b);  // logical; numbers count as true when not 0
Tensor operator||(Arg a, Arg b);
Tensor operator!(Arg x);
Tensor operator!(detail::TensorHandle x);
Tensor operator&&(detail::TensorHandle a, detail::TensorHandle b);
Tensor operator||(detail::TensorHandle a, detail::TensorHandle b);

// Bitwise of integers, logical of bools; floating operands are refused.
Tensor operator&(Arg a, Arg b);
Tensor operator|(Arg a, Arg b);
Tensor operator^(Arg a, Arg b);
Tensor operator~(Arg x);
Tensor operator<<(Arg a, Arg b);  // integers; a shift by less than 0, or by the width or more, leaves no bit
Tensor operator>>(Arg a, Arg b);  // keeps the sign

// The same by torch's names.
Tensor logical_and(Arg a, Arg b);
Tensor logical_or(Arg a, Arg b);
Tensor logical_xor(Arg a, Arg b);
Tensor logical_not(Arg x);
Tensor bitwise_and(Arg a, Arg b);
Tensor bitwise_or(Arg a, Arg b);
Tensor bitwise_xor(Arg a, Arg b);
Tensor bitwise_not(Arg x);
Tensor bitwise_left_shift(Arg a, Arg b);
Tensor bitwise_right_shift(Arg a, Arg b);

/// a / b; `rounding_mode` is "", "trunc" or "floor", which leave integers integers (by 0: 0) and let no gradient through.
Tensor div(Arg a, Arg b, std::string rounding_mode = "");
Tensor floor_divide(Arg a, Arg b);  // div(a, b, "floor")
Tensor fmod(Arg a, Arg b);          // what a / b leaves, with the sign of a, as exact as a % b
Tensor remainder(Arg a, Arg b);     // a % b

/// Of integers an integer, which wraps; to a negative power of a tensor of integers, 1, -1 or 0. A number that is the exponent of integers
/// must not be negative. Else floating.
Tensor pow(Arg base, Arg exponent);
Tensor maximum(Arg a, Arg b);    // nan if either is
Tensor logaddexp(Arg a, Arg b);  // log(e^a + e^b)
Tensor minimum(Arg a, Arg b);
Tensor atan2(Arg y, Arg x);  // the angle of the point (x, y)
Tensor hypot(Arg a, Arg b);  // sqrt(a^2 + b^2)
/// start + weight (end - start), from the end's side where the weight is 1/2 or more, so that it is `end` at 1.
Tensor lerp(Arg start, Arg end, Arg weight);
Tensor addcmul(Arg x, Arg a, Arg b, double value = 1);  // x + value a b
Tensor addcdiv(Arg x, Arg a, Arg b, double value = 1);  // x + value a / b
/// a where the condition (bool) holds, else b: torch.where. What the branch not taken holds, nan included, is not seen in the result.
/// Its gradient is 0 there, which goes on to what the branch is computed from, and 0 times an infinite or undefined slope is nan, as in
/// PyTorch: of select(x > 0, sqrt(x), 0), at x = 0 for example. So choose the operand too: select(x > 0, sqrt(select(x > 0, x, 1)), 0).
Tensor select(Arg condition, Arg a, Arg b);
Tensor where(Arg condition, Arg a, Arg b);  // select
/// x, but `value`, a number or a scalar tensor, where the mask (bool) holds; of x's element type.
Tensor masked_fill(Arg x, Arg mask, Arg value);
Tensor cast(Arg x, DType dtype);

// Of integers, these compute in default_dtype().
Tensor exp(Arg x);
Tensor expm1(Arg x);
Tensor log(Arg x);
Tensor log1p(Arg x);
Tensor log2(Arg x);  // exact for powers of 2
Tensor log10(Arg x);
Tensor exp2(Arg x);
Tensor reciprocal(Arg x);
Tensor sqrt(Arg x);
Tensor rsqrt(Arg x);
Tensor sin(Arg x);
Tensor cos(Arg x);
Tensor tan(Arg x);
Tensor asin(Arg x);
Tensor acos(Arg x);
Tensor atan(Arg x);
Tensor sinh(Arg x);
Tensor cosh(Arg x);
Tensor tanh(Arg x);
Tensor asinh(Arg x);
Tensor acosh(Arg x);
Tensor atanh(Arg x);
Tensor erf(Arg x);
Tensor erfc(Arg x);                  // 1 - erf(x), accurate where it is small
Tensor erfinv(Arg x);                // the number whose erf is x; infinite at -1 and 1, nan beyond
Tensor lgamma(Arg x);                // log |gamma(x)|; its gradient is digamma
Tensor digamma(Arg x);               // polygamma(0, x)
Tensor polygamma(int64_t n, Arg x);  // the n-th derivative of digamma, up to the tenth
Tensor sigmoid(Arg x);
/// `approximate` is "none" (by erf) or "tanh".
Tensor gelu(Arg x, std::string approximate = "none");

// Of integers, these stay integers.
Tensor abs(Arg x);
Tensor sign(Arg x);
Tensor floor(Arg x);
Tensor ceil(Arg x);
Tensor round(Arg x);  // halves to even
Tensor trunc(Arg x);  // towards 0
Tensor square(Arg x);
Tensor frac(Arg x);  // x - trunc(x); floating
Tensor relu(Arg x);  // further activations: frontend/nn/activations.h

// bool
Tensor isnan(Arg x);
Tensor isinf(Arg x);
Tensor isfinite(Arg x);
/// x with numbers in place of nan, inf and -inf: without them, 0 and the largest and least number of the type. Integers stay.
Tensor nan_to_num(Arg x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});

/// x between the bounds, which are numbers; `max` wins. nan stays nan, and the derivative at a bound is 0. Integers between integer
/// bounds stay what they are; a floating bound makes them default_dtype().
Tensor clamp(Arg x, std::optional<Arg> min, std::optional<Arg> max = {});
/// The same by name: clamp(x, {.max = 1}).
struct ClampBounds {
  std::optional<Arg> min = {}, max = {};
};
Tensor clamp(Arg x, ClampBounds bounds);
/// x, through which no gradient flows.
Tensor detach(Arg x);

/// Zero with probability p, else x / (1 - p); x itself when p is 0 or not `training`. For a rate that can change without
/// recompiling: nn::Dropout.
Tensor dropout(Arg x, double p = 0.5, bool training = true);

}  // namespace weft
