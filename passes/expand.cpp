#include "weft/passes/expand.h"

#include <fmt/format.h>

#include <optional>

#include "weft/ir/builder.h"
#include "weft/ir/ops/loop.h"
#include "weft/ir/order.h"
#include "weft/passes/loops.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// Takes an epilogue apart again: the product alone, then the body's ops.
void split_epilogue(Op& op) {
  ir::Graph& graph = op.graph();
  Builder builder(graph, &op, op.locations());
  Op& product = builder.copy(op, {op.operand(0), op.operand(1)}, {}, {});
  std::vector<Value> operands{product.result()};
  operands.insert(operands.end(), op.operands().begin() + 2, op.operands().end());
  const std::vector<Value> results = inline_body(op.body(), operands, graph, &op);
  for (size_t i = 0; i < results.size(); ++i) op.result(static_cast<int>(i)).replace_all_uses_with(results[i]);
  graph.erase(op);
}

/// A product of a narrow type as one of f32 whose result is rounded, which is what it is by its definition; none where the target does
/// not run that either.
std::optional<Value> widened(Op& op, const Target& target) {
  if (!op.def().contracts() || !is_narrow(op.result().dtype())) return std::nullopt;
  Builder b(op.graph(), &op, op.locations());
  const std::vector<Op*> casts{b.cast(op.operand(0), f32).op(), b.cast(op.operand(1), f32).op()};
  Op& wide = b.copy(op, {casts[0]->result(), casts[1]->result()});
  if (target.claims(wide) && !target.is_better_expanded(wide)) return b.cast(wide.result(), op.result().dtype());
  op.graph().erase(wide);
  for (Op* cast : casts) op.graph().erase(*cast);
  return std::nullopt;
}

}  // namespace

bool expand(ir::Module& module, const Target& target, Remarks* remarks) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  const auto remark = [&](Op& op, std::string_view what, std::string_view why) {
    if (remarks) remarks->add({.what = std::string(what), .of = remarks->of(op, op.operand(0).type()), .why = std::string(why)});
  };
  // What an op is made of stands before it, so the walk looks at that next: there may be heavy ops among it.
  for (auto at = graph.ops().begin(); at != graph.ops().end();) {
    count_work(1);
    Op* op = *at;
    const bool writes_out = ir::is_loop(*op) && !target.runs_loop(*op);
    if (op->def().kind != ir::Kind::heavy && !writes_out) {
      ++at;
      continue;
    }
    const bool first = at == graph.ops().begin();
    const auto previous = first ? at : std::prev(at);
    const auto look_again = [&] { at = first ? graph.ops().begin() : std::next(previous); };
    if (writes_out) {
      remark(*op, "written out", "the target does not repeat launches over slices like these");
      write_out(*op);
      changed = true;
      look_again();
      continue;
    }
    if (!op->bodies().empty() && !(target.claims(*op) && target.accepts_epilogue(*op, op->body()))) {
      split_epilogue(*op);
      changed = true;
      look_again();
      continue;
    }
    const bool claimed = target.claims(*op);
    if (claimed && !target.is_better_expanded(*op)) {
      ++at;
      continue;
    }
    if (!op->def().decompose)
      throw Error(ErrorKind::device, "the target '{}' cannot run {} {}", target.name(), op->name(), to_string(op->result().type()))
          .at(to_string(op->locations()));
    changed = true;
    if (const auto wide = widened(*op, target)) {
      remark(*op, "computed in f32", fmt::format("the target has nothing faster for {}", weft::name_of(op->result().dtype())));
      op->result().replace_all_uses_with(*wide);
    } else {
      remark(*op, "written out", claimed ? "the library has only its plain loops for it" : "the target's library does not run it");
      Builder builder(graph, op, op->locations());
      const std::vector<Value> results = ir::decompose(builder, *op);
      for (size_t i = 0; i < results.size(); ++i) op->result(static_cast<int>(i)).replace_all_uses_with(results[i]);
    }
    graph.erase(*op);
    look_again();
  }
  return changed;
}

}  // namespace weft::passes
