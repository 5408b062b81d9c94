// The three derivatives of sum of x[n, i, p * stride - low + k * dilation] * w[o, i, k] * y[n, o, p], term by term.

#include "weft/ir/ops/convolution.h"

#include <algorithm>

#include "weft/backends/reference/heavy.h"

namespace weft::reference {
namespace {

/// The elements row-major, of a tensor that lies as the layout says; and back. `shape` is the row-major one.
Tensor row_major(const Tensor& t, const Layout& layout, const Shape& shape) {
  Tensor result = layout.is_plain() ? t : permuted(t, inverse(layout.order()));
  result.type.shape = shape;
  return result;
}

Tensor laid_out(Tensor t, const Layout& layout, const Shape& split) {
  t.type.shape = split;
  return layout.is_plain() ? t : permuted(t, layout.order());
}

/// The first and one past the last position whose element k of the kernel lies in x along spatial axis d.
std::pair<int64_t, int64_t> inside(const Convolution& c, int d, int64_t k) {
  const SlidingWindow window = c.window(d);
  const int64_t first = window.element(0, k), stride = window.stride;
  const int64_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
  const int64_t end = c.x[d + 2] <= first ? 0 : (c.x[d + 2] - first - 1) / stride + 1;
  return {begin, std::max(begin, std::min(end, c.y[d + 2]))};
}

/// Calls visit(x, w, y, count, step): `count` terms, whose offsets into x grow by `step`, into y by 1, and into w by 0.
template <class Visit>
void for_each_run(const Convolution& c, const Visit& visit) {
  const int s = c.spatial(), last = s - 1;
  const Dims x_strides = c.x.strides(), w_strides = c.w.strides(), y_strides = c.y.strides();
  const int64_t per_group = c.w[0] / c.groups;
  Dims outer(c.y.begin() + 2, c.y.end() - 1);  // positions of all spatial axes but the last
  const Shape kernel(spatial_extents(c.w)), rows(outer);
  std::vector<SlidingWindow> windows;
  for (int d = 0; d < s; ++d) windows.push_back(c.window(d));
  for (int64_t n = 0; n < c.y[0]; ++n)
    for (int64_t o = 0; o < c.y[1]; ++o)
      for (int64_t i = 0; i < c.w[1]; ++i)
        for_each_index(kernel, [&](const Dims& k) {
          const auto [begin, end] = inside(c, last, k[static_cast<size_t>(last)]);
          for_each_index(rows, [&](const Dims& p) {
            int64_t x = n * x_strides[0] + (o / per_group * c.w[1] + i) * x_strides[1];
            int64_t w = o * w_strides[0] + i * w_strides[1], y = n * y_strides[0] + o * y_strides[1];
            for (int d = 0; d < s; ++d) {
              const auto a = static_cast<size_t>(d);
              const int64_t position = d == last ? begin : p[a];
              const int64_t at = windows[a].element(position, k[a]);
              if (d != last && (at < 0 || at >= c.x[d + 2])) return;
              x += at * x_strides[a + 2], w += k[a] * w_strides[a + 2], y += position * y_strides[a + 2];
            }
            if (begin < end)
              visit(static_cast<size_t>(x), static_cast<size_t>(w), static_cast<size_t>(y), static_cast<size_t>(end - begin),
                    static_cast<size_t>(c.stride[static_cast<size_t>(last)]));
          });
        });
}

struct Sides {
  Convolution c;
  Tensor x, w, y;

  explicit Sides(const ir::Op& op) : c(ir::convolution_of(op)) {
    const DType t = op.operand(0).dtype();
    x = Tensor({t, c.x}), w = Tensor({t, c.w}), y = Tensor({t, c.y});
  }
};

}  // namespace

Tensor convolution(const ir::Op& op, Operands operands) {
  Sides s(op);
  s.x = row_major(*operands[0], s.c.layouts.x, s.c.x), s.w = row_major(*operands[1], s.c.layouts.w, s.c.w);
  for_each_run(s.c, [&](size_t x, size_t w, size_t y, size_t count, size_t step) {
    for (size_t j = 0; j < count; ++j) s.y.real[y + j] += s.x.real[x + j * step] * s.w.real[w];
  });
  return laid_out(std::move(s.y), s.c.layouts.y, s.c.layouts.y.split(s.c.y));
}

Tensor convolution_data(const ir::Op& op, Operands operands) {
  Sides s(op);
  s.y = row_major(*operands[0], s.c.layouts.y, s.c.y), s.w = row_major(*operands[1], s.c.layouts.w, s.c.w);
  for_each_run(s.c, [&](size_t x, size_t w, size_t y, size_t count, size_t step) {
    for (size_t j = 0; j < count; ++j) s.x.real[x + j * step] += s.y.real[y + j] * s.w.real[w];
  });
  return laid_out(std::move(s.x), s.c.layouts.x, s.c.layouts.x.split(s.c.x));
}

Tensor convolution_weight(const ir::Op& op, Operands operands) {
  Sides s(op);
  s.x = row_major(*operands[0], s.c.layouts.x, s.c.x), s.y = row_major(*operands[1], s.c.layouts.y, s.c.y);
  const int64_t batch = s.c.y[0];
  const Dims cuts = batch_cuts(batch, op.integer("parts"));
  Tensor result(op.result().type());
  const auto size = static_cast<size_t>(s.c.w.numel()), sample = static_cast<size_t>(s.c.y.numel() / std::max<int64_t>(1, batch));
  for (size_t part = 0; part + 1 < cuts.size(); ++part) {
    Tensor sum(s.w.type);
    const auto begin = static_cast<size_t>(cuts[part]), end = static_cast<size_t>(cuts[part + 1]);
    for_each_run(s.c, [&](size_t x, size_t w, size_t y, size_t count, size_t step) {
      if (y / sample < begin || y / sample >= end) return;
      for (size_t j = 0; j < count; ++j) sum.real[w] += s.x.real[x + j * step] * s.y.real[y + j];
    });
    const Tensor lying = laid_out(std::move(sum), s.c.layouts.w, s.c.layouts.w.split(s.c.w));
    std::copy(lying.real.begin(), lying.real.end(), result.real.begin() + static_cast<std::ptrdiff_t>(part * size));
  }
  return result;
}

}  // namespace weft::reference
