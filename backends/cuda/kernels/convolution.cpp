#include "weft/backends/cuda/kernels/convolution.h"

#include <algorithm>

#include "weft/backends/cuda/kernels/product.h"
#include "weft/ir/ops/convolution.h"

namespace weft::cuda {
namespace {

Value* times(IRBuilder& b, Value* v, int64_t n) { return b.CreateMul(v, codegen::integer(v, n)); }
Value* plus(IRBuilder& b, Value* v, int64_t n) { return b.CreateAdd(v, codegen::integer(v, n)); }
Value* is_below(IRBuilder& b, Value* v, int64_t n) { return b.CreateICmpULT(v, codegen::integer(v, n)); }

/// The number, split into a first digit and one for each spatial axis.
Values split(IRBuilder& b, Value* number, int64_t first, const Dims& spatial) {
  Dims extents = spatial;
  extents.insert(extents.begin(), first);
  return digits_of(b, number, extents);
}

/// The same where the first digit, a channel's, is counted last.
Values split_channels_last(IRBuilder& b, Value* number, int64_t channels, const Dims& spatial) {
  Dims extents = spatial;
  extents.push_back(channels);
  Values digits = digits_of(b, number, extents);
  std::rotate(digits.begin(), digits.end() - 1, digits.end());
  return digits;
}

/// The three tensors of a convolution, of which a product reads two.
class Geometry {
 public:
  explicit Geometry(const Convolution& c)
      : c_(c), x_last_(!c.layouts.x.is_plain()), w_last_(!c.layouts.w.is_plain()), y_last_(!c.layouts.y.is_plain()), inner_(c.w[1]),
        outer_(c.w[0] / c.groups), kernel_(spatial_extents(c.w)), positions_(spatial_extents(c.y)), elements_(spatial_extents(c.x)) {}

  // Do the tensor's channels lie last?
  bool x_last() const { return x_last_; }
  bool w_last() const { return w_last_; }
  bool y_last() const { return y_last_; }

  int64_t groups() const { return c_.groups; }
  int64_t samples() const { return c_.x[0]; }
  int64_t inner() const { return inner_; }  // channels of x and of y in a group
  int64_t outer() const { return outer_; }
  const Dims& kernel() const { return kernel_; }
  const Dims& positions() const { return positions_; }
  const Dims& elements() const { return elements_; }  // of x

  /// A channel and an element of the kernel, of a number that counts both: as they follow each other in w, and in y's order.
  Values inner_and_kernel(IRBuilder& b, Value* number) const {
    return w_last_ ? split_channels_last(b, number, inner_, kernel_) : split(b, number, inner_, kernel_);
  }
  Values outer_and_kernel(IRBuilder& b, Value* number) const {
    return y_last_ ? split_channels_last(b, number, outer_, kernel_) : split(b, number, outer_, kernel_);
  }

  /// Of x, where a position and an element of the kernel meet. `at`: what `split` gives of both; the first digits are not looked at.
  Place in_x(IRBuilder& b, Value* sample, Value* group, Value* channel, const Values& position, const Values& kernel) const {
    Values at(position.size());
    Value* exists = nullptr;
    for (size_t d = 0; d < elements_.size(); ++d) {
      const SlidingWindow window = c_.window(static_cast<int>(d));
      at[d + 1] = plus(b, b.CreateAdd(times(b, position[d + 1], window.stride), times(b, kernel[d + 1], window.dilation)), -window.low);
      if (window.low > 0 || window.high > 0) exists = both(b, exists, is_below(b, at[d + 1], elements_[d]));
    }
    return {offset(b, c_.x, x_last_, sample, channel_of_x(b, group, channel), at), exists};
  }

