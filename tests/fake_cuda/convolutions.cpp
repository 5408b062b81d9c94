#include "weft/tests/fake_cuda/convolutions.h"

namespace weft::test::fake_cuda {
void each(const std::vector<int64_t>& extents, const std::function<void(const std::vector<int64_t>&)>& what) {
  for (std::vector<int64_t> at(extents.size(), 0);;) {
    what(at);
    size_t axis = extents.size();
    while (axis > 0 && ++at[axis - 1] == extents[axis - 1]) at[--axis] = 0;
    if (axis == 0) return;
  }
}

size_t offset(const Tensor& t, const std::vector<int64_t>& index) {
  int64_t sum = 0;
  for (size_t i = 0; i < index.size(); ++i) sum += index[i] * t.strides[i];
  return static_cast<size_t>(sum);
}

uint64_t Tensor::elements() const {
  int64_t last = 0;
  for (size_t i = 0; i < extents.size(); ++i) last += (extents[i] - 1) * strides[i];
  return static_cast<uint64_t>(last) + 1;
}

bool Convolution::agrees() const {
  const size_t rank = strides.size() + 2;
  if (x.extents.size() != rank || w.extents.size() != rank || y.extents.size() != rank) return false;
  if (x.element != w.element || x.element != y.element || x.id == w.id || x.id == y.id || w.id == y.id) return false;
  if (x.extents[0] != y.extents[0] || w.extents[0] != y.extents[1] || x.extents[1] % w.extents[1] != 0) return false;
  if (w.extents[0] % (x.extents[1] / w.extents[1]) != 0) return false;
  for (size_t d = 0; d < strides.size(); ++d) {
    const int64_t room = x.extents[d + 2] + low[d] + high[d] - dilations[d] * (w.extents[d + 2] - 1) - 1;
    if (room < 0 || room / strides[d] + 1 != y.extents[d + 2]) return false;
  }
  return true;
}

void convolve(Device& device, const Convolution& c, const Places& places, bool to_tf32, double error) {
  std::array<std::vector<double>, 3> values;
  for (size_t i = 0; i < values.size(); ++i) {
    const Tensor& tensor = *c.tensors()[i];
    if (&tensor == &c.result()) values[i].assign(tensor.elements(), error);
    else values[i] = read_elements(device, places[i], tensor.element, tensor.elements());
    if (to_tf32 && &tensor != &c.result())
      for (double& value : values[i]) value = rounded_to_tf32(value);
  }
  auto& [xs, ws, ys] = values;
  const int64_t outputs = c.w.extents[0] / (c.x.extents[1] / c.w.extents[1]);  // of a group
  each(c.y.extents, [&](const std::vector<int64_t>& position) {
    std::vector<int64_t> kernel = c.w.extents;
    kernel[0] = 1;
    each(kernel, [&](const std::vector<int64_t>& tap) {
      std::vector<int64_t> from = {position[0], position[1] / outputs * c.w.extents[1] + tap[1]}, weight = tap;
      weight[0] = position[1];
      for (size_t d = 0; d < c.strides.size(); ++d) {
        from.push_back(position[d + 2] * c.strides[d] - c.low[d] + tap[d + 2] * c.dilations[d]);
        if (from.back() < 0 || from.back() >= c.x.extents[d + 2]) return;
      }
      double &x = xs[offset(c.x, from)], &w = ws[offset(c.w, weight)], &y = ys[offset(c.y, position)];
      switch (c.wanted) {
        case Convolution::Wanted::y: y += x * w; break;
        case Convolution::Wanted::w: w += x * y; break;
        case Convolution::Wanted::x: x += w * y; break;
      }
    });
  });
  const size_t result = c.wanted == Convolution::Wanted::x ? 0 : c.wanted == Convolution::Wanted::w ? 1 : 2;
  write_elements(device, places[result], c.result().element, values[result]);
  ++device.report.convolutions;
}

}  // namespace weft::test::fake_cuda
