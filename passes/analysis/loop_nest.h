#pragma once
// The shape of a kernel: which loops a set of ops becomes. Fusion asks whether there is a nest; the code generator
// emits it; the planner asks what may be overwritten.
//
// A nest has one list of loops, some of them reduced, and runs
//
//     for each point of the kept loops:
//       for stage 0, 1, ...:                       one sweep over the reduced loops
//         for each point of the reduced loops:     reductions of this stage; outputs with all loops
//       outputs with the kept loops only
//
// Every op is evaluated where it is needed, from the operands' elements that its `access` names, so broadcasts,
// transposes, slices and pads cost no memory. Reductions must all have these loops and reduce the same ones; what
// reads a reduction's result must stand at the same point of the kept loops. Axes of extent 1 are no loops. No chain of ops
// inside is longer than 1,000.

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weft/ir/access.h"
#include "weft/ir/graph.h"

namespace weft::passes {

/// The ops considered for one nest, in program order, and those of their results that others read.
struct NestRegion {
  std::vector<const ir::Op*> ops;
  std::vector<ir::Value> outputs;
  /// (output number, value from outside): the output is to be written over the value.
  std::vector<std::pair<int, ir::Value>> in_place;
};

struct LoopNest {
  Dims extents;               // outermost first
  std::vector<bool> reduced;  // per loop
  int stages = 1;
  std::vector<ir::IndexMap> outputs;  // per output: its index from the loops
  std::vector<int> output_stage;      // per output: the stage that writes it; `stages` for after the last
  std::unordered_map<const ir::Op*, int> reduction_stage;

  bool has_reduction() const;
  /// Points of the loops.
  int64_t points() const;
};

/// Why ops are no nest, and where they would be one.
struct NoNest {
  std::string why;
  std::string unless;  // "it has all of these axes"; empty where a program has no say in it
};

/// The nest of the region, or none and the reason why.
std::optional<LoopNest> analyze(const NestRegion& region, NoNest* why_not = nullptr);

/// The body of a `fused` op as a region.
NestRegion region_of(const ir::Graph& body);

/// Is the op a reduction that combines nothing, all its reduced axes having extent 1?
bool combines_nothing(const ir::Op& op);
/// The index into the operand of a reduction of the nest: its axes are all loops, in order.
ir::IndexMap reduction_operand(const ir::Op& reduction, const LoopNest& nest);
/// The index into the operand of a reduction that combines nothing, from the index of its result.
ir::IndexMap reduction_passthrough(const ir::Op& op, const ir::IndexMap& result);

}  // namespace weft::passes
