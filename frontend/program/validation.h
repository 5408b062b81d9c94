#pragma once
// Translation validation: what a pass makes must compute what it was made from.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/backends/reference/reference.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/ir/module.h"

namespace weft::detail {

/// The option if given, else the environment variable WEFT_VALIDATE; throws weft::Error unless that is 0 or 1.
bool validates(std::optional<bool> option);

class Validation {
 public:
  /// Interprets the program as recorded.
  explicit Validation(const ir::Module& recorded);

  /// Interprets the program after `pass`. Throws InternalError when an output that was there before has changed by more
  /// than 8 times what moving every input by an ulp of f32 does to it, and 64 such ulps of its largest element, or 4 of bf16 where
  /// the program computes in that (a pass may say where a product is rounded to it, which the reference does at casts alone);
  /// integers must be equal where that movement leaves them alone.
  void check(const ir::Module& module, const std::string& pass);

 private:
  using Tensors = std::map<std::string, reference::Tensor>;
  Tensors evaluate(const ir::Module& module, double moved_ulps) const;

  std::map<std::string, IndexBound> index_bounds_;  // of recorded integer inputs
  Tensors exact_, moved_;                           // outputs by name
  bool low_precision_;                              // some values are f16 or bf16
};

}  // namespace weft::detail
