#pragma once
// A parameter that is computed of others, as a layer's weight of its norm and its direction (nn::weight_norm).

#include <memory>

#include "weft/frontend/language/tensor.h"

namespace weft::detail {

class Computation {
 public:
  virtual ~Computation() = default;
  /// Records it into the innermost graph: once for each graph that reads the parameter.
  virtual Tensor value() const = 0;
  /// A copy, made while a module is cloned (frontend/language/cloning.h), so that it is of the clone's parameters.
  virtual std::shared_ptr<const Computation> copy() const = 0;
};

}  // namespace weft::detail
