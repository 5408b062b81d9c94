#include "weft/passes/mirror.h"

#include <algorithm>
#include <numeric>

#include "weft/ir/builder.h"
#include "weft/ir/ops/convolution.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// w [g * o, i, ..] as [g * i, o, ..], every kernel axis backwards.
Value mirrored_weight(ir::Builder& b, Value w, int64_t groups) {
  const Shape& shape = w.shape();
  const int spatial = shape.rank() - 2;
  Dims axes(static_cast<size_t>(spatial)), extents(shape.begin() + 2, shape.end());
  std::iota(axes.begin(), axes.end(), 2);
  const Value flipped = b("windows", {w}, {{"axes", axes}, {"extents", extents}, {"flipped", true}});  // one each
  Dims split{groups, shape[0] / groups, shape[1]}, joined{groups * shape[1], shape[0] / groups}, order{0, 2, 1};
  for (int d = 0; d < spatial; ++d) order.push_back(d + 3);
  split.insert(split.end(), extents.begin(), extents.end());
  joined.insert(joined.end(), extents.begin(), extents.end());
  return b.reshape(b("transpose", {b.reshape(flipped, Shape(split))}, {{"permutation", order}}), Shape(joined));
}

/// The same convolution the other way round; none where it is no such gradient.
std::optional<Value> mirrored(ir::Builder& b, const Op& op) {
  const ir::Convolution c = ir::convolution_of(op);
  if (!c.x_layout.is_plain() || !c.w_layout.is_plain() || !c.y_layout.is_plain()) return std::nullopt;
  Dims low, high;
  for (int d = 0; d < c.spatial(); ++d) {
    const auto i = static_cast<size_t>(d);
    const int64_t reach = c.dilation[i] * (c.w[d + 2] - 1);
    if (c.stride[i] != 1 || c.low[i] > reach || c.high[i] > reach) return std::nullopt;
    low.push_back(reach - c.low[i]), high.push_back(reach - c.high[i]);
  }
  const Value v = mirrored_weight(b, op.operand(1), c.groups);
  return b("convolution_data", {op.operand(0), v}, {{"low", low}, {"high", high}, {"dilation", c.dilation}, {"groups", c.groups},
                                                    {"extents", Dims(c.y.begin() + 2, c.y.end())}});
}

}  // namespace

bool mirror(ir::Module& module, const Target& target) {
  ir::Graph& graph = module.graph();
  bool changed = false;
  for (Op* op : graph.op_list()) {
    if (!op->is("convolution") || op->result_count() != 1 || !target.mirrors(*op)) continue;
    ir::Builder b(graph, op, op->locations());
    const auto other = mirrored(b, *op);
    if (!other) continue;
    op->result().replace_all_uses_with(*other);
    graph.erase(*op);
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
