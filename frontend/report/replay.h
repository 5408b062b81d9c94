#pragma once
// A program's passes once more, which are deterministic, to see what became of what: of which recorded ops a kernel is, and which kernels
// a remark is about.

#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/pass.h"
#include "weft/passes/remarks.h"

namespace weft::detail {

class Replay {
 public:
  /// Starts from a copy, whose ops are marked (passes/marks.h) with their numbers: 0, 1, ... in their order, each behind those of its bodies.
  Replay(const ir::Module& recorded, const passes::Target& target);

  passes::PassRun run(const std::string& pass);
  void run(const std::vector<std::string>& passes);
  const ir::Module& module() const { return module_; }

  /// What each of the recorded ops is, by its number: "cross_entropy".
  const std::vector<std::string>& recorded() const { return recorded_; }
  /// The numbers of the recorded ops that an op of module() is made of, ascending.
  std::vector<int> made_of(const ir::Op& op) const;

  /// Of each call of the planned graph what was recorded that it computes, each op once: "relu", "cross_entropy"; what only moves elements
  /// is left out where there is anything else. Empty where the graph launches something else than module(): one in which values are
  /// watched, say.
  std::vector<std::vector<std::string>> recorded_of(const ir::Graph& planned) const;
  /// The ones worth most first (passes/remark.h); with the numbers of module()'s calls, once it is planned, and with what reorders then cost.
  std::vector<passes::Remark> remarks() const;

 private:
  void number(const ir::Graph& graph);

  ir::Module module_;
  const passes::Target& target_;
  std::vector<std::string> recorded_;
  std::vector<bool> moves_;  // of the recorded ops, whether it only moves elements
  passes::Remarks remarks_;
};

}  // namespace weft::detail
