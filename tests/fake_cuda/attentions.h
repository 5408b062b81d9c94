#pragma once
// Attention as a library computes it: in double.

#include "weft/tests/fake_cuda/convolutions.h"

namespace weft::test::fake_cuda {

/// Keys after a query's own are hidden.
struct Band {
  Tensor x, hidden, y;
};

struct Attention {
  Tensor q, k, v, result, statistics, scale;
  std::vector<Band> bands;  // none or one

  /// Do shapes, types and places fit together?
  bool agrees() const;
  std::vector<const Tensor*> tensors() const;
};

/// `numbers`: those on the host, in the order of the tensors; `error` is added to each element of the result.
void attend(Device& device, const Attention& a, const Places& places, const std::vector<float>& numbers, double error);

}  // namespace weft::test::fake_cuda
