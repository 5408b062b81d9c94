#include "weft/passes/pass.h"

#include <algorithm>
#include <chrono>

#include "weft/ir/verifier.h"
#include "weft/passes/autocast.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/canonicalize.h"
#include "weft/passes/cse.h"
#include "weft/passes/dce.h"
#include "weft/passes/decompose.h"
#include "weft/passes/epilogue.h"
#include "weft/passes/expand.h"
#include "weft/passes/fold.h"
#include "weft/passes/fuse.h"
#include "weft/passes/hoist.h"
#include "weft/passes/isolate.h"
#include "weft/passes/launch.h"
#include "weft/passes/layout.h"
#include "weft/passes/loops.h"
#include "weft/passes/mirror.h"
#include "weft/passes/pad_channels.h"
#include "weft/passes/partition.h"
#include "weft/passes/parts.h"
#include "weft/passes/plan.h"
#include "weft/passes/reassociate.h"
#include "weft/passes/recompute.h"
#include "weft/passes/rematerialize.h"
#include "weft/passes/schedule.h"
#include "weft/passes/simplify.h"
#include "weft/passes/training_step.h"
#include "weft/passes/updates.h"
#include "weft/passes/views.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Module;

template <bool (*pass)(Module&)>
bool without_target(Module& module, const Target&) {
  return pass(module);
}

// The functions that other callers give more, or of part of a module.
bool run_expand(Module& m, const Target& t) { return expand(m, t); }
bool run_canonicalize(Module& m, const Target&) { return canonicalize(m); }
bool run_cse(Module& m, const Target&) { return cse(m); }
bool run_dce(Module& m, const Target&) { return dce(m); }
bool run_simplify(Module& m, const Target&) { return simplify(m); }
bool run_layout(Module& m, const Target& t) { return layout(m, t); }
bool run_fuse(Module& m, const Target& t) { return fuse(m, t); }
bool run_recompute(Module& m, const Target& t) { return recompute(m, t); }

bool remark_on_expanding(Module& m, const Target& t, Remarks& to) { return expand(m, t, &to); }
bool remark_on_layouts(Module& m, const Target& t, Remarks& to) { return layout(m, t, &to); }
bool remark_on_fusing(Module& m, const Target& t, Remarks& to) { return fuse(m, t, &to); }
bool remark_on_calls(Module& m, const Target& t, Remarks& to) {
  const bool changed = partition(m, t);
  remark_on_implementations(m, t, to);
  return changed;
}

}  // namespace

const std::vector<Pass>& all_passes() {
  using namespace facts;
  using Facts = std::vector<const Fact*>;
  const Facts none;
  static const std::vector<Pass> passes = {
      {"autocast", "lets products run in the low-precision type that the target was asked for, and sums in f32", none, none, autocast,
       true},
      {"autodiff", "adds the gradients that the train block asks for", none, {&differentiated}, without_target<autodiff>},
      {"training_step",
       "turns gradients into updates of parameters and states",
       {&differentiated},
       {&trained},
       without_target<training_step>},
      {"decompose", "replaces composite ops by what they are made of", none, {&primitive}, without_target<decompose>},
      {"expand", "writes out heavy ops that the target does not run", none, {&claimed}, run_expand, false, remark_on_expanding},
      {"hoist", "computes once, before a loop, what is the same in all of its steps", none, none, without_target<hoist>},
      {"canonicalize", "applies the algebraic equations once", none, none, run_canonicalize},
      {"fold", "computes what depends on constants alone", none, none, without_target<fold>},
      {"cse", "keeps one of equal computations", none, none, run_cse},
      {"dce", "drops what no output needs", none, {&needed}, run_dce},
      {"simplify", "canonicalize, fold, cse and dce until nothing changes", none, {&needed}, run_simplify},
      {"reassociate", "scales and negates the smaller factor of a product in place of the product", none, none,
       without_target<reassociate>},
      {"mirror", "writes convolutions as data gradients where the target runs these faster", {&claimed}, {&claimed}, mirror},
      {"pad_channels", "gives convolutions channels of zeros where the target runs these faster", {&claimed}, {&claimed}, pad_channels},
      {"layout", "lets values lie in memory as the libraries want them", {&claimed}, {&claimed}, run_layout, false, remark_on_layouts},
      {"parts", "cuts sums inside library calls and long reductions into parts for threads", {&claimed}, {&claimed}, parts},
      {"loops",
       "gives what loops carry memory of its own, and each slice that they make its place",
       none,
       {&own_loops},
       without_target<loops>},
      {"updates", "makes every update the result of an op that may write in place", none, {&in_order, &in_place}, without_target<updates>},
      {"epilogue", "moves elementwise ops into the library call before them", {&claimed}, {&claimed}, epilogue},
      {"views", "lets library calls read and write where values lie, in place of slices and transposes", {&claimed}, {&claimed}, views},
      {"fuse", "turns the rest into loop nests", {&primitive}, {&nests}, run_fuse, false, remark_on_fusing},
      {"recompute", "computes values again where they are read, where that costs less than storing them", none, none, run_recompute},
      {"isolate", "gives every op a loop nest of its own", {&primitive}, {&nests}, without_target<isolate>},
      {"launch", "joins loop nests into launches", none, none, launch},
      {"partition",
       "cuts library calls into parts for threads and gives them scratch memory",
       {&claimed},
       {&claimed},
       partition,
       false,
       remark_on_calls},
      {"schedule", "orders the ops for little live memory", {&in_order}, none, without_target<schedule>},
      {"rematerialize", "computes kernels and calls again where a limit of memory asks for it", {&in_order}, {&in_order}, rematerialize},
      {"plan", "gives every intermediate value its place in the arena", {&own_loops, &in_place}, {&planned}, plan},
  };
  return passes;
}

