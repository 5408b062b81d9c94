#pragma once
// Finds a graph of elementwise ops inside another one.
//
// Ops agree in what they compute, sums and products with their operands in either order, constants in what every element is. Shapes do
// not count: a pattern is written for single elements.

#include <optional>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::passes {

struct PatternMatch {
  std::vector<ir::Value> inputs;  // what the pattern's inputs stand for
  std::vector<ir::Op*> ops;       // what its ops stand for but for constants, each behind those that it reads; the root's is the last
};

/// Is `root` what the pattern's one output is of `first`, its input 0, and of values of the same shape?
std::optional<PatternMatch> find_pattern(const ir::Graph& pattern, ir::Value root, ir::Value first);

/// The pattern's output of these operands, which have one shape.
ir::Value apply_pattern(ir::Builder& builder, const ir::Graph& pattern, const std::vector<ir::Value>& operands);

}  // namespace weft::passes
