#include "weft/frontend/report/fusion.h"

#include <fmt/ranges.h>

#include <functional>
#include <map>

#include "weft/frontend/report/replay.h"
#include "weft/ir/op_def.h"
#include "weft/ir/printer.h"
#include "weft/passes/lowered.h"

namespace weft {
namespace detail {
namespace {

/// Of kernels of several nests, all of theirs.
void add_ops(const ir::Graph& body, std::vector<std::string>& names) {
  for (const ir::Op* op : body.ops()) {
    if (op->bodies().empty()) names.emplace_back(op->name());
    else add_ops(op->body(), names);
  }
}

}  // namespace

std::vector<FusedCall> fused_calls(const ir::Graph& planned, std::span<const std::string> calls) {
  const std::vector<passes::LaunchedOp> ops = passes::launched_ops(planned);
  std::vector<Origin> origins = launched_origins(planned);
  WEFT_CHECK(calls.empty() || calls.size() == ops.size(), "the program makes {} calls, but the graph has {}", calls.size(), ops.size());
  std::vector<FusedCall> all;
  std::map<const ir::Graph*, ir::ValueNames> names;  // loops have bodies of their own
  for (size_t i = 0; i < ops.size(); ++i) {
    const ir::Op& op = *ops[i].op;
    const ir::ValueNames& called = names.try_emplace(&op.graph(), op.graph()).first->second;
    FusedCall& call = all.emplace_back(FusedCall{calls.empty() ? ir::print(op, called) : calls[i], std::move(origins[i]), {}});
    if (!op.def().is_region()) call.ops.emplace_back(op.name());
    for (const auto& body : op.bodies()) {
      add_ops(*body, call.ops);
      call.body += ir::print(*body);
    }
    call.runs = ops[i].runs, call.flops = ops[i].flops(), call.bytes = ops[i].bytes();
    for (ir::Value v : op.results()) call.scratch += ir::is_scratch(v) ? v.type().bytes() : 0;
  }
  return all;
}

Fusion fusion_of(const ir::Graph& planned, std::span<const std::string> calls, const Replay& replay) {
  Fusion fusion{fused_calls(planned, calls), replay.remarks()};
  std::vector<std::vector<std::string>> recorded = replay.recorded_of(planned);
  for (size_t i = 0; i < recorded.size(); ++i) fusion.calls[i].recorded = std::move(recorded[i]);
  return fusion;
}

}  // namespace detail

std::string Fusion::table() const {
  std::string text;
  for (const FusedCall& call : calls) {
    text += call.call + "\n";
    if (call.ops.size() > 1) text += fmt::format("  {} ops: {}\n", call.ops.size(), fmt::join(call.ops, ", "));
    if (call.origin.op == "fused" && !call.recorded.empty()) text += fmt::format("  of {}\n", fmt::join(call.recorded, ", "));
  }
  if (!remarks.empty()) text += "\n";
  for (const passes::Remark& remark : remarks) text += to_string(remark) + "\n";
  return text;
}

}  // namespace weft
