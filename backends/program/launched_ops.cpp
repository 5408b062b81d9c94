#include "weft/backends/program/launched_ops.h"

#include "weft/ir/op_def.h"

namespace weft::program {
namespace {

void add(const ir::Graph& graph, std::vector<const ir::Op*>& all) {
  for (const ir::Op* op : graph.ops()) {
    if (op->def().kind == ir::Kind::view || op->def().kind == ir::Kind::constant) continue;
    if (op->def().kind == ir::Kind::loop) add(op->body(), all);
    else all.push_back(op);
  }
}

}  // namespace

std::vector<const ir::Op*> launched_ops(const ir::Module& module) {
  std::vector<const ir::Op*> all;
  add(module.graph(), all);
  return all;
}

}  // namespace weft::program
