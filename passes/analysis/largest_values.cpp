#include "weft/passes/analysis/largest_values.h"

#include <algorithm>

#include "weft/ir/op_def.h"

namespace weft::passes {
namespace {

constexpr size_t most_named = 4;

/// The op that makes it, inside of kernels and nests.
const ir::Op& maker_of(ir::Value v) {
  const ir::Op* op = v.op();
  while (op->def().is_region()) {
    const ir::Value inside = op->body().outputs()[static_cast<size_t>(v.index())].value;
    if (inside.is_input()) break;
    v = inside, op = v.op();
  }
  return *op;
}

}  // namespace

std::string largest_of(std::vector<ir::Value> values) {
  std::stable_sort(values.begin(), values.end(), [](ir::Value x, ir::Value y) { return x.type().bytes() > y.type().bytes(); });
  std::string text;
  for (size_t i = 0; i < std::min(most_named, values.size()); ++i) {
    const ir::Op& op = maker_of(values[i]);
    text += fmt::format("{}{} of {} at {}", i == 0 ? "" : ", ", to_string(values[i].type()), op.name(), to_string(op.locations()));
  }
  return text;
}

}  // namespace weft::passes
