#include "weft/passes/mirror.h"

#include <numeric>

#include "weft/ir/builder.h"
#include "weft/ir/ops/convolution.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// `w` as the mirrored convolution `m` has it: [g * o, i, ..] becomes [g * i, o, ..], every kernel axis backwards.
Value mirrored_weight(ir::Builder& b, Value w, const Convolution& m) {
  Dims axes(static_cast<size_t>(m.spatial())), kernel = spatial_extents(m.w);
  std::iota(axes.begin(), axes.end(), 2);
  const Value flipped = b("windows", {w}, {{"axes", axes}, {"extents", kernel}, {"flipped", true}});  // one each
  Dims split{m.groups, w.shape()[0] / m.groups, w.shape()[1]}, order{0, 2, 1};
  split.insert(split.end(), kernel.begin(), kernel.end());
  for (int d = 0; d < m.spatial(); ++d) order.push_back(d + 3);
  return b.reshape(b("transpose", {b.reshape(flipped, Shape(split))}, {{"permutation", order}}), m.w);
}

}  // namespace

bool mirror(ir::Module& module, const Target& target) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  for (Op* op : graph.editable_ops()) {
    if (op->result_count() != 1 || !target.mirrors(*op)) continue;
    const Convolution c = ir::convolution_of(*op);
    if (!c.layouts.are_plain()) continue;
    const auto m = mirrored(c);
    if (!m) continue;
    ir::Builder b(graph, op, op->locations());
    op->result().replace_all_uses_with(
        b("convolution_data", {op->operand(0), mirrored_weight(b, op->operand(1), *m)},
          {{"low", m->low}, {"high", m->high}, {"dilation", m->dilation}, {"groups", m->groups}, {"extents", spatial_extents(m->x)}}));
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
