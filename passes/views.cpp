#include "weft/passes/views.h"

#include <algorithm>
#include <map>

#include "weft/ir/builder.h"
#include "weft/passes/dce.h"
#include "weft/support/layout.h"
#include "weft/support/strided_view.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Affine;
using ir::Builder;
using ir::IndexMap;
using ir::Kind;
using ir::Op;
using ir::Value;

/// What else reads or makes it needs no memory for it.
bool is_in_memory(Value v) {
  while (!v.is_input() && v.op()->def().kind == Kind::view) v = v.op()->operand(0);
  return v.is_input() || v.op()->def().kind == Kind::heavy || v.op()->def().kind == Kind::constant;
}

/// How `map`, of an index of these extents, goes through a row-major array of this shape; none where backwards.
std::optional<StridedView> view_of(const Shape& shape, const IndexMap& map, const Shape& extents) {
  const Dims strides = shape.strides();
  StridedView view{0, extents.dims(), Dims(extents.dims().size(), 0)};
  for (size_t axis = 0; axis < map.size(); ++axis) {
    view.offset = ir::wrapping_multiply_add(view.offset, strides[axis], map[axis].offset);
    for (size_t i = 0; i < view.strides.size(); ++i)
      view.strides[i] = ir::wrapping_multiply_add(view.strides[i], strides[axis], map[axis].coefficients[i]);
  }
  for (size_t i = 0; i < view.strides.size(); ++i)
    if (view.extents[i] == 1) view.strides[i] = 0;
  return StridedView::parse(view.numbers());
}

/// A value, and how an operand is a view of it.
struct Source {
  Value value;
  StridedView view;
};

/// The values that `v` is a view of, from itself on.
std::vector<Source> sources_of(Value v) {
  const Shape& extents = v.shape();
  IndexMap map = ir::identity_map(extents.rank());
  std::vector<Source> all{{v, StridedView::dense(extents)}};
  while (!v.is_input() && (v.op()->def().kind == Kind::movement || v.op()->def().kind == Kind::view)) {
    count_work(1);
    const Op& op = *v.op();
    if (op.operands().size() != 1 || op.def().copies) break;
    const auto access = op.def().access(op);
    if (!access || access->size() != 1 || access->front().guarded) break;
    map = ir::compose(access->front().map, map);
    v = op.operand(0);
    if (const auto view = view_of(v.shape(), map, extents)) all.push_back({v, *view});
  }
  return all;
}

class Views {
 public:
  Views(ir::Graph& graph, const Target& target) : graph_(graph), target_(target) {}

  bool run() {
    for (Op* op : graph_.editable_ops()) {
      if (op->def().kind != Kind::heavy || !op->bodies().empty() || !target_.claims(*op)) continue;
      const size_t operands = op->operands().size();
      for (size_t i = 0; i < std::min(operands, op->def().operands.size()); ++i) read_where_it_lies(op, i);
      for (size_t i = 0; i < op->def().result_orders.size(); ++i) write_as_it_is_read(op, static_cast<int>(i));
    }
    return changed_;
  }

 private:
  /// The op with another operand or attribute before it, in by_, if its rule and the target take that.
  bool try_instead(Op* op, std::vector<Value> operands, const ir::NamedAttributes& attributes) {
    try {
      by_ = &Builder(graph_, op, op->locations()).copy(*op, std::move(operands), attributes);
    } catch (const Error&) {
      return false;  // rows that do not lie in one piece, say
    }
    if (target_.claims(*by_)) return true;
    graph_.erase(*by_);
    return false;
  }
  /// From here on the op is that one.
  void settle(Op*& op) {
    graph_.erase(*op);
    op = by_;
    changed_ = true;
  }

  void read_where_it_lies(Op*& op, size_t i) {
    const std::string& attribute = op->def().operands[i].view;
    if (attribute.empty() || !op->dims(attribute).empty()) return;
    std::vector<Source> sources = sources_of(op->operands()[i]);
    const int64_t elements = op->operands()[i].shape().numel();
    for (auto source = sources.rbegin(); source + 1 != sources.rend(); ++source) {
      if (!is_in_memory(source->value) && source->value.shape().numel() > elements) continue;
      std::vector<Value> operands = op->operands();
      operands[i] = source->value;
      if (!try_instead(op, operands, {{attribute, source->view.numbers()}})) continue;
      for (int r = 0; r < op->result_count(); ++r) op->result(r).replace_all_uses_with(by_->result(r));
      return settle(op);
    }
  }

  /// A result that is only wanted transposed, or by some.
  void write_as_it_is_read(Op*& op, int i) {
    const std::string& attribute = op->def().result_orders[static_cast<size_t>(i)];
    if (attribute.empty() || !op->dims(attribute).empty()) return;
    std::map<Dims, int> wanted;
    const Value result = op->result(i);
    for (const Op* user : result.users())
      if (const auto order = order_of(*user)) ++wanted[*order];
    for (const auto& [order, count] : wanted) {
      if (!try_instead(op, op->operands(), {{attribute, order}})) continue;
      Builder b(graph_, op, op->locations());
      for (int r = 0; r < op->result_count(); ++r)
        if (r != i) op->result(r).replace_all_uses_with(by_->result(r));
      const std::vector<Op*> users(result.users().begin(), result.users().end());
      for (Op* user : users)
        if (order_of(*user) == order) user->result().replace_all_uses_with(by_->result(i));
      result.replace_all_uses_with(b("transpose", {by_->result(i)}, {{"permutation", inverse(order)}}));
      return settle(op);
    }
  }

  /// Of an op that permutes the axes of its operand: which axis stands in the place of each.
  static std::optional<Dims> order_of(const Op& op) {
    if (op.def().kind != Kind::movement || op.operands().size() != 1 || op.def().copies) return std::nullopt;
    const auto access = op.def().access(op);
    if (!access || access->front().guarded || op.result().shape().numel() != op.operand(0).shape().numel()) return std::nullopt;
    const int rank = op.result().shape().rank();
    if (op.operand(0).shape().rank() != rank) return std::nullopt;
    Dims order(static_cast<size_t>(rank), -1);
    for (int axis = 0; axis < rank; ++axis)
      for (int of_result = 0; of_result < rank; ++of_result)
        if (access->front().map[static_cast<size_t>(axis)] == Affine::axis(rank, of_result)) order[static_cast<size_t>(of_result)] = axis;
    if (!is_permutation(order, rank)) return std::nullopt;
    return order;
  }

  ir::Graph& graph_;
  const Target& target_;
  Op* by_ = nullptr;
  bool changed_ = false;
};

}  // namespace

bool views(ir::Module& module, const Target& target) {
  const bool changed = Views(module.graph(), target).run();
  if (changed) dce(module.graph());
  return changed;
}

}  // namespace weft::passes
