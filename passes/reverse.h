#pragma once
// Reverse accumulation over one graph: what the pass `autodiff`, `gradients` and the way back through a loop's body share.

#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::passes {

/// The values that depend on one of `xs` along a path that can carry a gradient, the xs included.
std::unordered_set<ir::Value, ir::ValueHash> active_values(const ir::Graph& graph, std::span<const ir::Value> xs);

class Reverse {
 public:
  /// What no x leads to is not looked at.
  Reverse(ir::Graph& graph, std::span<const ir::Value> xs);

  /// So much of the gradient of y comes from outside.
  void seed(ir::Value y, ir::Value gradient);
  /// Appends the ops. Throws weft::Error naming every op on the way that has no gradient, with its lines.
  void run();
  /// Null where none flows.
  ir::Value gradient(ir::Value v) const;

 private:
  void backward(const std::vector<ir::Op*>& ops);
  void backward(const ir::Op& op, std::vector<ir::Value> incoming);
  void differentiate_decomposition(ir::Builder& builder, const ir::Op& op, const std::vector<ir::Value>& incoming);
  void accumulate(ir::Builder& builder, ir::Value v, ir::Value gradient);
  /// Those of an op, of what its gradients are made of; ops that share a list share this one.
  const ir::Locations& backward_lines(const ir::Locations& lines);

  ir::Graph& graph_;
  std::vector<ir::Op*> ops_;
  std::unordered_set<ir::Value, ir::ValueHash> active_;
  std::unordered_map<ir::Value, ir::Value, ir::ValueHash> gradients_;
  std::string missing_;
  ir::Locations lines_, backward_lines_;  // that were asked for last
};

}  // namespace weft::passes
