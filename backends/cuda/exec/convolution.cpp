#include "weft/backends/cuda/exec/convolution.h"

#include <algorithm>
#include <limits>

#include "weft/runtime/convolution_call.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr std::string_view names[] = {"convolution", "convolution_data", "convolution_weight"};  // in the order of Wanted

/// Throws weft::Error where that is more than any memory has.
int64_t bytes_of(DType dtype, const Shape& shape) {
  Dims extents = shape.dims();
  extents.push_back(static_cast<int64_t>(size_of(dtype)));
  return Shape(std::move(extents)).numel();
}

}  // namespace

std::vector<ConvolutionTensor> tensors_of(const ConvolutionSpec& s) {
  const ConvolutionTensor x{s.x, s.layouts.x}, w{s.w, s.layouts.w}, y{s.y, s.layouts.y};
  switch (s.wanted) {
    case Wanted::y: return {x, w, y};
    case Wanted::x: return {y, w, x};
    case Wanted::w: return {x, y, w};
  }
  return {};
}

bool has_known_layouts(const Convolution& c) {
  const Layout last = Layout::channels_last(c.x.rank());
  const auto is_known = [&](const Layout& layout) { return layout.is_plain() || layout == last; };
  return is_known(c.layouts.x) && is_known(c.layouts.w) && is_known(c.layouts.y);
}

bool is_for_library(const ConvolutionSpec& s) {
  // Inside the library offsets are ints, and so are paddings, of which none is negative.
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  const auto fits = [](const Shape& shape) { return shape.numel() > 0 && shape.numel() <= most; };
  const auto is_padding = [](int64_t n) { return n >= 0; };
  const bool pads = std::all_of(s.low.begin(), s.low.end(), is_padding) && std::all_of(s.high.begin(), s.high.end(), is_padding);
  return (s.dtype == f32 || s.dtype == bf16) && fits(s.x) && fits(s.w) && fits(s.y) && pads && s.spatial() <= 3 && has_known_layouts(s);
}

bool takes_matrix_units(const ConvolutionSpec& s) { return s.dtype == bf16 || s.tf32; }

ConvolutionLayouts preferred_layouts(const ConvolutionSpec& s) {
  // Those units take channels that lie side by side: of what is row-major the library makes copies, in each call.
  if (!is_for_library(s) || !takes_matrix_units(s)) return {};
  const Layout last = Layout::channels_last(s.x.rank());
  return {last, last, last};
}

int64_t workspace_bytes(const ConvolutionSpec& s) {
  if (!is_for_library(s)) return 0;
  // Matrix units take channels that lie side by side, a multiple of 8 of them: other tensors are copied. A gradient of w is summed in
  // parts, too. In f32, which units for TF32 alone would copy, what needs more is no faster.
  constexpr int64_t channels = 8, parts = 32, most = 256 << 20, most_f32 = 32 << 20;
  int64_t copies = 0;
  for (const ConvolutionTensor& t : tensors_of(s)) {
    Dims extents = t.shape.dims();
    if (!t.layout.is_plain() && extents[1] % channels == 0) continue;
    extents[1] = (extents[1] + channels - 1) / channels * channels;
    copies += bytes_of(s.dtype, Shape(std::move(extents)));
  }
  const int64_t sums = s.wanted == Wanted::w ? parts * bytes_of(f32, s.w) : 0;
  return std::min(copies + sums, s.dtype == f32 ? most_f32 : most);
}

CallDescriptor describe(const ConvolutionSpec& s, const KernelCall& kernels) {
  CallDescriptor call = describe(kernels);
  call.call = names[static_cast<size_t>(s.wanted)];
  call.fields.insert({{"dtype", std::string(name_of(s.dtype))}, {"tf32", int64_t{s.tf32}}});
  add_fields(call, s);
  return call;
}

ConvolutionSpec convolution_of(const CallDescriptor& c) {
  ConvolutionSpec s;
  s.wanted = static_cast<Wanted>(std::find(std::begin(names), std::end(names), c.call) - std::begin(names));
  s.dtype = c.dtype("dtype"), s.tf32 = c.flag("tf32");
  read_fields(c, s);
  const bool consistent = is_consistent(s);
  if (consistent) read_layouts(c, s);
  if (!consistent || !is_for_library(s))
    throw Error(ErrorKind::file, "a convolution of {} {} with {} to {}: no call of weft is so", name_of(s.dtype), to_string(s.x),
                to_string(s.w), to_string(s.y));
  return s;
}

void require_convolution(const CallDescriptor& call, const Launch& launch) {
  const ConvolutionSpec s = convolution_of(call);
  Dims bytes;
  for (const ConvolutionTensor& tensor : tensors_of(s)) bytes.push_back(bytes_of(s.dtype, tensor.shape));
  require_buffers("a convolution", bytes, launch);
}

}  // namespace weft::cuda
