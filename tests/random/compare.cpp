#include "weft/tests/random/compare.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "weft/backends/reference/agreement.h"
#include "weft/ir/builder.h"
#include "weft/passes/decompose.h"
#include "weft/passes/pass.h"
#include "weft/support/philox.h"
#include "weft/tests/random/loops.h"
#include "weft/tests/random/values.h"

namespace weft::test {
namespace {

using reference::disagreement;
using reference::Tensor;

/// Which results to move, and how far.
struct Shake {
  uint64_t number;
  bool by_bounds;  // by an eighth of the op's own bound where that is more than half an ulp
};

/// How far to move the op's result, relative to it.
double nudge(DType dtype, const std::optional<Shake>& shake, const ir::Op& op, size_t position) {
  if (!shake) return 0;
  const double ulps = shake->by_bounds ? std::max(0.5, error_ulps_of(op) / 8) : 0.5;
  const double by = ulps * epsilon_of(dtype) / 2;
  return random_bits(shake->number, 0, 3, position) % 2 ? by : -by;
}

/// The op's result moved by this share of itself. A reduction's error is relative to what it makes of magnitudes, which is more
/// where its elements cancel.
ir::Value moved(ir::Builder& b, const ir::Op& op, ir::Value result, double by, bool by_bounds) {
  if (!by_bounds || op.def().kind != ir::Kind::reduction || op.def().error_ulps == 0)
    return b("mul", {result, b.splat(result.type(), 1 + by)});
  const ir::Value scale = b.copy(op, {b("abs", {b.cast(op.operand(0), f64)})}).result();
  const ir::Value near = b("add", {result, b("mul", {scale, b.splat(result.type(), by)})});
  return b("select", {b("is_nan", {near}), result, near});  // of infinite magnitudes
}

/// Is the op's result rounded by the reference, so that to move it means to move its operand?
bool narrows(const ir::Op& op) {
  return op.def().converts && is_floating(op.operand(0).dtype()) && is_floating(op.result().dtype()) &&
         size_of(op.operand(0).dtype()) > size_of(op.result().dtype());
}

/// The same graph, decomposed, without loops, with every f32, f16 and bf16 result rounded to its type, which the reference does at casts
/// alone; with `shake`, moved before that.
ir::Module rounded(const ir::Module& module, std::optional<Shake> shake = {}) {
  ir::Module m = module.clone();
  passes::decompose(m);
  const std::vector<ir::Op*> ops = m.graph().op_list();
  for (size_t i = 0; i < ops.size(); ++i)
    for (ir::Value v : ops[i]->results()) {
      // The reference computes in double: of f64 there is nothing to round.
      if (!is_floating(v.dtype()) || (v.dtype() == f64 && !(shake && shake->by_bounds))) continue;
      if (v.users().empty() && !m.graph().is_output(v)) continue;
      const double by = nudge(v.dtype(), shake, *ops[i], i);
      if (narrows(*ops[i])) {
        ir::Builder before(m.graph(), ops[i]);
        const ir::Value wide = before.cast(ops[i]->operand(0), f64);
        ops[i]->set_operand(0, before("mul", {wide, before.splat(wide.type(), 1 + by)}));
        continue;
      }
      ir::Builder after(m.graph(), i + 1 < ops.size() ? ops[i + 1] : nullptr);
      const ir::Value wide = after.cast(v, f64);
      const ir::Value held = after("add", {wide, after.splat(wide.type(), -0.0)});  // the one reader of v that stays
      const ir::Value near = moved(after, *ops[i], held, by, shake && shake->by_bounds);
      v.replace_all_uses_with(after.cast(near, v.dtype()));
      (wide == v ? held : wide).op()->set_operand(0, v);
    }
  return m;
}

bool holds(const ir::Graph& graph, DType dtype) {
  for (const ir::Input& input : graph.inputs())
    if (input.node->type.dtype == dtype) return true;
  for (const auto& op : graph.ops())
    for (ir::Value v : op->results())
      if (v.dtype() == dtype) return true;
  return false;
}

bool has_casts_back(const ir::Module& module) {
  ir::Module m = module.clone();
  passes::decompose(m);
  std::set<DType> widened, narrowed;
  for (const auto& op : m.graph().ops()) {
    if (!op->is("cast") || !is_floating(op->operand(0).dtype()) || !is_floating(op->result().dtype())) continue;
    const DType from = op->operand(0).dtype(), to = op->result().dtype();
    if (size_of(from) < size_of(to)) widened.insert(from);
    else if (size_of(from) > size_of(to)) narrowed.insert(to);
  }
  return std::any_of(widened.begin(), widened.end(), [&](DType t) { return narrowed.contains(t); });
}

}  // namespace

Values evaluate(const ir::Graph& graph, const Values& inputs) {
  std::vector<Tensor> in_order;
  for (const ir::Input& input : graph.inputs()) in_order.push_back(inputs.at(input.node->name));
  const std::vector<Tensor> results = reference::evaluate(graph, in_order);
  Values all;
  for (size_t i = 0; i < results.size(); ++i) all[graph.outputs()[i].name] = results[i];
  return all;
}

Expected::Expected(const ir::Module& recorded, uint64_t seed) {
  ir::Module step = recorded.clone();
  passes::run(step, passes::pipeline("step"), passes::generic_target());
  module_ = without_loops(step);
  const ir::Module& m = module_;
  fine = !holds(m.graph(), f32) && !holds(m.graph(), f16) && !holds(m.graph(), bf16);
  Values& near = near_;
  for (const ir::Input& input : m.graph().inputs()) {
    inputs[input.node->name] = value_of(input, seed);
    near[input.node->name] = test::moved(inputs[input.node->name], seed, 1, fine);
  }
  exact = evaluate(step.graph(), inputs);
  coarse = holds(m.graph(), f16) || holds(m.graph(), bf16);
  casts_back = has_casts_back(m);
  moved.push_back(evaluate(rounded(m).graph(), near));
  if (coarse)
    for (uint64_t shake : {1, 2}) moved.push_back(evaluate(rounded(m, Shake{shake, false}).graph(), near));
}

void Expected::move_more() const {
  if (moved_more_) return;
  moved_more_ = true;
  for (uint64_t shake = 3; shake < 15; ++shake) moved.push_back(evaluate(rounded(module_, Shake{shake, true}).graph(), near_));
}

std::optional<std::string> Expected::loop_fault() const {
  for (const auto& [name, value] : evaluate(module_.graph(), inputs))
    if (auto wrong = strict_fault(name, value)) return fmt::format("'{}': {}", name, *wrong);
  return std::nullopt;
}

std::optional<std::string> Expected::fault(const std::string& output, const Tensor& got) const {
  const auto found = [&] {
    std::vector<const Tensor*> near;
    for (const Values& m : moved) near.push_back(&m.at(output));
    return disagreement(got, exact.at(output), near,
                        reference::tolerance_in(is_narrow(got.type.dtype) ? got.type.dtype
                                                : fine                    ? f64
                                                                          : f32));
  };
  if (!found()) return std::nullopt;
  move_more();
  return found();
}

std::optional<std::string> Expected::strict_fault(const std::string& output, const Tensor& got) const {
  const Tensor* const unmoved[] = {&exact.at(output)};
  return disagreement(got, exact.at(output), unmoved, {.bound = 1e-11, .absolute = 1e-30, .largest = 1e37});
}

}  // namespace weft::test
