#include "weft/ir/ops/convolution_sums.h"

#include <numeric>

#include "weft/ir/layout.h"
#include "weft/ir/ops/convolution.h"
#include "weft/ir/ops/movements.h"

namespace weft::ir {
namespace {

/// v [n, g * c, ..] as [n, g, c, ..].
Value in_groups(Builder& b, Value v, int64_t groups, int axis) {
  Dims d = v.shape().dims();
  d[static_cast<size_t>(axis)] /= groups;
  d.insert(d.begin() + axis, groups);
  return b.reshape(v, Shape(d));
}

/// Sums the product of a and b over the axes that are not in `kept`. Axes are named by letters, all in the order of `all`.
Value contracted(Builder& builder, Value a, std::string_view a_axes, Value b, std::string_view b_axes, std::string_view all,
                 std::string_view kept) {
  const DType type = a.dtype(), wide = computed_in(type);  // products of narrow types are summed in f32, as a library would
  Dims extents(all.size(), 1);
  const auto note = [&](Value v, std::string_view axes) {
    for (size_t i = 0; i < axes.size(); ++i) extents[all.find(axes[i])] = v.shape().dims()[i];
  };
  note(a, a_axes), note(b, b_axes);
  const auto stretched = [&](Value v, std::string_view axes) {
    Dims shape(all.size(), 1);
    for (char axis : axes) shape[all.find(axis)] = extents[all.find(axis)];
    return builder.broadcast(builder.reshape(builder.cast(v, wide), Shape(shape)), Shape(extents));
  };
  Dims axes;
  for (size_t i = 0; i < all.size(); ++i)
    if (kept.find(all[i]) == std::string_view::npos) axes.push_back(static_cast<int64_t>(i));
  return builder.cast(builder.sum(builder("mul", {stretched(a, a_axes), stretched(b, b_axes)}), axes), type);
}

// Axes by letters: n batch, g group, o and i channels in the group; up to three spatial axes with positions p, q, r (of x
// for the data, of y else) and kernel k, l, m.
constexpr std::string_view position_letters = "pqr", kernel_letters = "klm";

struct Letters {
  std::string positions, kernel, both, all;  // both: as `windows` makes them
  explicit Letters(int spatial) {
    for (size_t d = 0; d < static_cast<size_t>(spatial); ++d) {
      positions += position_letters[d], kernel += kernel_letters[d];
      both += position_letters[d], both += kernel_letters[d];
    }
    all = "ngoi" + both;
  }
};

Dims spatial_axes(int spatial) {
  Dims axes(static_cast<size_t>(spatial));
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

Value windows_of_x(Builder& b, const Convolution& c, Value x) {
  return b("windows", {x},
           {{"axes", spatial_axes(c.spatial())},
            {"extents", spatial_extents(c.w)},
            {"stride", c.stride},
            {"dilation", c.dilation},
            {"low", c.low},
            {"high", c.high}});
}

/// Samples begin to end - 1.
Value samples(Builder& b, Value v, int64_t begin, int64_t end) {
  Dims first(v.shape().dims().size(), 0), last = v.shape().dims();
  if (begin == 0 && end == last[0]) return v;
  first[0] = begin, last[0] = end;
  return b("slice", {v}, {{"start", first}, {"end", last}});
}

}  // namespace

std::vector<Value> convolution_sums(Builder& b, const Op& op) {
  const Convolution c = convolution_of(op);
  const Letters l(c.spatial());
  const Value x = in_groups(b, windows_of_x(b, c, from_layout(b, op.operand(0), c.layouts.x)), c.groups, 1);
  const Value w = in_groups(b, from_layout(b, op.operand(1), c.layouts.w), c.groups, 0);
  const Value y = contracted(b, x, "ngi" + l.both, w, "goi" + l.kernel, l.all, "ngo" + l.positions);
  return {to_layout(b, b.reshape(y, c.y), c.layouts.y)};
}

std::vector<Value> convolution_data_sums(Builder& b, const Op& op) {
  const Convolution c = convolution_of(op);
  const Letters l(c.spatial());
  Value y = from_layout(b, op.operand(0), c.layouts.y);
  for (int d = 0; d < c.spatial(); ++d) {
    // x at p gets y at (p + low - k * dilation) / stride where that is whole: read backwards from p + low.
    const SlidingWindow window = c.window(d);
    const int64_t low = window.transposed().low;
    y = pad_interior(b, y, d + 2, window.stride);
    y = pad_or_crop(b, y, d + 2, low, c.x[d + 2] + window.reach() - low - y.shape()[d + 2]);
  }
  y = b("windows", {y},
        {{"axes", spatial_axes(c.spatial())}, {"extents", spatial_extents(c.w)}, {"dilation", c.dilation}, {"flipped", true}});
  const Value w = in_groups(b, from_layout(b, op.operand(1), c.layouts.w), c.groups, 0);
  const Value x = contracted(b, in_groups(b, y, c.groups, 1), "ngo" + l.both, w, "goi" + l.kernel, l.all, "ngi" + l.positions);
  return {to_layout(b, b.reshape(x, c.x), c.layouts.x)};
}

std::vector<Value> convolution_weight_sums(Builder& b, const Op& op) {
  const Convolution c = convolution_of(op);
  const Letters l(c.spatial());
  const Value x = in_groups(b, windows_of_x(b, c, from_layout(b, op.operand(0), c.layouts.x)), c.groups, 1);
  const Value y = in_groups(b, from_layout(b, op.operand(1), c.layouts.y), c.groups, 1);
  const Dims cuts = batch_cuts(c.x[0], op.integer("parts"));
  std::vector<Value> sums;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const int64_t begin = cuts[i], end = cuts[i + 1];
    const Value w =
        contracted(b, samples(b, x, begin, end), "ngi" + l.both, samples(b, y, begin, end), "ngo" + l.positions, l.all, "goi" + l.kernel);
    sums.push_back(to_layout(b, b.reshape(w, c.w), c.layouts.w));
  }
  if (sums.size() == 1) return sums;
  Dims one = sums[0].shape().dims();
  one.insert(one.begin(), 1);
  for (Value& v : sums) v = b.reshape(v, Shape(one));
  return {b("concat", sums, {{"axis", int64_t{0}}})};
}

}  // namespace weft::ir
