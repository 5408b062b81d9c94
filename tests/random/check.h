#pragma once
// What must hold of every random graph.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "weft/ir/module.h"
#include "weft/passes/rewrites.h"

namespace weft::test {

struct Fault {
  std::string kind;  // the same for faults of one cause, by and large
  std::string text;
};

/// How often each equation was applied.
using Firings = std::map<const passes::Rewrite*, int>;

/// Sends the module through every pipeline (pipelines.h). After each pass that changed something, the text form reads back
/// and the reference computes what was recorded; every compiled program computes the same, twice, and programs of one graph
/// agree bit for bit, whatever was fused; some graphs are also compiled for one thread and for narrower vectors. Counts the
/// equations that the first pipeline applies. Returns the first thing that is wrong.
std::optional<Fault> find_fault(const ir::Module& module, uint64_t seed, Firings* firings = nullptr);

/// A smaller module with a fault of that kind, found by dropping outputs and cutting ops out.
ir::Module shrink(const ir::Module& module, uint64_t seed, const Fault& fault);

}  // namespace weft::test
