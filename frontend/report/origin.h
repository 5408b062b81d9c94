#pragma once
// Where calls, values and ops come from, as reports group them.

#include <string>
#include <unordered_map>
#include <vector>

#include "weft/ir/graph.h"

namespace weft {

struct Origin {
  std::string op;      // "matmul"; "fused" for a loop nest
  std::string layer;   // "fc1", of several "fc1, fc2" or "fc1, fc2 and 3 more"; empty outside of all
  std::string source;  // "net.cpp:3", of several "net.cpp:3, net.cpp:5"
  std::string phase;   // "forward", "backward" or "update": where in a step it runs

  /// The layer, or where there is none the source lines.
  const std::string& place() const { return layer.empty() ? source : layer; }
};

namespace detail {

/// The part of a step in which each op of a graph runs. What was made for several (ir::Phases) runs in the first one in which
/// somebody needs it: a loop nest that computes a forward value along with what the gradient will read is forward, one that
/// computes a forward value again for a gradient is backward. A call's is the first that it was made for.
std::unordered_map<const ir::Op*, ir::Phase> running_phases(const ir::Graph& graph);

/// Those of the ops that a planned graph launches (passes/lowered.h), in their order: of a loop its body's.
std::vector<Origin> launched_origins(const ir::Graph& planned);

/// What a loop nest, or a launch of several, computes of the tensors that it reads: a constant, or what an optimizer makes of its count of
/// steps, comes from every layer that needs one like it. Of another op the op itself.
std::vector<const ir::Op*> computing_ops(const ir::Op& op);

/// Where an op comes from; a loop nest, from the lines of what it computes.
ir::Locations origin_lines(const ir::Op& op);

Origin origin_of(const ir::Op& op, ir::Phase phase);

}  // namespace detail
}  // namespace weft
