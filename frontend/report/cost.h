#pragma once
// What the ops of a program compute and move, as values: known without running it.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/frontend/report/origin.h"

namespace weft {

/// Ops summed. Of one run of the program; views and constants move nothing, an operand that comes twice is read once, and scratch memory counts nowhere.
struct CostRow {
  std::string name;       // of an op its results' names in the text, "%fc1.add"
  Origin origin = {};     // of an op
  std::string type = {};  // of an op its results'
  int64_t ops = 0;
  double flops = 0;
  int64_t read = 0, written = 0;  // bytes

  int64_t bytes() const { return read + written; }
};

struct Cost {
  CostRow whole;
  std::vector<CostRow> ops;  // in order
  /// Sums, by work, then by bytes, the largest first.
  std::vector<CostRow> layers = {}, sources = {}, phases = {}, kinds = {};

  /// By phase, by layer, by source line and by op.
  std::string table() const;
  /// An object of lists: "ops", "layers", "sources", "phases", "kinds".
  std::string json() const;
};

namespace detail {

Cost cost_of(const ir::Graph& graph);
/// Of one op, bodies not counted twice; of a loop, what its body does and moves in all of its steps.
CostRow cost_of(const ir::Op& op);

}  // namespace detail
}  // namespace weft
