#include "weft/passes/loop_gradient.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/arithmetic_cost.h"
#include "weft/passes/dce.h"
#include "weft/passes/reverse.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::Kind;
using ir::Op;
using ir::Scan;
using ir::Value;
using Values = std::unordered_set<Value, ir::ValueHash>;

/// Which of the body's inputs are active once what a step makes of what is carried is seen by the next.
std::vector<bool> active_inputs(const Op& loop, std::vector<bool> active) {
  const Graph& body = loop.body();
  const Scan s = ir::scan_of(loop);
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<Value> xs;
    for (size_t i = 0; i < active.size(); ++i)
      if (active[i] && is_floating(body.input(static_cast<int>(i)).dtype())) xs.push_back(body.input(static_cast<int>(i)));
    const Values reached = active_values(body, xs);
    for (size_t i = 0; i < static_cast<size_t>(s.carried); ++i)
      if (!active[i] && reached.contains(body.outputs()[i].value)) active[i] = changed = true;
  }
  for (size_t i = 0; i < active.size(); ++i) active[i] = active[i] && is_floating(body.input(static_cast<int>(i)).dtype());
  return active;
}

/// The results of ops that depend on `from`, which is among them.
Values dependent_on(const Graph& graph, Values from) {
  for (const Op* op : graph.ops())
    if (std::any_of(op->operands().begin(), op->operands().end(), [&](Value v) { return from.contains(v); }))
      for (Value v : op->results()) from.insert(v);
  return from;
}

class LoopGradient {
 public:
  LoopGradient(Builder& builder, const Op& loop, const std::vector<Value>& result_gradients, const std::vector<bool>& wanted)
      : outer_(builder), loop_(loop), s_(ir::scan_of(loop)), result_gradients_(result_gradients), active_(active_inputs(loop, wanted)),
        step_(clone(loop.body())), back_(std::make_unique<Graph>()) {
    for (int i = 0; i < s_.operands(); ++i) original_.push_back(step_->input(i));
  }

  std::vector<Value> run() {
    differentiate_step();
    find_parts();
    split();
    choose_results();
    finish_back();
    remake_loop();
    return run_back();
  }

 private:
  /// Where a sum over the steps is taken.
  struct Sum {
    size_t operand;
    std::function<Value()> outside;  // behind the loop; none: carried, as this number of what the way back carries
    size_t carried = 0;
  };

  /// An input of the body that goes back. What it is in the program around the loop is known at once, or it is a value of the step
  /// that the loop keeps.
  enum class Part { carried, sliced, constant };
  struct Input {
    Value here;
    Part part;
    Value outer, kept;
  };
  Value add_input(Part part, const ir::Type& type, Value outer, Value kept = {}) {
    inputs_.push_back({back_->add_input(fmt::format("b{}", inputs_.size()), type), part, outer, kept});
    return inputs_.back().here;
  }

  std::string free_name(std::string name) const {
    while (step_->find_input(name)) name += "'";
    return name;
  }

  bool is_active(int operand) const { return active_[static_cast<size_t>(operand)]; }

