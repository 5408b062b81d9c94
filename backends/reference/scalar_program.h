#pragma once
// Evaluates a scalar expression over arrays: node by node, a block of elements at a time, so that every intermediate
// value stays in the cache.

#include <span>
#include <vector>

#include "weft/backends/reference/kernels.h"

namespace weft::reference {

class ScalarProgram {
 public:
  /// `largest`: the most elements that one run will be asked for.
  ScalarProgram(ir::ScalarExpression expression, size_t largest);

  /// out[first + i] = the expression of arguments[k][i], for `count` elements. An argument may be those elements of
  /// `out` themselves.
  void run(std::span<const ir::ScalarElements> arguments, Tensor& out, size_t first, size_t count);

 private:
  void run_block(std::span<const ir::ScalarElements> arguments, size_t start, size_t count);

  ir::ScalarExpression expression_;
  size_t block_;
  std::vector<Tensor> buffers_;             // one per node; empty for an argument
  std::vector<ir::ScalarElements> values_;  // of each node, in the current block
};

}  // namespace weft::reference
