#pragma once
// Sizes of layers that no memory holds are refused where the layer is made.

#include <cstdint>

#include "weft/frontend/nn/layers.h"

namespace weft::nn::detail {

/// Of layers that are stacked: each is made by itself and recorded in every graph.
inline constexpr int64_t most_layers = int64_t{1} << 16;

/// Throws weft::Error for more of them.
inline void require_layers(const Making& make, int64_t count) {
  make.require(count <= most_layers, fmt::format("num_layers is too large: {}, and {} are the most", count, most_layers));
}

/// count * size, where `what` is the size. Throws weft::Error where that does not fit into 64 bits.
inline int64_t times(const Making& make, int64_t count, int64_t size, const char* what) {
  int64_t all = 0;
  make.require(!__builtin_mul_overflow(count, size, &all), fmt::format("{} is too large: {}", what, size));
  return all;
}

}  // namespace weft::nn::detail
