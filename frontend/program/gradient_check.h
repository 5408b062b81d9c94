#pragma once
// The gradients that a module's train block asks for, beside central differences of the loss: (loss(x + h) - loss(x - h)) / 2h. The
// reference interpreter computes both, all of it in double: what casts between floating types round is left as it was.

#include <span>
#include <string>
#include <vector>

#include "weft/backends/reference/reference.h"
#include "weft/ir/module.h"

namespace weft::detail {

struct GradientCheckOptions {
  int64_t elements = 100;  // of each parameter: all of them where they are fewer, else so many in equal distances; each takes two runs
  double step = 1e-5;      // h, times the element's magnitude where that is above 1
};

/// The element of a parameter that is furthest off.
struct CheckedGradient {
  std::string parameter;
  ir::Type type;
  int64_t checked = 0;                  // elements
  Dims element;                         // the worst one
  double gradient = 0, difference = 0;  // of the loss there: by the program, and the quotient
  double largest = 0;                   // magnitude of all that were checked, by either
  /// |gradient - difference|, of the largest.
  double error() const;
};

/// One entry for each trained parameter, in the train block's order. `recorded` has a train block and no gradients yet; `inputs` are its
/// graph's. Throws weft::Error for a module without a train block, and as the pass autodiff does.
std::vector<CheckedGradient> check_gradients(const ir::Module& recorded, std::span<const reference::Tensor> inputs,
                                             const GradientCheckOptions& options = {});

}  // namespace weft::detail
