#pragma once
// The equations of `canonicalize`, one row each: README lists them by `weft explain`, tests take them one by one.

#include <string_view>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::passes {

struct Rewrite {
  std::string_view op;        // the op that the left side's root is
  std::string_view equation;  // "x * 1 = x"
  /// The value to use instead of the op's result, or null when the row does not apply.
  ir::Value (*apply)(ir::Builder&, const ir::Op&);
};

const std::vector<Rewrite>& arithmetic_rewrites();
const std::vector<Rewrite>& movement_rewrites();
const std::vector<Rewrite>& contraction_rewrites();
const std::vector<Rewrite>& window_rewrites();

}  // namespace weft::passes
