#include "weft/passes/facts.h"

#include <unordered_map>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/aliasing.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/pass.h"
#include "weft/passes/plan.h"
#include "weft/support/error.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Module;
using ir::Op;
using ir::Value;
using Found = std::optional<Fact::Violation>;

Found without_gradient(const Module& module, const Target&) {
  if (!module.train) return std::nullopt;
  for (const std::string& name : module.train->all_inputs()) {
    const ir::Input* input = module.graph().find_input(name);
    if (input && !module.graph().find_output(name + ".grad"))
      return {{fmt::format("'{0}' is trained, but there is no output '{0}.grad'", name), input->locations}};
  }
  return std::nullopt;
}

Found train_block(const Module& module, const Target&) {
  if (!module.train) return std::nullopt;
  return {{fmt::format("there is a train block, for the loss '{}'", module.train->loss)}};
}

Found composite(const Module& module, const Target&) {
  for (const auto& op : module.graph().ops())
    if (op->def().kind == Kind::composite) return {{fmt::format("{} is a composite", op->name()), op->locations()}};
  return std::nullopt;
}

Found unclaimed(const Module& module, const Target& target) {
  for (const auto& op : module.graph().ops()) {
    if (op->def().kind != Kind::heavy) continue;
    const std::string_view what = !target.claims(*op)                                                  ? ""
                                  : !op->bodies().empty() && !target.accepts_epilogue(*op, op->body()) ? " with this epilogue"
                                                                                                       : "-";
    if (what != "-")
      return {{fmt::format("the target '{}' does not run {} of {}{}", target.name(), op->name(), to_string(op->operand(0).type()), what),
               op->locations()}};
  }
  return std::nullopt;
}

Found unneeded(const Module& module, const Target&) {
  const ir::Graph& graph = module.graph();
  std::unordered_set<const Op*> outputs;
  for (const ir::Output& output : graph.outputs())
    if (!output.value.is_input()) outputs.insert(output.value.op());
  for (const auto& op : graph.ops()) {
    bool used = outputs.contains(op);
    for (Value v : op->results()) used = used || !v.users().empty();
    if (!used) return {{fmt::format("nobody needs what {} gives", op->name()), op->locations()}};
  }
  return std::nullopt;
}

Found shared_loop(const Module& module, const Target&) {
  for (const Op* op : module.graph().ops()) {
    if (!ir::is_loop(*op)) continue;
    if (!op->flag("placed")) return {{fmt::format("the slices that {} makes have no place", op->name()), op->locations()}};
    for (int i = 0; i < ir::scan_of(*op).carried; ++i) {
      const Value v = op->operand(i);
      const bool own =
          !v.is_input() && !is_view(v) && v.op()->def().kind != Kind::constant && v.users().size() == 1 && !ir::Graph::is_output(v);
      if (!own) return {{fmt::format("what {} carries is not its own", op->name()), op->locations()}};
    }
  }
  return std::nullopt;
}

Found circle(const Module& module, const Target&) {
  const std::vector<int> stuck = circular_updates(module.graph());
  if (stuck.empty()) return std::nullopt;
  const ir::Output& output = module.graph().outputs()[static_cast<size_t>(stuck[0])];
  return {
      {fmt::format("the update '{}' and others read what each other replaces, so that there is no order", output.name), output.locations}};
}

Found not_in_place(const Module& module, const Target&) {
  const ir::Graph& graph = module.graph();
  std::unordered_map<const Op*, int> position;
  for (const auto& op : graph.ops()) position[op] = static_cast<int>(position.size());
  std::unordered_set<Value, ir::ValueHash> taken;
  std::unordered_map<Value, std::string_view, ir::ValueHash> owned_by_input;  // outputs that are an input's memory
  for (const ir::Output& output : graph.outputs())
    if (owner_of(output.value).is_input()) owned_by_input.try_emplace(owner_of(output.value), output.name);
  for (const ir::Output& output : graph.outputs()) {
    if (!output.alias) continue;
    const bool owned = !output.value.is_input() && !is_view(output.value) && output.value.op()->def().kind != Kind::constant;
    if (!owned || !taken.insert(output.value).second) return {{fmt::format("'{}' is not written in place", output.name), output.locations}};
    const Op& writer = *output.value.op();
    const Value old = graph.input(*output.alias);
    if (const auto other = owned_by_input.find(old); other != owned_by_input.end())
      return {{fmt::format("the output '{}' is the old value of '{}', which is replaced", other->second, old.name()), output.locations}};
    for (const Op* reader : memory_readers(old))
      if (reader != &writer && position.at(reader) >= position.at(&writer))
        return {{fmt::format("{} reads '{}' after it was replaced", reader->name(), old.name()), reader->locations()}};
    if (!may_replace(output.value, old))
      return {{fmt::format("{} cannot write '{}' over the value that it reads", writer.name(), old.name()), writer.locations()}};
  }
  return std::nullopt;
}

Found loose(const Module& module, const Target&) {
  for (const auto& op : module.graph().ops()) switch (op->def().kind) {
      case Kind::view:
      case Kind::constant:
      case Kind::nest:
      case Kind::launch:
      case Kind::heavy:
      case Kind::loop: break;
      case Kind::elementwise:
      case Kind::reduction:
      case Kind::movement:
      case Kind::index:
      case Kind::composite: return {{fmt::format("{} is in no loop nest", op->name()), op->locations()}};
    }
  return std::nullopt;
}

Found misplaced(const Module& module, const Target& target) try {
  verify_plan(module, target);
  return std::nullopt;
} catch (const Error& e) {
  return {{e.what()}};
}

}  // namespace

constinit const Fact facts::differentiated{"differentiated", "every trained parameter has its gradient as an output", without_gradient};
constinit const Fact facts::trained{"trained", "no train block is left: updates are ops", train_block};
constinit const Fact facts::primitive{"primitive", "no op is a composite", composite};
constinit const Fact facts::claimed{"claimed", "the target runs every library call as it stands", unclaimed};
constinit const Fact facts::needed{"needed", "every op leads to an output", unneeded};
constinit const Fact facts::own_loops{"own_loops", "what loops carry is their own, and each slice that they make has a place", shared_loop};
constinit const Fact facts::in_order{"in_order", "updates can be ordered: no two read what each other replaces", circle};
constinit const Fact facts::in_place{"in_place", "every update may be written in place, after all who read the old value", not_in_place};
constinit const Fact facts::nests{"nests", "every op is a loop nest, a launch of several, a library call, a view or a constant", loose};
constinit const Fact facts::planned{"planned", "every value has its place, no two that live together share bytes", misplaced};

namespace {

const Pass* first_that_promises(const Fact& fact) {
  for (const Pass& pass : all_passes())
    for (const Fact* promised : pass.promises)
      if (promised == &fact) return &pass;
  return nullptr;
}

}  // namespace

void require(const Fact& fact, const Module& module, const Target& target) {
  const Found violation = fact.violation(module, target);
  if (!violation) return;
  std::string text = violation->what;
  if (const Pass* pass = first_that_promises(fact)) text += fmt::format(", which the pass '{}' sees to", pass->name);
  if (!violation->locations.empty()) text += ", at " + written_at(violation->locations);
  throw Error(text);
}

}  // namespace weft::passes