  /// Of y, which position of an element of the kernel lies over one of x.
  Place in_y(IRBuilder& b, Value* sample, Value* group, Value* channel, const Values& element, const Values& kernel) const {
    Values at(element.size());
    Value* exists = nullptr;
    for (size_t d = 0; d < positions_.size(); ++d) {
      const SlidingWindow window = c_.window(static_cast<int>(d));
      Value* strides = plus(b, b.CreateSub(element[d + 1], times(b, kernel[d + 1], window.dilation)), window.low);
      exists = both(b, exists, is_below(b, strides, positions_[d] * window.stride));
      llvm::Constant* stride = codegen::integer(strides, window.stride);
      if (window.stride > 1) exists = both(b, exists, b.CreateICmpEQ(b.CreateURem(strides, stride), codegen::integer(strides, 0)));
      at[d + 1] = b.CreateUDiv(strides, stride);
    }
    return {offset(b, c_.y, y_last_, sample, channel_of_y(b, group, channel), at), exists};
  }

  /// Of x and of y, the channel's element of that number, as `split` gives it.
  Place element_of_x(IRBuilder& b, Value* group, Value* channel, const Values& at) const {
    return {offset(b, c_.x, x_last_, at[0], channel_of_x(b, group, channel), at)};
  }
  Place element_of_y(IRBuilder& b, Value* group, Value* channel, const Values& at) const {
    return {offset(b, c_.y, y_last_, at[0], channel_of_y(b, group, channel), at)};
  }
  /// Of w; of the kernel's element the first digit is not looked at.
  Place element_of_w(IRBuilder& b, Value* group, Value* outer, Value* inner, const Values& kernel) const {
    return {offset(b, c_.w, w_last_, channel_of_y(b, group, outer), inner, kernel)};
  }

  /// Elements of a kernel.
  int64_t taps() const { return Shape(kernel_).numel(); }
  int64_t position_count() const { return Shape(positions_).numel(); }
  int64_t element_count() const { return Shape(elements_).numel(); }

  /// More than any number that the places are computed with.
  int64_t most_elements(int64_t parts) const {
    int64_t most = std::max({c_.x.numel(), c_.w.numel() * parts, c_.y.numel(), samples() * parts});
    for (size_t d = 0; d < elements_.size(); ++d) {
      const SlidingWindow window = c_.window(static_cast<int>(d));
      most = std::max(most, elements_[d] + window.low + window.high + window.stride);
    }
    return most;
  }

 private:
  static Value* both(IRBuilder& b, Value* x, Value* y) { return x ? b.CreateAnd(x, y) : y; }

  Value* channel_of_x(IRBuilder& b, Value* group, Value* inner) const { return b.CreateAdd(times(b, group, inner_), inner); }
  Value* channel_of_y(IRBuilder& b, Value* group, Value* outer) const { return b.CreateAdd(times(b, group, outer_), outer); }

  /// In a tensor of that shape; the first digit of `at` is not looked at.
  static Value* offset(IRBuilder& b, const Shape& shape, bool last, Value* row, Value* channel, const Values& at) {
    Value* sum = last ? row : b.CreateAdd(times(b, row, shape[1]), channel);
    for (size_t d = 1; d < at.size(); ++d) sum = b.CreateAdd(times(b, sum, shape[static_cast<int>(d) + 1]), at[d]);
    return last ? b.CreateAdd(times(b, sum, shape[1]), channel) : sum;
  }

