#pragma once
// What is true of a program from some pass on: what a pass promises, and another one needs (passes/pass.h). Each can be looked for
// in the graph, so that a text which was edited, or passes in an order of somebody's own, are refused before they go wrong.

#include <optional>
#include <string>
#include <string_view>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

struct Fact {
  /// What contradicts it, and where.
  struct Violation {
    std::string what;
    ir::Locations locations = {};
  };
  std::string_view name;
  std::string_view doc;  // "no op is a composite"
  /// The first in the graph; none where the fact holds.
  std::optional<Violation> (*violation)(const ir::Module&, const Target&);
};

namespace facts {

extern const Fact differentiated, trained, primitive, claimed, needed, own_loops, in_order, in_place, nests, planned;

}  // namespace facts

/// Throws weft::Error unless it holds: "<what contradicts it>, which the pass 'updates' sees to, at <where it is written>". The
/// pass is the first that promises it.
void require(const Fact& fact, const ir::Module& module, const Target& target);

}  // namespace weft::passes
