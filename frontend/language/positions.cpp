#include "weft/frontend/language/positions.h"

#include <cmath>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft {

using detail::pointer;
using detail::Recorder;
using detail::Scope;

Tensor sinusoidal_positions(int64_t tokens, int64_t width, double base, DType dtype, std::source_location at) {
  Recorder r("sinusoidal_positions", at);
  if (tokens < 0 || width < 0) r.fail(fmt::format("there can be no {} tokens of width {}", tokens, width));
  if (!is_floating(dtype)) r.fail("the element type must be floating");
  const FloatMode mode;
  Array values(dtype, {tokens, width}, at);
  values.generate([&](int64_t element) {
    const int64_t token = element / width, feature = element % width, pair = feature - feature % 2;
    const double angle = static_cast<double>(token) * std::pow(base, -static_cast<double>(pair) / static_cast<double>(width));
    return feature % 2 == 0 ? std::sin(angle) : std::cos(angle);
  });
  return constant(values, at);
}

Tensor rotary_embedding(Arg x, RotaryOptions options) {
  Recorder r("rotary_embedding", {&x, pointer(options.position)});
  const Tensor all = r.tensor(r.value(x));
  const Shape shape = all.shape();
  if (!is_floating(all.dtype()) || shape.rank() < 2 || shape[-1] % 2 != 0)
    r.fail("x must be floating, [..., tokens, width], of an even width");
  const Scope scope("", Scope::Code::library, Scope::call_site(x.where()), all.recording);
  const int64_t tokens = shape[-2], half = shape[-1] / 2;
  // Angles of late tokens are large: what is narrower than f32 would lose them.
  const DType wide = computed_in(all.dtype());
  Array rates(wide, {1, half}, x.where());
  rates.generate([&](int64_t i) { return std::pow(options.base, -static_cast<double>(i) / static_cast<double>(half)); });
  Tensor place = arange(tokens, x.where());
  if (options.position) {
    const Tensor before = r.tensor(r.value(*options.position, i64));
    if (before.shape().rank() != 0) r.fail("the position must be one number, the tokens before the first of x");
    place = place + before;
  }
  const Tensor angles = reshape(cast(place, wide), {tokens, 1}) * constant(rates, x.where());
  const Tensor cosine = cos(angles), sine = sin(angles);
  Dims apart(shape.begin(), shape.end() - 1);
  apart.insert(apart.end(), {options.interleaved ? half : 2, options.interleaved ? 2 : half});
  const int64_t axis = options.interleaved ? -1 : -2;
  const Tensor pairs = reshape(cast(all, wide), apart);
  Dims one(shape.begin(), shape.end() - 1);
  one.push_back(half);
  const Tensor a = reshape(slice(pairs, axis, 0, 1), one), b = reshape(slice(pairs, axis, 1, 2), one);
  Dims side = one;
  side.insert(options.interleaved ? side.end() : side.end() - 1, 1);
  const Tensor turned = concat({reshape(a * cosine - b * sine, side), reshape(b * cosine + a * sine, side)}, axis);
  return cast(reshape(turned, shape.dims()), all.dtype());
}

}  // namespace weft
