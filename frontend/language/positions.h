#pragma once
// How a transformer knows where a token stands: sines that are added to it, or a rotation of queries and keys.

#include <optional>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/tensor.h"

namespace weft {

/// Vaswani et al. (2017): row t of [tokens, width] holds sin(t r), cos(t r) for each pair of features, where the rates r fall from 1 to
/// nearly 1 / base: r = base^(-i / width) for the pair of features i and i + 1. An odd width ends with a sine.
Tensor sinusoidal_positions(int64_t tokens, int64_t width, double base = 10000, DType dtype = default_dtype(),
                            std::source_location at = std::source_location::current());

struct RotaryOptions {
  double base = 10000;
  /// Tokens before the first of x, i64 of shape []: what a net that writes token by token has written.
  std::optional<Arg> position = {};
  /// Which features are turned together: 2i and 2i + 1 as in the article, or i and i + width / 2, as many published weights want it.
  bool interleaved = false;
};

/// Su et al. (2021), of queries and keys: x [..., tokens, width], each pair of features turned by the token's place times its rate,
/// base^(-2i / width) for pair i. Products of two that are turned so depend on their distance alone. The width must be even.
Tensor rotary_embedding(Arg x, RotaryOptions options = {});

}  // namespace weft
