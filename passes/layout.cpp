#include "weft/passes/layout.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "weft/ir/builder.h"
#include "weft/ir/layout.h"
#include "weft/passes/analysis/relayout.h"
#include "weft/passes/dce.h"
#include "weft/passes/layout_remarks.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Kind;
using ir::Op;
using ir::Value;
using Part = Layout::Part;

class LayoutPass {
 public:
  LayoutPass(ir::Graph& graph, const Target& target, Remarks* remarks) : graph_(graph), target_(target) {
    if (remarks) says_.emplace(graph, target, *remarks);
  }

  bool run() {
    for (Op* op : graph_.editable_ops()) {
      Builder b(graph_, op, op->locations());
      if (!op->def().result_layout.empty() && target_.claims(*op)) choose(b, *op);
      else if (op->result_count() == 1 &&
               std::any_of(op->operands().begin(), op->operands().end(), [&](Value v) { return lying_.contains(v); }))
        follow(b, *op);
    }
    if (lying_.empty() && !changed_) return false;
    if (says_) says_->say_what_was_chosen();
    bring_back();
    dce(graph_);
    return true;
  }

 private:
  /// A value that lies otherwise: `value` is what the graph computes, in this layout.
  struct Lying {
    Value value;
    Layout layout;
  };

  void choose(Builder& b, Op& op) {
    if (has_layout(op)) return;
    const ir::NamedAttributes wanted = target_.layouts(op);
    const auto of = [&](const std::string& attribute, int rank) {
      for (const auto& [name, value] : wanted)
        if (name == attribute) return Layout::parse(std::get<std::string>(value), rank);
      return Layout();
    };
    std::vector<Value> operands;
    bool any = false;
    for (size_t i = 0; i < op.operands().size(); ++i) {
      const Layout layout = of(op.def().operands[i].layout, op.operands()[i].shape().rank());
      operands.push_back(in_layout(b, op.operands()[i], layout));
      any = any || !layout.is_plain();
    }
    const Layout result = of(op.def().result_layout, op.result().shape().rank());
    if (!any && result.is_plain()) return;
    Op& made = b.copy(op, operands, wanted);
    if (says_) says_->chosen(op, made, wanted);
    settle(op, made.result(), result);
  }

  /// The op on operands as they lie, where there is such an op.
  void follow(Builder& b, Op& op) {
    switch (op.def().kind) {
      case Kind::elementwise: return follow_elementwise(b, op);
      case Kind::reduction: return follow_reduction(b, op);
      case Kind::view: {
        const Lying& from = lying_.at(op.operand(0));
        if (const auto to = reshaped(op.operand(0).shape(), op.result().shape(), from.layout))
          settle(op, b.reshape(from.value, to->physical), to->layout);
        return;
      }
      case Kind::movement: {
        if (!op.def().in_layout) return;
        const Lying& from = lying_.at(op.operand(0));
        if (const auto moved = op.def().in_layout(op, from.layout)) settle(op, b(op.name(), {from.value}, moved->first), moved->second);
        return;
      }
      case Kind::constant:
      case Kind::index:
      case Kind::composite:
      case Kind::heavy:
      case Kind::nest:
      case Kind::launch:
      case Kind::loop: return;
    }
  }

  void follow_elementwise(Builder& b, Op& op) {
    if (op.def().copies) return;
    const Layout* layout = nullptr;
    for (Value v : op.operands()) {
      if (v.is_input() && v.shape().numel() > 1) return;
      if (const auto found = lying_.find(v); !layout && found != lying_.end()) layout = &found->second.layout;
    }
    const Layout chosen = *layout;
    std::vector<Value> operands;
    for (Value v : op.operands()) operands.push_back(in_layout(b, v, chosen));
    Op& made = b.copy(op, operands);
    if (says_) says_->read_by(made, false);
    settle(op, made.result(), chosen);
  }

