#include "weft/passes/pass.h"

#include <algorithm>
#include <chrono>

#include "weft/ir/verifier.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/canonicalize.h"
#include "weft/passes/cse.h"
#include "weft/passes/dce.h"
#include "weft/passes/decompose.h"
#include "weft/passes/epilogue.h"
#include "weft/passes/expand.h"
#include "weft/passes/fold.h"
#include "weft/passes/fuse.h"
#include "weft/passes/isolate.h"
#include "weft/passes/launch.h"
#include "weft/passes/layout.h"
#include "weft/passes/mirror.h"
#include "weft/passes/partition.h"
#include "weft/passes/parts.h"
#include "weft/passes/plan.h"
#include "weft/passes/reassociate.h"
#include "weft/passes/schedule.h"
#include "weft/passes/simplify.h"
#include "weft/passes/training_step.h"
#include "weft/passes/updates.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Module;

Pass without_target(std::string name, std::string doc, bool (*run)(Module&)) {
  return {std::move(name), std::move(doc), [run](Module& m, const Target&) { return run(m); }};
}

}  // namespace

const std::vector<Pass>& all_passes() {
  static const std::vector<Pass> passes = {
      without_target("autodiff", "adds the gradients that the train block asks for", autodiff),
      without_target("training_step", "turns gradients into updates of parameters and states", training_step),
      without_target("decompose", "replaces composite ops by what they are made of", decompose),
      {"expand", "writes out heavy ops that the target does not run", [](Module& m, const Target& t) { return expand(m, t); }},
      without_target("canonicalize", "applies the algebraic equations once", [](Module& m) { return canonicalize(m); }),
      without_target("fold", "computes what depends on constants alone", fold),
      without_target("cse", "keeps one of equal computations", [](Module& m) { return cse(m); }),
      without_target("dce", "drops what no output needs", [](Module& m) { return dce(m); }),
      without_target("simplify", "canonicalize, fold, cse and dce until nothing changes", [](Module& m) { return simplify(m); }),
      without_target("reassociate", "scales and negates the smaller factor of a product in place of the product", reassociate),
      {"mirror", "writes convolutions as data gradients where the target runs these faster", mirror},
      {"layout", "lets values lie in memory as the libraries want them", layout},
      {"parts", "cuts sums inside library calls and long reductions into parts for threads", parts},
      without_target("updates", "makes every update the result of an op that may write in place", updates),
      {"epilogue", "moves elementwise ops into the library call before them", epilogue},
      {"fuse", "turns the rest into loop nests", [](Module& m, const Target& t) { return fuse(m, t); }},
      without_target("isolate", "gives every op a loop nest of its own", isolate),
      {"launch", "joins loop nests into launches", launch},
      {"partition", "cuts library calls into parts for threads and gives them scratch memory", partition},
      without_target("schedule", "orders the ops for little live memory", schedule),
      {"plan", "gives every intermediate value its place in the arena", plan},
  };
  return passes;
}

const Pass& find_pass(std::string_view name) {
  std::vector<std::string> names;
  for (const Pass& p : all_passes()) {
    if (p.name == name) return p;
    names.push_back(p.name);
  }
  throw Error("unknown pass '{}'{}", name, did_you_mean(name, names));
}

std::vector<std::string> pipeline(std::string_view name) {
  if (name == "compile")
    return {"autodiff", "training_step", "decompose", "expand", "simplify", "reassociate", "mirror",   "layout",
            "parts",    "updates",       "epilogue",  "fuse",   "launch",   "partition",   "schedule", "plan"};
  if (name == "step") return {"autodiff", "training_step"};
  if (name == "simplify") return {"decompose", "simplify"};
  throw Error("unknown pipeline '{}'{}", name, did_you_mean(name, {"compile", "step", "simplify"}));
}

std::vector<std::string> remaining_passes(const Module& module, std::string_view name) {
  std::vector<std::string> all = pipeline(name);
  const auto done = std::find(all.rbegin(), all.rend(), module.stage);
  all.erase(all.begin(), done.base());
  return all;
}

std::vector<PassRun> run(Module& module, const std::vector<std::string>& passes, const Target& target, const RunOptions& options) {
  for (const std::string& name : options.disabled) find_pass(name);
  if (!options.stop_after.empty()) find_pass(options.stop_after);
  std::vector<PassRun> runs;
  for (const std::string& name : passes) {
    const Pass& pass = find_pass(name);
    if (options.disabled.contains(name)) continue;
    const auto start = std::chrono::steady_clock::now();
    const int64_t work = counted_work();
    PassRun done{name, pass.run(module, target)};
    done.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    module.target = target.name();
    module.stage = name;
    try {
      if (done.changed || runs.empty()) ir::verify(module);
    } catch (const Error& e) {
      throw InternalError(fmt::format("after the pass '{}': {}", name, e.what()));
    }
    done.work = counted_work() - work;
    runs.push_back(done);
    if (options.after) options.after(module, done);
    if (options.stop_after == name) break;
  }
  return runs;
}

}  // namespace weft::passes
