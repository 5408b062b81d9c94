#include "weft/passes/activation.h"

#include <algorithm>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/passes/analysis/pattern.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::Op;
using ir::Value;

/// The view that alone reads `v`; none: `v`.
Value seen_through_view(Value v) {
  if (v.users().size() != 1 || Graph::is_output(v)) return v;
  const Op* reader = v.users().front();
  return reader->def().kind == ir::Kind::view ? reader->result() : v;
}

/// An activation of `seen`, as the graph has it.
struct Found {
  const Graph* pattern;
  PatternMatch match;
  Value result() const { return match.ops.back()->result(); }
};

/// Looks at the elementwise ops that follow from `seen`, the nearest first.
std::optional<Found> find_activation(Value seen, const std::vector<const Graph*>& patterns) {
  constexpr size_t most = 64;
  std::vector<Value> values{seen};
  std::unordered_set<const Op*> known;
  for (size_t i = 0; i < values.size() && values.size() < most; ++i)
    for (const ir::Use& use : values[i].users()) {
      count_work(1);
      if (!use->def().is_elementwise() || use->result().shape() != seen.shape() || !known.insert(use.op).second) continue;
      values.push_back(use->result());
      for (const Graph* pattern : patterns)
        if (auto match = find_pattern(*pattern, use->result(), seen)) return Found{pattern, std::move(*match)};
    }
  return std::nullopt;
}

/// Does anything but the activation depend on the product, beside what follows from the activation's result?
bool is_read_elsewhere(Value product, Value seen, const Found& found) {
  const auto& ops = found.match.ops;
  const auto is_inside = [&](const Op* op) { return std::find(ops.begin(), ops.end(), op) != ops.end(); };
  const auto is_read = [&](Value v) {
    return Graph::is_output(v) || std::any_of(v.users().begin(), v.users().end(), [&](const ir::Use& use) { return !is_inside(use.op); });
  };
  if (seen == product ? is_read(product) : is_read(seen)) return true;
  std::vector<Value> from_product{seen};
  for (const Op* op : ops) {
    const auto& operands = op->operands();
    if (op->result() == found.result() || std::none_of(operands.begin(), operands.end(), [&](Value v) {
          return std::find(from_product.begin(), from_product.end(), v) != from_product.end();
        }))
      continue;
    if (is_read(op->result())) return true;
    from_product.push_back(op->result());
  }
  return false;
}

/// The sum over all axes but the last, of as many elements as `columns`, in the same type.
Op* sum_over_rows(Value v, int64_t columns) {
  const int last = v.shape().rank() - 1;
  if (last < 1 || v.shape()[last] != columns) return nullptr;
  for (const ir::Use& use : v.users()) {
    if (use->def().kind != ir::Kind::reduction || !use->def().linear) continue;
    const Dims& axes = use->dims("axes");
    const bool all_but_last = static_cast<int>(axes.size()) == last && std::find(axes.begin(), axes.end(), last) == axes.end();
    if (all_but_last && use->result().type() == ir::Type{v.dtype(), Shape{columns}}) return use;
  }
  return nullptr;
}

class Taking {
 public:
  Taking(Op& product, const Target& target) : product_(product), target_(target), seen_(seen_through_view(product.result())) {}

  bool run() {
    const std::vector<const Graph*> patterns = target_.activations(product_);
    if (patterns.empty()) return false;
    found_ = find_activation(seen_, patterns);
    if (!found_ || replaces_an_input(found_->result()) || replaces_an_input(product_.result())) return false;
    keeps_ = is_read_elsewhere(product_.result(), seen_, *found_);
    // The values that are kept are read before the activation's other operands may be there.
    if (keeps_ && found_->match.inputs.size() > 1) return false;
    const Shape& shape = product_.result().shape();
    Op* sum = sum_over_rows(found_->result(), shape[shape.rank() - 1]);
    return (sum && take(sum)) || take(nullptr);
  }

 private:
  static bool replaces_an_input(Value v) {
    const auto& outputs = v.graph()->outputs();
    return std::any_of(outputs.begin(), outputs.end(), [&](const ir::Output& output) { return output.alias && output.value == v; });
  }

  bool take(Op* sum) {
    std::unique_ptr<Graph> body = body_with(sum != nullptr);
    if (!target_.accepts_epilogue(product_, *body)) return false;
    Graph& graph = product_.graph();
    ir::Locations lines = product_.locations();
    for (const Op* op : found_->match.ops) merge(lines, op->locations());
    const Value result = found_->result();
    Builder b(graph, keeps_ ? &product_ : result.op(), lines);
    std::vector<Value> operands = product_.operands();
    for (size_t i = 1; i < found_->match.inputs.size(); ++i) operands.push_back(in_shape(b, found_->match.inputs[i]));
    std::vector<std::unique_ptr<Graph>> bodies;
    bodies.push_back(std::move(body));
    const Op& fused = b.copy(product_, operands, {}, std::move(bodies));
    b.set_insertion_point(result.op());
    result.replace_all_uses_with(b.reshape(fused.result(), result.shape()));
    if (keeps_) product_.result().replace_all_uses_with(fused.result(1));
    if (sum) sum->result().replace_all_uses_with(fused.result(keeps_ ? 2 : 1));
    drop(sum);
    return true;
  }

  /// What the product has already, then the activation.
  std::unique_ptr<Graph> body_with(bool sum) const {
    std::unique_ptr<Graph> body = product_.bodies().empty() ? std::make_unique<Graph>() : ir::clone(product_.body());
    const Value before = product_.bodies().empty() ? body->add_input("product", product_.result().type()) : body->outputs()[0].value;
    Builder b(*body, nullptr, product_.locations());
    std::vector<Value> operands{before};
    for (size_t i = 1; i < found_->match.inputs.size(); ++i)
      operands.push_back(body->add_input(fmt::format("element{}", i), {found_->match.inputs[i].dtype(), before.shape()}));
    const Value result = apply_pattern(b, *found_->pattern, operands);
    std::vector<ir::Output> outputs{{"", result, std::nullopt, {}}};
    if (keeps_) outputs.push_back({"", before, std::nullopt, {}});
    if (sum) {
      Dims rows;
      for (int axis = 0; axis + 1 < before.shape().rank(); ++axis) rows.push_back(axis);
      outputs.push_back({"", b.sum(result, rows), std::nullopt, {}});
    }
    body->set_outputs(std::move(outputs));
    return body;
  }

  /// An operand that lies as the product does.
  Value in_shape(Builder& b, Value v) const {
    const Shape& shape = product_.result().shape();
    const bool is_view = v.shape() != shape && !v.is_input() && v.op()->def().kind == ir::Kind::view;
    return is_view && v.op()->operand(0).shape() == shape ? v.op()->operand(0) : b.reshape(v, shape);
  }

  /// What nobody reads any more, of all that there was.
  void drop(Op* sum) {
    Graph& graph = product_.graph();
    if (sum) graph.erase(*sum);
    for (auto op = found_->match.ops.rbegin(); op != found_->match.ops.rend(); ++op)
      if ((*op)->is_unused()) graph.erase(**op);
    if (seen_ != product_.result() && seen_.op()->is_unused()) graph.erase(*seen_.op());
    graph.erase(product_);
  }

  Op& product_;
  const Target& target_;
  Value seen_;  // the product's result, or the view that everybody reads in its place
  std::optional<Found> found_;
  bool keeps_ = false;
};

}  // namespace

bool take_activation(Op& product, const Target& target) {
  if (product.result_count() != 1 || product.result().shape().rank() < 2) return false;
  return Taking(product, target).run();
}

}  // namespace weft::passes
