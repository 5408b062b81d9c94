#pragma once
// The heavy ops of the IR that the cpu backend has calls for, a row each: what the passes ask of the target before they plan a
// call, and the call itself.

#include <optional>
#include <span>
#include <string_view>

#include "weft/backends/cpu/exec/answer.h"
#include "weft/ir/graph.h"
#include "weft/passes/target.h"
#include "weft/runtime/call_descriptor.h"

namespace weft::cpu {

/// See passes/target.h for what is asked. Null, where nothing is said of it. `strict`: see Options (cpu.h).
struct HeavyOp {
  std::string_view name;
  /// Null: it runs whatever its operands are.
  bool (*claims)(const ir::Op&) = nullptr;
  bool (*accepts_epilogue)(const ir::Graph& body) = nullptr;
  bool (*mirrors)(const ir::Op&, bool strict) = nullptr;
  std::optional<passes::Target::Channels> (*channels)(const ir::Op&, bool strict) = nullptr;
  bool (*is_better_expanded)(const ir::Op&) = nullptr;
  ir::NamedAttributes (*layouts)(const ir::Op&, int cores, bool strict) = nullptr;
  int64_t (*parts)(const ir::Op&, int cores) = nullptr;
  int64_t (*slices)(const ir::Op&, int cores) = nullptr;
  /// Of an op that is no call of the library.
  int64_t (*scratch_bytes)(const ir::Op&) = nullptr;
  /// What the library says of the op as it is.
  Answer (*answer)(const ir::Op&) = nullptr;
  /// The call (exec/calls.h); its buffers are the op's operands in order, then its results.
  CallDescriptor (*describe)(const ir::Op&) = nullptr;
};

std::span<const HeavyOp> heavy_ops();
/// Null: there is no row for it.
const HeavyOp* find_heavy(const ir::Op& op);

}  // namespace weft::cpu
