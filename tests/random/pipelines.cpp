#include "weft/tests/random/pipelines.h"

#include <algorithm>

#include <fmt/format.h>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/verifier.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/recompute.h"
#include "weft/tests/random/dice.h"

namespace weft::test {
namespace {

Pipeline pipeline(std::string name, const passes::Target& target, const std::vector<std::string>& passes) {
  Pipeline p{std::move(name), {}};
  for (const std::string& pass : passes) {
    p.steps.push_back({pass, &target});
    p.rounds = p.rounds || pass == "simplify" || pass == "fold";
  }
  p.compiles = &target == &cpu::target();
  return p;
}

/// What a program cannot do without.
bool is_needed(const std::string& pass) {
  const std::vector<std::string> step = passes::pipeline("step");
  if (std::count(step.begin(), step.end(), pass)) return true;
  return pass == "decompose" || pass == "expand" || pass == "loops" || pass == "updates" || pass == "fuse" || pass == "plan";
}

Pipeline random_pipeline(uint64_t seed) {
  Dice dice(~seed);
  std::vector<std::string> passes;
  const auto some_of = [&](const std::vector<std::string>& all) {
    for (size_t count = dice(4); count > 0; --count) passes.push_back(dice.pick(all));
  };
  for (const std::string& pass : passes::pipeline("compile")) {
    if (pass == "expand" || pass == "updates") some_of({"canonicalize", "fold", "cse", "dce"});
    if (pass == "fuse" && dice.chance(20)) some_of({"fuse", "isolate"});
    if (pass == "plan" && dice.chance(50)) passes.push_back("shuffle");
    if (pass == "recompute" && dice.chance(50)) passes.push_back("recompute all");
    if (is_needed(pass) || dice.chance(50)) passes.push_back(pass == "fuse" && dice.chance(25) ? "isolate" : pass);
  }
  Pipeline p = pipeline("random", cpu::target(), passes);
  // Epilogues of another target become ops again.
  const auto updates = std::find_if(p.steps.begin(), p.steps.end(), [](const Step& s) { return s.pass == "updates"; });
  if (dice.chance(20)) p.steps.insert(updates, {{"epilogue", &passes::generic_target()}, {"expand", &cpu::target()}});
  return p;
}

void shuffle(ir::Graph& graph, uint64_t seed) {
  Dice dice(seed ^ 0x5cedu);
  const passes::Dependencies dependencies(graph);
  std::unordered_map<const ir::Op*, size_t> waiting;
  std::vector<ir::Op*> ready, order;
  for (ir::Op* op : graph.op_list())
    if ((waiting[op] = dependencies.before(dependencies.number(op)).size()) == 0) ready.push_back(op);
  while (!ready.empty()) {
    std::swap(ready[dice(ready.size())], ready.back());
    ir::Op* op = ready.back();
    ready.pop_back();
    order.push_back(op);
    for (int number : dependencies.after(dependencies.number(op)))
      if (ir::Op* next = dependencies.op(number); --waiting[next] == 0) ready.push_back(next);
  }
  graph.reorder(order);
}

}  // namespace

std::vector<Pipeline> pipelines(uint64_t seed) {
  std::vector<std::string> exact = passes::pipeline("compile"), least = exact;
  const auto expand = std::find(exact.begin(), exact.end(), "expand");
  const auto simplify = exact.insert(expand, "canonicalize") + 2;
  *simplify = "canonicalize";
  exact.insert(simplify + 1, {"cse", "dce", "canonicalize", "dce"});
  std::erase_if(least, [](const std::string& pass) { return !is_needed(pass); });
  std::replace(least.begin(), least.end(), std::string("fuse"), std::string("isolate"));
  return {pipeline("exact", passes::generic_target(), exact), pipeline("all", cpu::target(), passes::pipeline("compile")),
          pipeline("least", cpu::target(), least), random_pipeline(seed)};
}

std::string to_string(const Pipeline& pipeline) {
  std::string text;
  for (const Step& step : pipeline.steps) text += fmt::format("{}{}", text.empty() ? "" : ",", step.pass);
  return text;
}

bool run(ir::Module& module, const Step& step, uint64_t seed) {
  if (step.pass == "recompute all") {
    const bool changed = passes::recompute(module, 0);
    ir::verify(module);
    return changed;
  }
  if (step.pass != "shuffle") return passes::run(module, {step.pass}, *step.target)[0].changed;
  const std::vector<ir::Op*> before = module.graph().op_list();
  shuffle(module.graph(), seed);
  ir::verify(module);
  return module.graph().op_list() != before;
}

}  // namespace weft::test