  /// Appends to the step the gradients of its inputs.
  void differentiate_step() {
    std::vector<Value> xs;
    for (int i = 0; i < s_.operands(); ++i)
      if (is_active(i)) xs.push_back(original_[static_cast<size_t>(i)]);
    const std::vector<ir::Output>& outputs = step_->outputs();
    for (size_t i = static_cast<size_t>(s_.carried); i < outputs.size(); ++i) result_of_.try_emplace(outputs[i].value, static_cast<int>(i));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const bool is_carried = i < static_cast<size_t>(s_.carried);
      const bool has_gradient = is_carried ? static_cast<bool>(active_[i]) : static_cast<bool>(result_gradients_[i]);
      seeds_.push_back(has_gradient ? step_->add_input(free_name(fmt::format("gradient.{}", i)), outputs[i].value.type()) : Value());
    }
    Reverse reverse(*step_, xs);
    for (size_t i = 0; i < outputs.size(); ++i)
      if (seeds_[i]) reverse.seed(outputs[i].value, seeds_[i]);
    reverse.run();
    for (int i = 0; i < s_.operands(); ++i)
      gradients_.push_back(is_active(i) ? reverse.gradient(original_[static_cast<size_t>(i)]) : Value());
  }

  void find_parts() {
    Values seeds, own;
    for (Value v : seeds_)
      if (v) seeds.insert(v);
    for (int i = 0; i < s_.carried + s_.sliced; ++i) own.insert(original_[static_cast<size_t>(i)]);
    late_ = dependent_on(*step_, std::move(seeds));
    of_the_step_ = dependent_on(*step_, std::move(own));
  }

  /// The gradients' inputs come first, then the ops that depend on them, with whatever these read.
  void split() {
    for (size_t i = 0; i < seeds_.size(); ++i) {
      if (!seeds_[i]) continue;
      const bool is_carried = i < static_cast<size_t>(s_.carried);
      const Value given = result_gradients_[i];
      const Value outer = given ? given : outer_.zeros_like(loop_.result(static_cast<int>(i)));
      twins_[seeds_[i]] = add_input(is_carried ? Part::carried : Part::sliced, seeds_[i].type(), outer);
    }
    for (const Op* op : step_->ops()) {
      if (!late_.contains(op->result())) continue;
      std::vector<Value> operands;
      for (Value v : op->operands()) operands.push_back(twin(v));
      Op& copy = back_->insert_copy(*op, operands);
      for (int i = 0; i < op->result_count(); ++i) twins_[op->result(i)] = copy.result(i);
    }
  }

  /// The value in the way back.
  Value twin(Value v) {
    if (const auto found = twins_.find(v); found != twins_.end()) return found->second;
    return twins_[v] = make_twin(v);
  }

  Value make_twin(Value v) {
    if (v.is_input()) {
      if (s_.is_carried(v.index())) return add_input(Part::sliced, v.type(), Value(), v);
      const bool is_sliced = s_.is_sliced(v.index());
      return add_input(is_sliced ? Part::sliced : Part::constant, v.type(), loop_.operand(v.index()));
    }
    const Op& op = *v.op();
    const Kind kind = op.def().kind;
    const bool is_constant = op.operands().empty();
    if (is_constant || op.def().broadcasts || kind == Kind::view) return copied(v, *back_, nullptr, [&](Value o) { return twin(o); });
    if (!of_the_step_.contains(v)) return add_input(Part::constant, v.type(), outside(v));
    if (kind == Kind::movement || follows_from_one(v)) return copied(v, *back_, nullptr, [&](Value o) { return twin(o); });
    return add_input(Part::sliced, v.type(), Value(), v);
  }

  /// Is it plain arithmetic on one other value of the step? Then that is kept in its place, which others may need too.
  bool follows_from_one(Value v) const {
    const Op& op = *v.op();
    if (!op.def().is_elementwise() || stacked_anyway(v)) return false;
    std::optional<Value> one;
    for (Value o : op.operands()) {
      if (!of_the_step_.contains(o)) continue;
      if (one && *one != o) return false;
      one = o;
    }
    if (!one || size_of(one->dtype()) > size_of(v.dtype())) return false;
    const ir::ScalarExpression expression = ir::scalar_of(op);
    return std::all_of(expression.nodes.begin(), expression.nodes.end(),
                       [](const ir::ScalarNode& n) { return cost_of(n.primitive) <= plain_cost; });
  }

  template <class Find>
  static Value copied(Value v, Graph& into, Op* before, Find find) {
    std::vector<Value> operands;
    for (Value o : v.op()->operands()) operands.push_back(find(o));
    return into.insert_copy(*v.op(), operands, before).result(v.index());
  }

  /// What every step computes alike, before the way back begins.
  Value outside(Value v) {
    if (v.is_input()) return loop_.operand(v.index());
    if (const auto found = outside_.find(v); found != outside_.end()) return found->second;
    return outside_[v] = copied(v, outer_.graph(), outer_.insertion_point(), [&](Value o) { return outside(o); });
  }

  /// All steps' values, one after the other, as the loops' results: known once both are there.
  std::function<Value()> stacked(Value v) {
    if (late_.contains(v)) {
      const size_t number = stacked_number(v);
      return [this, number] { return back_op_->result(static_cast<int>(carried_.size() + number)); };
    }
    if (v.is_input() && s_.is_sliced(v.index())) return [outer = loop_.operand(v.index())] { return outer; };
    keep(v);
    return [this, v] { return kept_result(v); };
  }

  size_t stacked_number(Value v) {
    const auto number = static_cast<size_t>(std::find(stacked_.begin(), stacked_.end(), v) - stacked_.begin());
    if (number == stacked_.size()) stacked_.push_back(v);
    return number;
  }

  void keep(Value v) {
    if (!stacked_anyway(v) && std::find(kept_.begin(), kept_.end(), v) == kept_.end()) kept_.push_back(v);
  }

  Value kept_result(Value v) const {
    if (const auto number = result_of_.find(v); number != result_of_.end()) return remade_->result(number->second);
    const auto at = std::find(kept_.begin(), kept_.end(), v) - kept_.begin();
    return remade_->result(s_.carried + s_.stacked + static_cast<int>(at));
  }

  bool stacked_anyway(Value v) const { return result_of_.contains(v); }

  /// The sum over the steps of this value, by one op behind the loop.
  std::optional<std::function<Value()>> sum_behind(Value v) {
    if (v.is_input() || !late_.contains(v)) return std::nullopt;
    const Op& op = *v.op();
    const bool is_product = op.def().contracts() && op.def().attribute_index("transpose_a") >= 0;
    if (is_product && op.bodies().empty() && v.shape().rank() == 2) {
      for (Value o : op.operands())
        if (!late_.contains(o) && !of_the_step_.contains(o)) return std::nullopt;
      const bool ta = op.flag("transpose_a"), tb = op.flag("transpose_b");
      const auto a = stacked(op.operand(0)), b = stacked(op.operand(1));
      return [this, a, b, ta, tb] {
        return outer_("matmul", {steps_joined(a(), !ta), steps_joined(b(), tb)}, {{"transpose_a", true}, {"transpose_b", false}});
      };
    }
    if (op.def().kind == Kind::view || is_linear_in_one(op)) {
      const auto inner = sum_behind(op.operand(0));
      if (!inner) return std::nullopt;
      ir::NamedAttributes attributes;
      for (size_t i = 0; i < op.attributes().size(); ++i) attributes.emplace_back(op.def().attributes[i].name, op.attributes()[i]);
      return [this, inner = *inner, def = &op.def(), attributes] { return outer_.create(*def, {inner()}, attributes).result(); };
    }
    if (op.def().adds == 1 && late_.contains(op.operand(0)) && late_.contains(op.operand(1))) {
      const auto x = sum_behind(op.operand(0)), y = x ? sum_behind(op.operand(1)) : std::nullopt;
      if (!y) return std::nullopt;
      return [this, x = *x, y = *y] { return outer_("add", {x(), y()}); };
    }
    return std::nullopt;
  }

  /// What it makes of a sum is the sum of what it makes: a movement, or a cast, which rounds the whole sum once then.
  static bool is_linear_in_one(const Op& op) {
    return op.def().converts || (op.def().kind == Kind::movement && op.operands().size() == 1 && op.def().linear);
  }

  /// [steps, k, n] as [steps * k, n]; when `transposed`, each slice is [n, k].
  Value steps_joined(Value v, bool transposed) {
    if (transposed) v = outer_("transpose", {v}, {{"permutation", Dims{0, 2, 1}}});
    const Shape& x = v.shape();
    return outer_.reshape(v, Shape{x[0] * x[1], x[2]});
  }

  void choose_results() {
    for (size_t i = 0; i < static_cast<size_t>(s_.carried); ++i)
      if (seeds_[i]) carried_.push_back(gradients_[i] ? twin(gradients_[i]) : Builder(*back_).zeros_like(twins_.at(seeds_[i])));
    for (int i = s_.carried; i < s_.operands(); ++i) {
      const Value g = gradients_[static_cast<size_t>(i)];
      if (!g) continue;
      if (s_.is_sliced(i)) {
        stacked_number(g);
        twin(g);
        continue;
      }
      Sum sum{static_cast<size_t>(i), {}, carried_.size()};
      if (const auto behind = sum_behind(g)) {
        sum.outside = *behind;
      } else {
        const Value so_far = add_input(Part::carried, g.type(), outer_.zeros_like(loop_.operand(i)));
        carried_.push_back(Builder(*back_, nullptr, outer_.locations())("add", {so_far, twin(g)}));
      }
      sums_.push_back(std::move(sum));
    }
  }

  /// Its inputs in a scan's order, its outputs, and nothing that these do not need.
  void finish_back() {
    std::stable_sort(inputs_.begin(), inputs_.end(), [](const Input& x, const Input& y) { return x.part < y.part; });
    std::vector<int> order;
    for (const Input& input : inputs_) order.push_back(input.here.index());
    back_->reorder_inputs(order);
    for (size_t i = 0; i < carried_.size(); ++i) back_->add_output({"", carried_[i], static_cast<int>(i), loop_.locations()});
    for (Value v : stacked_) back_->add_output({"", twins_.at(v), std::nullopt, loop_.locations()});
    dce(*back_);
    for (size_t i = inputs_.size(); i-- > 0;) {
      const Value here = inputs_[i].here;
      if (inputs_[i].part == Part::carried || !here.users().empty() || Graph::is_output(here)) continue;
      back_->remove_input(here.index());
      inputs_.erase(inputs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  /// The loop once more, with what the way back reads as further results.
  void remake_loop() {
    for (const Input& input : inputs_)
      if (input.kept) keep(input.kept);
    std::sort(kept_.begin(), kept_.end(), [](Value x, Value y) {
      const auto order = [](Value v) { return std::tuple(!v.is_input(), v.is_input() ? 0 : v.op()->number(), v.index()); };
      return order(x) < order(y);
    });
    std::vector<ir::Output> outputs = step_->outputs();
    for (Value v : kept_) outputs.push_back({"", v, std::nullopt, loop_.locations()});
    step_->set_outputs(std::move(outputs));
    dce(*step_);
    for (int i = static_cast<int>(step_->inputs().size()) - 1; i >= s_.operands(); --i) step_->remove_input(i);
    Builder builder(outer_.graph(), const_cast<Op*>(&loop_), loop_.locations());
    remade_ = &ir::make_scan(builder, loop_.operands(), s_.carried, s_.sliced, s_.length, s_.reverse, std::move(step_));
    for (Value v : loop_.results()) v.replace_all_uses_with(remade_->result(v.index()));
    for (Input& input : inputs_)
      if (input.kept) input.outer = kept_result(input.kept);
  }

  std::vector<Value> run_back() {
    std::vector<Value> operands;
    for (const Input& input : inputs_) operands.push_back(input.outer);
    const auto sliced = std::count_if(inputs_.begin(), inputs_.end(), [](const Input& i) { return i.part == Part::sliced; });
    std::vector<Value> result(static_cast<size_t>(s_.operands()));
    if (carried_.empty() && stacked_.empty()) return result;
    back_op_ = &ir::make_scan(outer_, operands, static_cast<int64_t>(carried_.size()), sliced, s_.length, !s_.reverse, std::move(back_));
    int next = 0;
    for (size_t i = 0; i < static_cast<size_t>(s_.carried); ++i)
      if (seeds_[i]) result[i] = back_op_->result(next++);
    for (int i = s_.carried; i < s_.carried + s_.sliced; ++i)
      if (const Value g = gradients_[static_cast<size_t>(i)])
        result[static_cast<size_t>(i)] = back_op_->result(static_cast<int>(carried_.size() + stacked_number(g)));
    for (const Sum& sum : sums_) result[sum.operand] = sum.outside ? sum.outside() : back_op_->result(static_cast<int>(sum.carried));
    return result;
  }

  Builder& outer_;
  const Op& loop_;
  Scan s_;
  const std::vector<Value>& result_gradients_;
  std::vector<bool> active_;      // per operand
  std::unique_ptr<Graph> step_;   // the body, and what differentiates it
  std::vector<Value> original_;   // its inputs that are the loop's
  std::vector<Value> seeds_;      // per output: the gradient that comes from outside, or null
  std::vector<Value> gradients_;  // per operand: in the step, or null
  Values late_, of_the_step_;     // what depends on gradients; on what a step alone sees

  std::unique_ptr<Graph> back_;
  std::vector<Input> inputs_;                                        // of the way back
  std::unordered_map<Value, Value, ir::ValueHash> twins_, outside_;  // of the step's values
  std::vector<Value> carried_;                                       // what the way back makes of what it carries
  std::vector<Value> stacked_;                                       // values of the step whose twins are stacked
  std::unordered_map<Value, int, ir::ValueHash> result_of_;          // which result holds a value of the step for every step
  std::vector<Value> kept_;                                          // further values of the step that the loop keeps
  std::vector<Sum> sums_;
  Op *remade_ = nullptr, *back_op_ = nullptr;
};

}  // namespace

std::vector<bool> active_results(const Op& loop, const std::vector<bool>& active_operands) {
  const std::vector<bool> active = active_inputs(loop, active_operands);
  std::vector<Value> xs;
  for (size_t i = 0; i < active.size(); ++i)
    if (active[i]) xs.push_back(loop.body().input(static_cast<int>(i)));
  const Values reached = active_values(loop.body(), xs);
  std::vector<bool> results(loop.results().size(), false);
  const std::vector<ir::Output>& outputs = loop.body().outputs();
  for (size_t i = 0; i < outputs.size(); ++i) results[i] = reached.contains(outputs[i].value);
  return results;
}

std::vector<Value> loop_gradients(Builder& builder, const Op& loop, const std::vector<Value>& result_gradients,
                                  const std::vector<bool>& wanted) {
  if (loop.flag("placed") || loop.integer("scratch") > 0)
    throw Error("a loop whose results have places has no gradient: planning comes after differentiation")
        .of(loop.name())
        .at(ir::written_at(loop.locations()));
  return LoopGradient(builder, loop, result_gradients, wanted).run();
}

}  // namespace weft::passes
