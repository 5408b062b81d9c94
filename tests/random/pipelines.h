#pragma once
// The ways in which a random graph goes through the passes.

#include <string>
#include <vector>

#include "weft/passes/pass.h"

namespace weft::test {

struct Step {
  /// A pass, or "shuffle": the ops in a random order that respects every dependency, or "recompute all": recompute wherever anything
  /// is saved, since random programs are small.
  std::string pass;
  const passes::Target* target;
};

struct Pipeline {
  std::string name;
  std::vector<Step> steps;
  bool rounds = false;    // folds constants, which rounds them to their type, as the reference alone does not
  bool compiles = false;  // ends in a program for the cpu
};

/// All passes for the generic target, folding left out, so that the reference must find every bit; all passes for the cpu;
/// as few as a program can do with; and a random subset with passes repeated and ops in another order.
std::vector<Pipeline> pipelines(uint64_t seed);
std::string to_string(const Pipeline& pipeline);

/// Runs one step and verifies; returns whether it says that it changed anything.
bool run(ir::Module& module, const Step& step, uint64_t seed);

}  // namespace weft::test
