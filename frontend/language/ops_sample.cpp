// Random choices without probabilities of their own, and by given ones.

#include <cmath>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/support/conversion.h"

namespace weft {
namespace {

using detail::Composed;
using detail::Recorder;
using ir::Value;

/// 32 random bits for each element, in the lower half of an i64.
Value bits(Recorder& r, const Shape& shape) {
  const Value drawn =
      r.builder("random_bits", {r.recording().key(r.where())}, {{"shape", shape.dims()}, {"site", r.recording().next_site()}});
  const Value wide = r.builder.cast(drawn, i64);
  return r.builder("and", {wide, r.builder.splat(wide.type(), 0xffffffff)});
}

/// Uniform in (0, 1), in the middle between multiples of 2^-24.
Tensor inside_unit(Recorder& r, const Shape& shape) {
  const ir::NamedAttributes attributes{{"shape", shape.dims()}, {"site", r.recording().next_site()}, {"dtype", f64}};
  return r.tensor(r.builder("random_uniform", {r.recording().key(r.where())}, attributes)) + std::ldexp(1.0, -25);
}

}  // namespace

Tensor randperm(int64_t n, DType dtype, std::source_location at) {
  Recorder r("randperm", at);
  if (n < 0) r.fail(fmt::format("the number must not be negative, but is {}", n));
  const int64_t largest = is_floating(dtype) ? int64_t{1} << significand_bits(dtype) : range_of(dtype).second;
  if (n - 1 > largest) r.fail(fmt::format("{} holds the integers up to {}, but there are {}", name_of(dtype), largest, n));
  // Two of n keys of 64 bits are hardly ever equal.
  const Shape shape = r.shape({n});
  const Value upper = bits(r, shape), shift = r.builder.splat(upper.type(), 32);
  const Value keys = r.builder("or", {r.builder("shift_left", {upper, shift}), bits(r, shape)});
  const ir::Op& sorted = r.builder.create("sort", {keys}, {{"axis", int64_t{0}}});
  return r.tensor(r.builder.cast(sorted.result(1), dtype));
}

Tensor multinomial(Arg input, int64_t num_samples, bool replacement) {
  Composed c("multinomial", {&input});
  const Tensor& given = c.first();
  c.require(is_floating(given.dtype()), "the weights must be floating");
  c.require(given.dim() == 1 || given.dim() == 2, "the weights must have one axis or two");
  c.require(given.size(-1) > 0, "there must be a category");
  c.require(num_samples > 0, fmt::format("num_samples must be positive, not {}", num_samples));
  c.require(replacement || num_samples <= given.size(-1),
            fmt::format("without replacement there are {} samples at most, not {}", given.size(-1), num_samples));
  const Tensor weights = cast(given, f64);
  // Of exponential waiting times, whose rates are the weights, the shortest come first (Efraimidis and Spirakis 2006).
  if (!replacement) return topk(weights / -log(inside_unit(c.recorder(), weights.shape())), num_samples).indices;
  const Tensor sums = cumsum(weights, -1);
  Dims shape = given.shape().dims();
  shape.back() = num_samples;
  return searchsorted(sums, inside_unit(c.recorder(), c.recorder().shape(shape)) * slice(sums, -1, -1, given.size(-1)), true);
}

}  // namespace weft