  void follow_reduction(Builder& b, Op& op) {
    const Lying from = lying_.at(op.operand(0));
    const int rank = op.operand(0).shape().rank();
    const std::vector<Part> parts = from.layout.parts(rank);
    const Dims& axes = op.dims("axes");
    const auto reduced = [&](int axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); };
    bool cuts = false;
    Dims places;
    std::vector<Part> left;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (reduced(parts[i].axis)) {
        places.push_back(static_cast<int64_t>(i));
        cuts = cuts || from.layout.is_cut(parts[i].axis);
        continue;
      }
      const auto before = std::count_if(axes.begin(), axes.end(), [&](int64_t a) { return a < parts[i].axis; });
      left.push_back({parts[i].axis - static_cast<int>(before), parts[i].block});
    }
    const bool keep = op.flag("keep_dims");
    if (keep && !cuts) return settle(op, b(op.name(), {from.value}, {{"axes", places}, {"keep_dims", true}}), from.layout);
    const Value value = b(op.name(), {from.value}, {{"axes", places}, {"keep_dims", false}});
    if (!keep) return settle(op, value, Layout::of(left));
    // An axis in blocks does not stay as one of extent 1.
    op.result().replace_all_uses_with(b.reshape(from_layout(b, value, Layout::of(left)), op.result().shape()));
  }

  /// From here on the op's result is known by `value`.
  void settle(Op& op, Value value, const Layout& layout) {
    changed_ = true;
    if (layout.is_plain()) op.result().replace_all_uses_with(value);
    else lying_[op.result()] = {value, layout};
    if (says_ && !layout.is_plain()) says_->followed(op);
  }

  /// `v`, which may lie otherwise, in this layout. What costs nothing to make again is made for each reader.
  Value in_layout(Builder& b, Value v, const Layout& layout) {
    if (const auto found = lying_.find(v); found != lying_.end()) {
      const auto& [value, from] = found->second;
      if (from == layout) return value;
      return said(v, value, from, to_layout(b, from_layout(b, value, from), layout), layout);
    }
    if (layout.is_plain()) return v;
    if (!v.is_input() && v.op()->def().broadcasts) return broadcast_in_layout(b, *v.op(), layout);
    if (!v.is_input() && v.op()->def().kind == Kind::constant && v.op()->attribute<ir::Dense>("value").is_splat())
      return b("constant", {}, {{"value", v.op()->attribute<ir::Dense>("value").reshaped(layout.physical(v.shape()))}});
    return said(v, v, Layout(), to_layout(b, v, layout), layout);
  }

  Value said(Value v, Value source, const Layout& from, Value there, const Layout& to) {
    if (says_) says_->reordered(v, source, from, there, to);
    return there;
  }

  /// Reordered before it is stretched.
  Value broadcast_in_layout(Builder& b, const Op& op, const Layout& layout) {
    const Shape &whole = op.result().shape(), small = op.operand(0).shape();
    Dims aligned(static_cast<size_t>(whole.rank() - small.rank()), 1);
    aligned.insert(aligned.end(), small.begin(), small.end());
    Dims split;
    for (int axis = 0; axis < whole.rank(); ++axis) {
      // Of an axis that is stretched each part is.
      std::vector<Part> parts = layout.parts(whole.rank());
      std::erase_if(parts, [&](const Part& p) { return p.axis != axis; });
      int64_t rest = aligned[static_cast<size_t>(axis)];
      const bool stretched = rest == 1;
      for (const Part& p : parts)
        if (p.block && !stretched) rest /= p.block;
      for (const Part& p : parts) split.push_back(p.block ? (stretched ? 1 : p.block) : rest);
    }
    Value v = b.reshape(op.operand(0), Shape(split));
    const Dims order = layout.order();
    Dims moved;
    for (int64_t axis : order)
      if (split[static_cast<size_t>(axis)] != 1) moved.push_back(axis);
    Dims shape;
    for (int64_t axis : order) shape.push_back(split[static_cast<size_t>(axis)]);
    v = std::is_sorted(moved.begin(), moved.end()) ? b.reshape(v, Shape(shape)) : b("transpose", {v}, {{"permutation", order}});
    return b.broadcast(v, layout.physical(whole));
  }

  /// Whatever still reads a value as it was gets it row-major; what others took the place of goes.
  void bring_back() {
    std::vector<Op*> superseded;
    for (Op* op : graph_.ops())
      if (op->result_count() == 1 && lying_.contains(op->result())) superseded.push_back(op);
    for (Op* op : superseded) {
      const Value old = op->result();
      std::vector<Op*> readers;
      for (Op* user : old.users())
        if (user->result_count() != 1 || !lying_.contains(user->result())) readers.push_back(user);
      if (readers.empty() && !graph_.is_output(old)) continue;
      const Lying& lying = lying_.at(old);
      Builder b(graph_, op, op->locations());
      const Value back = from_layout(b, lying.value, lying.layout);
      if (says_) says_->brought_back(old, lying.value, back, readers);
      old.replace_all_uses_with(back);
    }
    for (auto at = superseded.rbegin(); at != superseded.rend(); ++at) {
      lying_.erase((*at)->result());
      graph_.erase(**at);
    }
  }

  ir::Graph& graph_;
  const Target& target_;
  std::unordered_map<Value, Lying, ir::ValueHash> lying_;
  bool changed_ = false;
  std::optional<LayoutRemarks> says_;
};

}  // namespace

bool has_layout(const Op& op) {
  bool any =
      (op.def().attribute_index("parts") >= 0 && op.integer("parts") > 1) || !op.attribute<std::string>(op.def().result_layout).empty();
  for (const ir::OperandSpec& operand : op.def().operands)
    any = any || (!operand.layout.empty() && !op.attribute<std::string>(operand.layout).empty());
  return any;
}

bool layout(ir::Module& module, const Target& target, Remarks* remarks) { return LayoutPass(module.graph(), target, remarks).run(); }

}  // namespace weft::passes