  Convolution c_;
  bool x_last_, w_last_, y_last_;
  int64_t inner_, outer_;
  Dims kernel_, positions_, elements_;
};

/// The same sums with rows and columns exchanged: of a result whose channels lie last, columns are channels.
Product transposed(const Product& p) {
  const auto exchanged = [](const Places& places) -> Places {
    return [=](IRBuilder& b, Value* batch, Value* row, Value* column) { return places(b, batch, column, row); };
  };
  Product t = p;
  t.m = p.n, t.n = p.m;
  t.left = {p.right.buffer, exchanged(p.right.places), !p.right.rows_are_neighbours};
  t.right = {p.left.buffer, exchanged(p.left.places), !p.left.rows_are_neighbours};
  t.result_places = exchanged(p.result_places);
  return t;
}

/// y: of each group, w [outer, (inner, kernel)] times x [(inner, kernel), (sample, position)].
Product forward(const Geometry& g, DType dtype) {
  const int64_t k = g.inner() * g.taps();
  Product p{dtype, g.groups(), g.outer(), g.samples() * g.position_count(), k};
  p.left = {1, [=](IRBuilder& b, Value* group, Value* m, Value* at) -> Place {
              return {b.CreateAdd(times(b, b.CreateAdd(times(b, group, g.outer()), m), k), at)};
            }};
  p.right = {0,
             [=](IRBuilder& b, Value* group, Value* at, Value* n) {
               const Values kernel = g.inner_and_kernel(b, at), position = split(b, n, g.samples(), g.positions());
               return g.in_x(b, position[0], group, kernel[0], position, kernel);
             },
             g.x_last()};
  p.result_places = [=](IRBuilder& b, Value* group, Value* m, Value* n) {
    return g.element_of_y(b, group, m, split(b, n, g.samples(), g.positions()));
  };
  return g.y_last() ? transposed(p) : p;
}

/// x: of each group, w [inner, (outer, kernel)] times y [(outer, kernel), (sample, element)].
Product data(const Geometry& g, DType dtype) {
  Product p{dtype, g.groups(), g.inner(), g.samples() * g.element_count(), g.outer() * g.taps()};
  p.left = {1,
            [=](IRBuilder& b, Value* group, Value* m, Value* at) -> Place {
              const Values kernel = g.outer_and_kernel(b, at);
              return g.element_of_w(b, group, kernel[0], m, kernel);
            },
            g.w_last()};
  p.right = {0,
             [=](IRBuilder& b, Value* group, Value* at, Value* n) {
               const Values kernel = g.outer_and_kernel(b, at), element = split(b, n, g.samples(), g.elements());
               return g.in_y(b, element[0], group, kernel[0], element, kernel);
             },
             g.y_last()};
  p.result_places = [=](IRBuilder& b, Value* group, Value* m, Value* n) {
    return g.element_of_x(b, group, m, split(b, n, g.samples(), g.elements()));
  };
  return g.x_last() ? transposed(p) : p;
}

/// w: of each part of the batch and each group, y [outer, (sample, position)] times x [(sample, position), (inner, kernel)].
Product weight(const Geometry& g, DType dtype, int64_t parts) {
  const int64_t most = (g.samples() + parts - 1) / parts;
  Product p{dtype, parts * g.groups(), g.outer(), g.inner() * g.taps(), most * g.position_count()};
  const auto sample = [=](IRBuilder& b, Value* part, Value* in_part) -> Place {
    if (parts == 1) return {in_part};
    const auto cut = [&](Value* i) { return b.CreateUDiv(times(b, i, g.samples()), codegen::integer(i, parts)); };
    Value* at = b.CreateAdd(cut(part), in_part);
    return {at, b.CreateICmpULT(at, cut(plus(b, part, 1)))};
  };
  p.left = {1,
            [=](IRBuilder& b, Value* batch, Value* m, Value* at) {
              const Values of = digits_of(b, batch, {parts, g.groups()});
              Values position = split(b, at, most, g.positions());
              const Place in_batch = sample(b, of[0], position[0]);
              position[0] = in_batch.offset;
              return Place{g.element_of_y(b, of[1], m, position).offset, in_batch.exists};
            },
            g.y_last()};
  // Where channels do not lie last, further along a row of x stands the next position.
  p.right = {0,
             [=](IRBuilder& b, Value* batch, Value* at, Value* n) {
               const Values of = digits_of(b, batch, {parts, g.groups()}), kernel = g.inner_and_kernel(b, n);
               const Values position = split(b, at, most, g.positions());
               const Place in_batch = sample(b, of[0], position[0]);
               Place place = g.in_x(b, in_batch.offset, of[1], kernel[0], position, kernel);
               if (in_batch.exists) place.exists = place.exists ? b.CreateAnd(place.exists, in_batch.exists) : in_batch.exists;
               return place;
             },
             !g.x_last()};
  // Parts of w lie one behind the other, and in each its groups.
  p.result_places = [=](IRBuilder& b, Value* batch, Value* m, Value* n) -> Place {
    return {b.CreateAdd(times(b, b.CreateAdd(times(b, batch, g.outer()), m), g.inner() * g.taps()), n)};
  };
  return p;
}

template <Wanted wanted>
Product product_of(const ir::Op& op) {
  const Geometry g(ir::convolution_of(op));
  const int64_t parts = wanted == Wanted::w ? op.integer("parts") : 1;
  const DType dtype = op.result().dtype();
  Product p = wanted == Wanted::y ? forward(g, dtype) : wanted == Wanted::x ? data(g, dtype) : weight(g, dtype, parts);
  p.result_buffer = 2, p.most_elements = g.most_elements(parts);
  return p;
}

template <Wanted wanted>
ConvolutionSpec spec_of(const ir::Op& op, bool tf32) {
  const DType dtype = op.result().dtype();
  return {ir::convolution_of(op), wanted, dtype, tf32 && dtype == f32};
}

/// A gradient that is computed in parts is several results.
template <Wanted wanted>
bool is_whole(const ir::Op& op) {
  return wanted != Wanted::w || op.integer("parts") == 1;
}

}  // namespace

template <Wanted wanted>
bool claims_convolution(const ir::Op& op) {
  const bool empty = op.operand(0).shape().numel() == 0 || op.operand(1).shape().numel() == 0 || op.result().shape().numel() == 0;
  return !empty && has_known_layouts(ir::convolution_of(op)) && is_launchable(product_of<wanted>(op));
}

template <Wanted wanted>
int64_t convolution_scratch_bytes(const ir::Op& op) {
  const int64_t own = scratch_bytes(product_of<wanted>(op));
  return is_whole<wanted>(op) ? std::max(own, workspace_bytes(spec_of<wanted>(op, /*tf32=*/false))) : own;
}

template <Wanted wanted>
ir::NamedAttributes convolution_layouts(const ir::Op& op, bool tf32) {
  if (!is_whole<wanted>(op)) return {};
  const ConvolutionLayouts preferred = preferred_layouts(spec_of<wanted>(op, tf32));
  return {{"x_layout", preferred.x.text()}, {"w_layout", preferred.w.text()}, {"y_layout", preferred.y.text()}};
}

template <Wanted wanted>
CallDescriptor describe_convolution(const ir::Op& op, const KernelCall& kernels, bool tf32) {
  const ConvolutionSpec spec = spec_of<wanted>(op, tf32);
  return is_whole<wanted>(op) && is_for_library(spec) ? describe(spec, kernels) : describe(kernels);
}

template <Wanted wanted>
std::vector<KernelLaunch> emit_convolution(llvm::Module& module, const ir::Op& op, const std::string& name) {
  return emit_product(module, op, name, product_of<wanted>(op));
}

template bool claims_convolution<Wanted::y>(const ir::Op&);
template bool claims_convolution<Wanted::x>(const ir::Op&);
template bool claims_convolution<Wanted::w>(const ir::Op&);
template int64_t convolution_scratch_bytes<Wanted::y>(const ir::Op&);
template int64_t convolution_scratch_bytes<Wanted::x>(const ir::Op&);
template int64_t convolution_scratch_bytes<Wanted::w>(const ir::Op&);
template ir::NamedAttributes convolution_layouts<Wanted::y>(const ir::Op&, bool);
template ir::NamedAttributes convolution_layouts<Wanted::x>(const ir::Op&, bool);
template ir::NamedAttributes convolution_layouts<Wanted::w>(const ir::Op&, bool);
template CallDescriptor describe_convolution<Wanted::y>(const ir::Op&, const KernelCall&, bool);
template CallDescriptor describe_convolution<Wanted::x>(const ir::Op&, const KernelCall&, bool);
template CallDescriptor describe_convolution<Wanted::w>(const ir::Op&, const KernelCall&, bool);
template std::vector<KernelLaunch> emit_convolution<Wanted::y>(llvm::Module&, const ir::Op&, const std::string&);
template std::vector<KernelLaunch> emit_convolution<Wanted::x>(llvm::Module&, const ir::Op&, const std::string&);
template std::vector<KernelLaunch> emit_convolution<Wanted::w>(llvm::Module&, const ir::Op&, const std::string&);

}  // namespace weft::cuda
