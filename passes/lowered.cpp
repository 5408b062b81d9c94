#include "weft/passes/lowered.h"

#include <set>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/loop_nest.h"
#include "weft/passes/loops.h"
#include "weft/passes/plan.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

[[noreturn]] void refuse(const Op& op, const std::string& why) { throw Error("{}", why).of(op.name()).at(ir::written_at(op.locations())); }

void verify_nest(const Op& fused) {
  if (fused.body().outputs().empty()) refuse(fused, "the nest has no result");
  for (const ir::Output& output : fused.body().outputs())
    if (output.alias) refuse(fused, "a body's output replaces no input: only the program's does");
  NoNest no;
  if (!analyze(region_of(fused.body()), &no)) refuse(fused, "the body is no loop nest: " + no.why);
}

void verify_nests(const Op& kernel) {
  const ir::Graph& body = kernel.body();
  std::set<std::pair<const Op*, int>> results;
  for (const ir::Output& output : body.outputs()) {
    if (output.alias) refuse(kernel, "a body's output replaces no input: only the program's does");
    if (output.value.is_input() || !results.insert({output.value.op(), output.value.index()}).second)
      refuse(kernel, "each of its results must be a result of one of its nests, and no two the same one");
  }
  if (body.ops().empty()) refuse(kernel, "it has no nest");
  for (const auto& nest : body.ops()) {
    if (nest->def().kind != Kind::nest) refuse(*nest, "a kernel runs loop nests ('fused' ops) and nothing else");
    verify_nest(*nest);
    for (Value v : nest->results())
      if (!results.contains({nest, v.index()}))
        refuse(*nest, fmt::format("result {} has no place: it must be a result of the kernel", v.index()));
    for (Value v : nest->operands())
      if (!v.is_input() && !kernel.flag("serial"))
        refuse(*nest, "it reads what another nest of the kernel makes, so the kernel must be serial");
  }
}

void verify_call(const Op& op, const Target& target) {
  const auto refused = [&](const std::string& what) {
    refuse(op, fmt::format("the target '{}' does not run {}; run the passes from 'expand' on again", target.name(), what));
  };
  if (!target.claims(op)) refused("it for " + to_string(op.operand(0).type()) + " and these attributes");
  if (!op.bodies().empty() && !target.accepts_epilogue(op, op.body())) refused("this epilogue");
}

/// `around`: the op of the outermost graph that holds this one; null: this is that graph. `runs`: how often a step runs it.
void add_launched(const ir::Graph& graph, const Op* around, int64_t runs, std::vector<LaunchedOp>& launched) {
  for (const Op* op : graph.ops()) {
    const Op* const outermost = around ? around : op;
    if (op->def().kind == Kind::loop) add_launched(op->body(), outermost, runs * ir::scan_of(*op).length, launched);
    else if (op->def().kind != Kind::view && op->def().kind != Kind::constant) launched.push_back({op, outermost, runs});
  }
}

}  // namespace

void verify_kernel(const Op& op) { op.def().kind == Kind::launch ? verify_nests(op) : verify_nest(op); }

void verify_lowered(const ir::Module& module, const Target& target) {
  for (const auto& op : module.graph().ops()) {
    switch (op->def().kind) {
      case Kind::view:
      case Kind::constant: break;
      case Kind::nest:
      case Kind::launch: verify_kernel(*op); break;
      case Kind::heavy: verify_call(*op, target); break;
      case Kind::loop: verify_lowered(module_of_body(*op), target); break;
      case Kind::elementwise:
      case Kind::reduction:
      case Kind::movement:
      case Kind::index:
      case Kind::composite: refuse(*op, "it is not lowered: the program has not been through the passes");
    }
  }
  verify_plan(module, target);
}

double LaunchedOp::flops() const { return static_cast<double>(runs) * ir::flops_of(*op); }
double LaunchedOp::bytes() const { return static_cast<double>(runs) * static_cast<double>(ir::bytes_of(*op)); }

std::vector<LaunchedOp> launched_ops(const ir::Graph& graph) {
  std::vector<LaunchedOp> launched;
  add_launched(graph, nullptr, 1, launched);
  return launched;
}

}  // namespace weft::passes
