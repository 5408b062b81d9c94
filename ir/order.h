#pragma once
// An order of ops that follows from what they compute.
//
// C++ leaves open which operand of `a * b + c * d` is evaluated first, so the order in which nested calls record ops
// depends on the compiler, and with it texts, the order of sums and so the last bits. Whoever calls code that records
// puts what it made into the order of need: an op's operands stand before it, what the first one needs before what the
// second one needs.

#include <functional>
#include <span>

#include "weft/ir/builder.h"

namespace weft::ir {

/// Everything in the graph: first what the outputs need, in their order, then the rest. Inputs that are no batch change
/// places among each other, so that they stand in the order of first use.
void sort_by_need(Graph& graph);

/// The ops that a builder adds while this lives.
class Added {
 public:
  explicit Added(const Builder& builder);
  /// Sorts them by what `results` (which may hold nulls) need, and erases what these do not need.
  void sort(std::span<const Value> results) const;
  /// One of them, if any is as wanted.
  const Op* find(const std::function<bool(const Op&)>& wanted) const;

 private:
  Graph& graph_;
  const Op* last_before_;
  Op* first_after_;
};

/// The op's decomposition, and its gradient rule, with their ops sorted by need. Of operands that are bf16 both are computed in
/// f32 and rounded once at the end, as PyTorch's kernels do; but what calls a library or moves whole tables is taken as it is.
std::vector<Value> decompose(Builder& builder, const Op& op);
std::vector<Value> differentiate(GradientContext& context);

}  // namespace weft::ir
