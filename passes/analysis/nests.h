#pragma once
// What loop nests are made of, and when a set of a graph's ops is one: what the passes ask that build nests (fuse, recompute).

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"
#include "weft/passes/analysis/loop_nest.h"

namespace weft::passes {

/// May it be part of a nest?
bool can_fuse(const ir::Op& op);
/// Worth repeating rather than storing: no memory to read, or a single element's arithmetic.
bool is_cheap(const ir::Op& op);

/// The nests of a graph, some of whose results take the place of inputs.
class Nests {
 public:
  explicit Nests(const ir::Graph& graph);

  /// The nest of these ops, with those of their results that others read; none and the reason why.
  std::optional<LoopNest> nest_of(const std::vector<ir::Op*>& ops, const std::vector<ir::Value>& outputs, NoNest* why = nullptr) const;
  /// The inputs whose place the value takes.
  const std::vector<ir::Value>& replaced_by(ir::Value value) const;

 private:
  std::unordered_map<ir::Value, std::vector<ir::Value>, ir::ValueHash> replaced_;
};

}  // namespace weft::passes
