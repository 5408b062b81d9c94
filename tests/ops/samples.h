#pragma once
// For every op of the registry: operand types and attributes that it accepts, and operand values inside its domain.

#include <map>
#include <string>
#include <vector>

#include "weft/backends/reference/reference.h"
#include "weft/ir/module.h"
#include "weft/ir/registry.h"

namespace weft::testing {

struct Interval {
  double low, high;
};

/// One way to call an op.
struct Sample {
  std::string op;
  std::vector<ir::Type> operands;
  ir::NamedAttributes attributes = {};
  /// By operand number: where its values lie, if not in the op's own interval.
  std::map<int, Interval> intervals = {};
  /// The statements of a body graph, in text form.
  std::string body = {};
  /// Floating operands that by definition get no gradient.
  std::vector<int> constant = {};
  /// Not for ops in a form that passes make after differentiation.
  bool differentiable = true;
  /// Another sample with an extent of 0 or 1, or of rank 0: where a difference is exactly 0, roundings may be left of it.
  bool degenerate = false;
};

/// Samples of every op. `floating` is the element type of the floating operands that may have any.
std::vector<Sample> samples(DType floating = f64);

/// A graph of this one op, from inputs named after its operands to outputs "result0", ...
ir::Module module_of(const Sample& sample);
/// Values for the inputs of module_of, the same in every run; as precise as their types.
std::vector<reference::Tensor> values_of(const Sample& sample);

/// "matmul(f64[2,3], f64[3,4])", for messages.
std::string to_string(const Sample& sample);

}  // namespace weft::testing
