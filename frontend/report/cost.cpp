#include "weft/frontend/report/cost.h"

#include <unordered_set>

#include "weft/frontend/report/rows.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/ir/value_names.h"
#include "weft/passes/decompose.h"

namespace weft {
namespace detail {
namespace {

void add_to(CostRow& row, const CostRow& more) {
  row.ops += more.ops, row.flops += more.flops;
  row.read += more.read, row.written += more.written;
}

bool does_more(const CostRow& a, const CostRow& b) { return std::pair(a.flops, a.bytes()) > std::pair(b.flops, b.bytes()); }

template <class Name>
std::vector<CostRow> summed(const std::vector<CostRow>& ops, Name name) {
  Sums<CostRow, add_to> sums;
  for (const CostRow& op : ops) sums.add(name(op), op);
  return std::move(sums).sorted(does_more);
}

/// A composite op does what it is made of.
double flops_inside(const ir::Op& op) {
  if (op.def().kind != ir::Kind::composite || op.def().flops) return flops_of(op);
  ir::Module alone(std::string(op.name()));
  ir::Graph& graph = alone.graph();
  std::vector<ir::Value> operands;
  for (ir::Value v : op.operands()) operands.push_back(graph.add_input(std::to_string(operands.size()), v.type()));
  for (ir::Value v : graph.insert_copy(op, operands).results()) graph.add_output({"", v, {}, {}});
  passes::decompose(alone);
  double flops = 0;
  for (const ir::Op* inside : graph.ops()) flops += flops_of(*inside);
  return flops;
}

/// A loop does in each of its steps what its body does.
void add_body(const ir::Op& loop, CostRow& row) {
  const int64_t length = ir::scan_of(loop).length;
  for (const ir::Op* inside : loop.body().ops()) {
    const CostRow once = cost_of(*inside);
    row.flops += static_cast<double>(length) * once.flops, row.read += length * once.read, row.written += length * once.written;
  }
}

std::string rows_text(const char* title, const std::vector<CostRow>& rows) {
  std::string text = fmt::format("{:>14} {:>14} {:>14} {:>5}  {}\n", "FLOPs", "bytes read", "written", "ops", title);
  const std::vector<std::string> names = names_of_rows(rows, 48);
  for (size_t i = 0; i < rows.size(); ++i)
    text += fmt::format("{:14.0f} {:14} {:14} {:5}  {}\n", rows[i].flops, rows[i].read, rows[i].written, rows[i].ops, names[i]);
  return text + "\n";
}

}  // namespace

CostRow cost_of(const ir::Op& op) {
  CostRow row{.name = std::string(op.name()), .ops = 1};
  for (ir::Value v : op.results()) row.type += (row.type.empty() ? "" : ", ") + to_string(v.type());
  if (ir::is_loop(op)) {
    add_body(op, row);
    return row;
  }
  row.flops = flops_inside(op);
  if (op.def().kind == ir::Kind::view || op.def().kind == ir::Kind::constant) return row;
  std::unordered_set<ir::Value, ir::ValueHash> seen;
  for (ir::Value v : op.operands())
    if (seen.insert(v).second) row.read += v.type().bytes();
  for (ir::Value v : op.results())
    if (!ir::is_scratch(v)) row.written += v.type().bytes();
  return row;
}

Cost cost_of(const ir::Graph& graph) {
  Cost cost{.whole = {.name = "the whole program"}, .ops = {}};
  const auto phases = running_phases(graph);
  const ir::ValueNames names(graph);
  for (const ir::Op* op : graph.ops()) {
    CostRow row = cost_of(*op);
    row.name = names.of(*op);
    row.origin = origin_of(*op, phases.at(op));
    add_to(cost.whole, row);
    cost.ops.push_back(std::move(row));
  }
  cost.layers = summed(cost.ops, [](const CostRow& r) { return r.origin.place(); });
  cost.sources = summed(cost.ops, [](const CostRow& r) { return r.origin.source; });
  cost.phases = summed(cost.ops, [](const CostRow& r) { return r.origin.phase; });
  cost.kinds = summed(cost.ops, [](const CostRow& r) { return r.origin.op; });
  return cost;
}

}  // namespace detail

std::string Cost::table() const {
  using namespace detail;
  return rows_text("part of the step", phases) + rows_text("layer", layers) + rows_text("source line", sources) + rows_text("op", kinds) +
         rows_text("in all", {whole});
}

}  // namespace weft
