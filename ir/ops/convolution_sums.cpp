#include "weft/ir/ops/convolution_sums.h"

#include <algorithm>
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

/// Along the spatial axes of a tensor, from begin to end - 1.
struct Part {
  Dims begin, end;
};

/// A convolution without the kernel's elements, or taps, that lie in the padding at every position, and which parts of x and of w it is of.
/// So neither a dilation nor padding makes work that far exceeds x and y.
struct Met {
  Convolution conv;
  Part x, w;
};

Met met_by_taps(const Convolution& c) {
  Met met{c, {}, {}};
  Dims x = c.x.dims(), w = c.w.dims();
  for (int d = 0; d < c.spatial(); ++d) {
    const auto i = static_cast<size_t>(d);
    const int64_t n = c.x[d + 2], last = (c.y[d + 2] - 1) * c.stride[i], dilation = c.dilation[i], low = c.low[i];
    // In front of x even at the last position; behind it even at the first.
    const int64_t begin = last >= low ? 0 : std::min((low - last + dilation - 1) / dilation, w[i + 2] - 1);
    const int64_t end = std::clamp((n + low + dilation - 1) / dilation, begin + 1, w[i + 2]);
    const int64_t first = begin * dilation - low, behind = first + last + (end - begin - 1) * dilation + 1;  // in x: what is looked at
    // Where there is one position, what lies between two is nothing.
    if (c.y[d + 2] == 1) met.conv.stride[i] = std::clamp<int64_t>(n + low + c.high[i] - c.window(d).reach(), 1, c.stride[i]);
    met.x.begin.push_back(0), met.x.end.push_back(n), met.w.begin.push_back(0), met.w.end.push_back(w[i + 2]);
    if (end - begin == w[i + 2] || first >= n || behind <= 0) continue;
    met.w.begin[i] = begin, met.w.end[i] = end;
    met.x.begin[i] = std::max<int64_t>(first, 0), met.x.end[i] = std::min(behind, n);
    met.conv.low[i] = std::max<int64_t>(-first, 0), met.conv.high[i] = std::max<int64_t>(behind - n, 0);
    if (end - begin == 1) met.conv.dilation[i] = 1;
    if (c.y[d + 2] == 1) met.conv.stride[i] = 1;
    x[i + 2] = met.x.end[i] - met.x.begin[i], w[i + 2] = end - begin;
  }
  met.conv.x = Shape(x), met.conv.w = Shape(w);
  return met;
}

Value taken(Builder& b, Value v, const Part& part) {
  Dims start(v.shape().dims().size(), 0), end = v.shape().dims();
  std::copy(part.begin.begin(), part.begin.end(), start.begin() + 2), std::copy(part.end.begin(), part.end.end(), end.begin() + 2);
  return Shape(end) == v.shape() && start == Dims(start.size(), 0) ? v : b("slice", {v}, {{"start", start}, {"end", end}});
}

/// Back among zeros.
Value put_back(Builder& b, Value v, const Part& part, const Shape& whole) {
  for (size_t i = 0; i < part.begin.size(); ++i) {
    const int axis = static_cast<int>(i) + 2;
    v = pad_or_crop(b, v, axis, part.begin[i], whole[axis] - part.end[i]);
  }
  return v;
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
  const Met met = met_by_taps(convolution_of(op));
  const Convolution& c = met.conv;
  const Letters l(c.spatial());
  const Value x = in_groups(b, windows_of_x(b, c, taken(b, from_layout(b, op.operand(0), c.layouts.x), met.x)), c.groups, 1);
  const Value w = in_groups(b, taken(b, from_layout(b, op.operand(1), c.layouts.w), met.w), c.groups, 0);
  const Value y = contracted(b, x, "ngi" + l.both, w, "goi" + l.kernel, l.all, "ngo" + l.positions);
  return {to_layout(b, b.reshape(y, c.y), c.layouts.y)};
}

std::vector<Value> convolution_data_sums(Builder& b, const Op& op) {
  const Convolution whole = convolution_of(op);
  const Met met = met_by_taps(whole);
  const Convolution& c = met.conv;
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
  const Value w = in_groups(b, taken(b, from_layout(b, op.operand(1), c.layouts.w), met.w), c.groups, 0);
  const Value x = contracted(b, in_groups(b, y, c.groups, 1), "ngo" + l.both, w, "goi" + l.kernel, l.all, "ngi" + l.positions);
  return {to_layout(b, put_back(b, b.reshape(x, c.x), met.x, whole.x), c.layouts.x)};
}

std::vector<Value> convolution_weight_sums(Builder& b, const Op& op) {
  const Convolution whole = convolution_of(op);
  const Met met = met_by_taps(whole);
  const Convolution& c = met.conv;
  const Letters l(c.spatial());
  const Value x = in_groups(b, windows_of_x(b, c, taken(b, from_layout(b, op.operand(0), c.layouts.x), met.x)), c.groups, 1);
  const Value y = in_groups(b, from_layout(b, op.operand(1), c.layouts.y), c.groups, 1);
  const Dims cuts = batch_cuts(c.x[0], op.integer("parts"));
  std::vector<Value> sums;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const int64_t begin = cuts[i], end = cuts[i + 1];
    const Value w =
        contracted(b, samples(b, x, begin, end), "ngi" + l.both, samples(b, y, begin, end), "ngo" + l.positions, l.all, "goi" + l.kernel);
    sums.push_back(to_layout(b, put_back(b, b.reshape(w, c.w), met.w, whole.w), c.layouts.w));
  }
  if (sums.size() == 1) return sums;
  Dims one = sums[0].shape().dims();
  one.insert(one.begin(), 1);
  for (Value& v : sums) v = b.reshape(v, Shape(one));
  return {b("concat", sums, {{"axis", int64_t{0}}})};
}

}  // namespace weft::ir