const Pass& find_pass(std::string_view name) {
  std::vector<std::string> names;
  for (const Pass& p : all_passes()) {
    if (p.name == name) return p;
    names.push_back(p.name);
  }
  throw Error("unknown pass '{}'", name).hint(did_you_mean(name, names));
}

std::vector<std::string> pipeline(std::string_view name) {
  if (name == "compile")
    return {"autocast", "autodiff",     "training_step", "decompose", "expand",   "hoist",         "simplify", "reassociate",
            "mirror",   "pad_channels", "layout",        "parts",     "loops",    "updates",       "epilogue", "views",
            "fuse",     "recompute",    "launch",        "partition", "schedule", "rematerialize", "plan"};
  if (name == "step") return {"autocast", "autodiff", "training_step"};
  if (name == "simplify") return {"decompose", "simplify"};
  throw Error("unknown pipeline '{}'", name).hint(did_you_mean(name, {"compile", "step", "simplify"}));
}

std::vector<std::string> remaining_passes(const Module& module, std::string_view name) {
  std::vector<std::string> all = pipeline(name);
  const auto done = std::find(all.rbegin(), all.rend(), module.stage);
  all.erase(all.begin(), done.base());
  return all;
}

namespace {

/// As the pass asks for it.
void require_needs(const Pass& pass, const Module& module, const Target& target) {
  for (const Fact* fact : pass.needs) try {
      require(*fact, module, target);
    } catch (const Error& e) {
      throw Error("the pass '{}' needs this to be so: {}; but {}", pass.name, fact->doc, e.what());
    }
}

/// Whether the graph is one still, and what the pass promises.
void verify_after(const Pass& pass, const Module& module, const Target& target, bool changed) try {
  if (changed) ir::verify(module);
  for (const Fact* fact : pass.promises)
    if (const auto violation = fact->violation(module, target))
      throw Error("it promises that {}, but {}{}", fact->doc, violation->what,
                  violation->locations.empty() ? "" : ", at " + written_at(violation->locations));
} catch (const Error& e) {
  throw InternalError(fmt::format("after the pass '{}': {}", pass.name, e.what()));
}

bool run_everywhere(Module& module, const Pass& pass, const Target& target, bool verify, Remarks* remarks) {
  bool changed = on_loop_bodies(module, [&](Module& body) { return run_everywhere(body, pass, target, verify, remarks); });
  require_needs(pass, module, target);
  if (remarks && pass.remark) remarks->begin(), changed |= pass.remark(module, target, *remarks);
  else changed |= pass.run(module, target);
  module.target = target.name();
  module.stage = pass.name;
  verify_after(pass, module, target, changed || verify);
  return changed;
}

PassRun run_one(Module& module, const Pass& pass, const Target& target, bool verify, Remarks* remarks = nullptr) {
  const auto start = std::chrono::steady_clock::now();
  const int64_t work = counted_work();
  PassRun done{pass.name, run_everywhere(module, pass, target, verify, remarks)};
  done.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  done.work = counted_work() - work;
  return done;
}

}  // namespace

PassRun run_pass(Module& module, const Pass& pass, const Target& target) { return run_one(module, pass, target, true); }

std::vector<PassRun> run(Module& module, const std::vector<std::string>& passes, const Target& target, const RunOptions& options) {
  for (const std::string& name : options.disabled) find_pass(name);
  if (!options.stop_after.empty()) find_pass(options.stop_after);
  std::vector<PassRun> runs;
  for (const std::string& name : passes) {
    const Pass& pass = find_pass(name);
    if (options.disabled.contains(name)) continue;
    runs.push_back(run_one(module, pass, target, runs.empty(), options.remarks));
    if (options.after) options.after(module, runs.back());
    if (options.stop_after == name) break;
  }
  return runs;
}

}  // namespace weft::passes
