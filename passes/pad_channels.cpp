#include "weft/passes/pad_channels.h"

#include <map>
#include <unordered_map>

#include "weft/ir/builder.h"
#include "weft/ir/ops/convolution.h"
#include "weft/ir/ops/movements.h"
#include "weft/passes/layout.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

/// Extents of some axes.
using Extents = std::map<int, int64_t>;

/// Of the tensor of a convolution whose layout this attribute says, with so many channels.
Extents extents_of(std::string_view layout, const Target::Channels& channels) {
  if (layout == "x_layout") return {{1, channels.x}};
  if (layout == "y_layout") return {{1, channels.y}};
  return {{0, channels.y}, {1, channels.x}};
}

class ChannelPadding {
 public:
  ChannelPadding(ir::Graph& graph, const Target& target) : graph_(graph), target_(target) {}

  bool run() {
    bool changed = false;
    for (Op* op : graph_.editable_ops()) changed |= pad(*op);
    return changed;
  }

 private:
  bool pad(Op& op) {
    if (op.def().result_layout.empty() || has_layout(op)) return false;
    const auto channels = target_.channels(op);
    if (!channels) return false;
    const Convolution c = ir::convolution_of(op);
    WEFT_CHECK(c.groups == 1 && channels->x >= c.x[1] && channels->y >= c.y[1], "channels of groups are as many as they are");
    Builder b(graph_, &op, op.locations());
    std::vector<Value> operands;
    for (size_t i = 0; i < op.operands().size(); ++i)
      operands.push_back(padded(b, op.operands()[i], extents_of(op.def().operands[i].layout, *channels)));
    const Value old = op.result();
    Value result = b.copy(op, operands).result();
    for (const auto& [axis, extent] : extents_of(op.def().result_layout, *channels))
      result = ir::pad_or_crop(b, result, axis, 0, old.shape()[axis] - extent);
    old.replace_all_uses_with(result);
    graph_.erase(op);
    return true;
  }

  /// Once for all that read it so.
  Value padded(Builder& b, Value v, const Extents& extents) {
    Value& known = padded_[v][extents];
    if (known) return known;
    known = v;
    for (const auto& [axis, extent] : extents) known = ir::pad_or_crop(b, known, axis, 0, extent - v.shape()[axis]);
    return known;
  }

  ir::Graph& graph_;
  const Target& target_;
  std::unordered_map<Value, std::map<Extents, Value>, ir::ValueHash> padded_;
};

}  // namespace

bool pad_channels(ir::Module& module, const Target& target) { return ChannelPadding(module.graph(), target).run(); }

}  // namespace weft::passes
