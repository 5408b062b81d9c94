#pragma once
// Convolutions as a library computes them: in double, over the elements that extents, strides and paddings name.

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "weft/tests/fake_cuda/elements.h"

namespace weft::test::fake_cuda {

struct Tensor {
  int64_t id = 0, alignment = 1;
  Element element = Element::f32;
  std::vector<int64_t> extents, strides;
  bool is_virtual = false, on_host = false;

  uint64_t elements() const;  // from its first to its last
  uint64_t bytes() const { return elements() * bytes_of(element); }
};

/// Does it for every index below the extents.
void each(const std::vector<int64_t>& extents, const std::function<void(const std::vector<int64_t>&)>& what);
/// Where the element of that index lies.
size_t offset(const Tensor& tensor, const std::vector<int64_t>& index);

struct Convolution {
  enum class Wanted { y, w, x };
  Wanted wanted = Wanted::y;
  Tensor x, w, y;
  std::vector<int64_t> strides, dilations, low, high;

  /// Do shapes and types fit together?
  bool agrees() const;
  std::array<const Tensor*, 3> tensors() const { return {&x, &w, &y}; }
  const Tensor& result() const { return wanted == Wanted::y ? y : wanted == Wanted::w ? w : x; }
};

/// Where an operation's tensors lie, in the order in which it names them.
using Places = std::vector<uint64_t>;

/// `to_tf32`: rounds the factors; `error` is added to each element of the result.
void convolve(Device& device, const Convolution& c, const Places& places, bool to_tf32, double error);

}  // namespace weft::test::fake_cuda
