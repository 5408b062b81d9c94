#include "weft/backends/cpu/channels.h"

#include <algorithm>
#include <cmath>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/rounding.h"
#include "weft/backends/cpu/exec/winograd.h"
#include "weft/backends/cpu/exec/winograd_tiles.h"

namespace weft::cpu {
namespace {

using Channels = passes::Target::Channels;

/// Has the library no kernel of its own for it?
bool has_no_kernel(const ConvolutionSpec& spec) { return has_only_products(spec) || has_only_plain_loops(spec); }

ConvolutionSpec with_channels(const ConvolutionSpec& s, const Channels& channels) {
  ConvolutionSpec other = s;
  const auto with = [](const Shape& shape, int axis, int64_t extent) {
    Dims dims = shape.dims();
    dims[static_cast<size_t>(axis)] = extent;
    return Shape(dims);
  };
  other.x = with(s.x, 1, channels.x), other.y = with(s.y, 1, channels.y);
  other.w = with(with(s.w, 0, channels.y), 1, channels.x);
  return other;
}

}  // namespace

std::optional<Channels> better_channels(const ConvolutionSpec& s, bool strict) {
  const Dims kernel = spatial_extents(s.w);
  const bool is_product = std::all_of(kernel.begin(), kernel.end(), [](int64_t extent) { return extent == 1; });
  if (s.dtype != f32 || s.groups != 1 || !s.layouts.are_plain() || is_product || !has_no_kernel(s)) return std::nullopt;
  // In the time of a multiplication of the library's kernels. Measured on kernels of 3 x 3 to 7 x 7 over 16 x 16 positions, with 6 to 112
  // channels, on AVX2 and AVX-512: the products take 1.5 times as long with many channels, and 7 times with 6. What padding itself
  // takes, and what the estimate may be wrong, are in the margin.
  constexpr double many = 1.4, few = 30, by_winograd = 0.5, margin = 1.2;
  double least = s.flops() * (many + few / std::sqrt(static_cast<double>(s.x[1]) * static_cast<double>(s.w[0]))) / margin;
  std::optional<Channels> best;
  const auto consider = [&](const Channels& channels) {
    const ConvolutionSpec other = with_channels(s, channels);
    const bool winograd = !strict && is_faster_by_winograd(other);
    const double cost = other.flops() * (winograd ? by_winograd : 1);
    if (cost >= least || (!winograd && has_no_kernel(other))) return;
    least = cost, best = channels;
  };
  const int64_t inputs = s.x[1], outputs = s.w[0];
  const auto in_vectors = [&](int64_t lanes) {
    const int64_t more_inputs = round_up(inputs, lanes), more_outputs = round_up(outputs, lanes);
    if (more_outputs > outputs) consider({inputs, more_outputs});
    if (more_inputs > inputs) consider({more_inputs, outputs});
    if (more_inputs > inputs && more_outputs > outputs) consider({more_inputs, more_outputs});
  };
  if (library_isa() != "avx512") in_vectors(8);
  in_vectors(winograd_lanes);
  return best;
}

}  // namespace weft::cpu
