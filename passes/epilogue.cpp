#include "weft/passes/epilogue.h"

#include <algorithm>
#include <array>

#include "weft/ir/builder.h"
#include "weft/passes/activation.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/dce.h"

namespace weft::passes {
namespace {

using ir::Graph;
using ir::Op;
using ir::Value;

/// A product and the ops taken behind it so far.
class Candidate {
 public:
  explicit Candidate(Op& product) : product_(product), last_(product.result()) {
    body_ = std::make_unique<Graph>();
    body_->add_input("product", product.result().type());
  }

  /// Takes the only reader of the last value, if it is elementwise and the target accepts it.
  bool extend(const Target& target) {
    if (last_.users().size() != 1 || last_.graph()->is_output(last_)) return false;
    Op& next = *last_.users().front();
    if (!next.def().is_elementwise() || next.def().copies || next.result().type() != product_.result().type()) return false;
    Candidate longer(*this, next);
    if (!longer.reads_rightly() || !target.accepts_epilogue(product_, *longer.whole_body())) return false;
    *this = std::move(longer);
    return true;
  }

  bool empty() const { return last_ == product_.result(); }

  /// The product as it is now.
  Op* commit() {
    Graph& graph = product_.graph();
    body_ = whole_body();
    std::vector<Value> operands = product_.operands();
    operands.insert(operands.end(), extra_.begin(), extra_.end());
    ir::Locations lines = product_.locations();
    for (const auto& op : body_->ops()) merge(lines, op->locations());
    ir::Builder builder(graph, last_.op(), lines);
    std::vector<std::unique_ptr<Graph>> bodies;
    bodies.push_back(std::move(body_));
    Op& fused = builder.copy(product_, operands, {}, std::move(bodies));
    last_.replace_all_uses_with(fused.result());
    while (last_ != product_.result()) {
      Op* dead = last_.op();
      for (Value v : dead->operands())
        if (depends_on_product(v)) last_ = v;
      graph.erase(*dead);
    }
    graph.erase(product_);
    return &fused;
  }

 private:
  /// With its output, as the op has it.
  std::unique_ptr<Graph> whole_body() const {
    std::unique_ptr<Graph> whole = clone(*body_);
    whole->add_output({"", whole->ops().back()->result(), std::nullopt, {}});
    return whole;
  }

  /// The body of `shorter` with a copy of `next` behind it.
  Candidate(const Candidate& shorter, Op& next)
      : product_(shorter.product_), last_(next.result()), chain_(shorter.chain_), extra_(shorter.extra_) {
    body_ = clone(*shorter.body_);
    std::vector<Value> operands;
    for (Value v : next.operands())
      operands.push_back(v == shorter.last_ ? body_->ops().empty() ? body_->input(0) : body_->ops().back()->result() : Value());
    for (size_t i = 0; i < operands.size(); ++i)
      if (!operands[i]) operands[i] = side(next.operand(static_cast<int>(i)));
    body_->insert_copy(next, operands);
    chain_.push_back(shorter.last_);
  }

  /// A value as large as the product is read only where the result replaces it: there the library accumulates, anywhere
  /// else a nest reads it as well. What the result replaces is read nowhere else.
  bool reads_rightly() const {
    const Value old = replaced();
    const auto is_old = [&](Value v) { return old && owner_of(v) == old; };
    if (std::any_of(product_.operands().begin(), product_.operands().end(), is_old)) return false;
    return std::all_of(extra_.begin(), extra_.end(), [&](Value v) { return v.type() == product_.result().type() ? v == old : !is_old(v); });
  }

  /// The input that the last value is to be written over, if any.
  Value replaced() const {
    const Graph& graph = product_.graph();
    for (const ir::Output& output : graph.outputs())
      if (output.alias && output.value == last_) return graph.input(*output.alias);
    return {};
  }

  bool depends_on_product(Value v) const { return v == product_.result() || std::find(chain_.begin(), chain_.end(), v) != chain_.end(); }

  /// An operand that does not come from the product: broadcasts and constants are repeated inside the body.
  Value side(Value v) {
    if (!v.is_input() && v.op()->def().broadcasts) return body_->insert_copy(*v.op(), std::array{side(v.op()->operand(0))}).result();
    if (!v.is_input() && v.op()->def().kind == ir::Kind::constant) return body_->insert_copy(*v.op(), {}).result();
    for (size_t i = 0; i < extra_.size(); ++i)
      if (extra_[i] == v) return body_->input(static_cast<int>(i) + 1);
    extra_.push_back(v);
    return body_->add_input(fmt::format("extra{}", extra_.size()), v.type());
  }

 public:
  Candidate& operator=(Candidate&& other) noexcept {
    last_ = other.last_;
    chain_ = std::move(other.chain_);
    extra_ = std::move(other.extra_);
    body_ = std::move(other.body_);
    return *this;
  }

 private:
  Op& product_;
  Value last_;                // outside: what the epilogue replaces
  std::vector<Value> chain_;  // outside: the values between the product and the last
  std::vector<Value> extra_;  // outside: further operands
  std::unique_ptr<Graph> body_;
};

/// A vector along the last axis, in a shape of another rank; null where it is none, or means another axis there.
Value broadcast_to(ir::Builder& b, Value v, const Shape& shape) {
  if (v.is_input() || !v.op()->def().broadcasts) return {};
  const Value vector = v.op()->operand(0);
  if (vector.shape().rank() != 1 || vector.shape()[0] != shape[shape.rank() - 1]) return {};
  return b("broadcast", {vector}, {{"shape", shape.dims()}});
}

/// A view of a product's result moves behind the addition of a vector that reads it, which has no other operand as large:
///
///   %v = reshape(%p), %s = add(%v, broadcast(%b))    becomes    %s = add(%p, broadcast(%b)), %v = reshape(%s)
bool move_view_behind(Op& product) {
  const auto only_reader = [](Value v) {
    return v.users().size() == 1 && !ir::Graph::is_output(v) ? static_cast<Op*>(v.users().front()) : nullptr;
  };
  Op* view = only_reader(product.result());
  Op* next = view && view->def().kind == ir::Kind::view ? only_reader(view->result()) : nullptr;
  if (!next || next->def().adds != 1 || next->result().type() != view->result().type()) return false;
  const int other = next->operand(0) == view->result() ? 1 : 0;
  if (next->operand(other) == view->result() || product.result().shape().rank() == 0) return false;
  ir::Builder b(product.graph(), next, next->locations());
  const Value vector = broadcast_to(b, next->operand(other), product.result().shape());
  if (!vector) return false;
  std::vector<Value> operands(2, product.result());
  operands[static_cast<size_t>(other)] = vector;
  next->result().replace_all_uses_with(b.reshape(b.copy(*next, std::move(operands)).result(), next->result().shape()));
  product.graph().erase(*next);
  product.graph().erase(*view);
  return true;
}

}  // namespace

bool epilogue(ir::Module& module, const Target& target) {
  // Taking an epilogue erases the ops behind a product, never another product.
  std::vector<Op*> products;
  for (const auto& op : module.graph().ops())
    if (op->def().takes_epilogue && op->bodies().empty() && target.claims(*op)) products.push_back(op);
  bool changed = false;
  for (Op* op : products) {
    changed |= move_view_behind(*op);
    Candidate candidate(*op);
    while (candidate.extend(target)) {}
    if (!candidate.empty()) op = candidate.commit(), changed = true;
    changed |= take_activation(*op, target);
  }
  if (changed) dce(module);  // what is repeated inside a body may have been read there alone
  return changed;
}

}  // namespace weft::passes
