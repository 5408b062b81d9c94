#include "weft/passes/loops.h"

#include <algorithm>

#include "weft/ir/builder.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/dce.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::Op;
using ir::Scan;
using ir::Value;

/// Is it one that nobody else reads?
bool is_own_copy(Value v) { return !v.is_input() && v.op()->def().copies && v.users().size() == 1 && !Graph::is_output(v); }

/// What nobody reads of a body that has no places yet: stacked results, then slices and constants.
Op& trimmed(Op& loop) {
  const Scan s = ir::scan_of(loop);
  std::vector<int> results, operands;  // that stay
  for (int i = 0; i < s.carried + s.stacked; ++i)
    if (i < s.carried || !loop.result(i).users().empty() || Graph::is_output(loop.result(i))) results.push_back(i);
  if (results.empty()) return loop;
  Graph& body = loop.body();
  std::vector<ir::Output> outputs;
  for (int i : results) outputs.push_back(body.outputs()[static_cast<size_t>(i)]);
  body.set_outputs(std::move(outputs));
  dce(body);
  for (int i = 0; i < s.operands(); ++i)
    if (i < s.carried || !body.input(i).users().empty() || Graph::is_output(body.input(i))) operands.push_back(i);
  if (operands.empty()) operands.push_back(0);
  if (std::ssize(results) == s.carried + s.stacked && std::ssize(operands) == s.operands()) return loop;
  std::vector<Value> values;
  int64_t sliced = 0;
  for (int i : operands) values.push_back(loop.operand(i)), sliced += s.is_sliced(i);
  for (int i = s.operands() - 1; i >= 0; --i)
    if (std::find(operands.begin(), operands.end(), i) == operands.end()) body.remove_input(i);
  Builder builder(loop.graph(), &loop, loop.locations());
  Op& by = ir::make_scan(builder, values, s.carried, sliced, s.length, s.reverse, loop.exchange_body(0, nullptr));
  for (size_t i = 0; i < results.size(); ++i) loop.result(results[i]).replace_all_uses_with(by.result(static_cast<int>(i)));
  loop.graph().erase(loop);
  return by;
}

bool copy_what_is_carried(Op& loop) {
  bool changed = false;
  Builder builder(loop.graph(), &loop, loop.locations());
  for (int i = 0; i < ir::scan_of(loop).carried; ++i) {
    if (is_own_copy(loop.operand(i))) continue;
    loop.set_operand(i, builder("copy", {loop.operand(i)}));
    changed = true;
  }
  return changed;
}

Op& replaced(Op& loop, const ir::NamedAttributes& changed, std::unique_ptr<Graph> body) {
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  Op& by = Builder(loop.graph(), &loop, loop.locations()).copy(loop, loop.operands(), changed, std::move(bodies));
  for (Value v : loop.results())
    if (!ir::is_scratch(v)) v.replace_all_uses_with(by.result(v.index()));
  loop.graph().erase(loop);
  return by;
}

void place_slices(Op& loop) {
  const Scan s = ir::scan_of(loop);
  std::unique_ptr<Graph> body = loop.exchange_body(0, nullptr);
  std::vector<ir::Output> outputs = body->outputs();
  for (size_t i = static_cast<size_t>(s.carried); i < outputs.size(); ++i) {
    std::string name = fmt::format("place.{}", i - static_cast<size_t>(s.carried));
    while (body->find_input(name)) name += "'";
    outputs[i].alias = body->add_input(std::move(name), outputs[i].value.type()).index();
  }
  body->set_outputs(std::move(outputs));
  replaced(loop, {{"placed", true}}, std::move(body));
}

}  // namespace

bool loops(ir::Module& module) {
  bool changed = false;
  for (Op* op : module.graph().editable_ops()) {
    if (!ir::is_loop(*op)) continue;
    const bool placed = op->flag("placed");
    if (!placed) op = &trimmed(*op);
    changed |= copy_what_is_carried(*op) || !placed;
    if (!placed) place_slices(*op);
  }
  return changed;
}

bool on_loop_bodies(ir::Module& module, const std::function<bool(ir::Module&)>& visit) {
  bool changed = false;
  for (Op* op : module.graph().editable_ops()) {
    if (!ir::is_loop(*op)) continue;
    const int64_t scratch = op->integer("scratch");
    ir::Module body;
    body.target = module.target, body.stage = module.stage;
    if (module.arena_bytes) body.arena_bytes = scratch;
    body.set_graph(op->exchange_body(0, nullptr));
    try {
      changed |= visit(body);
    } catch (...) {
      op->exchange_body(0, body.take_graph());
      throw;
    }
    const int64_t bytes = body.arena_bytes.value_or(0);
    if (bytes == scratch) op->exchange_body(0, body.take_graph());
    else replaced(*op, {{"scratch", bytes}}, body.take_graph()), changed = true;
  }
  return changed;
}

ir::Module module_of_body(const Op& loop) {
  ir::Module body;
  body.set_graph(clone(loop.body()));
  body.arena_bytes = loop.integer("scratch");
  return body;
}

namespace {

std::vector<Value> results_of_steps(Op& loop) {
  const Scan s = ir::scan_of(loop);
  Builder builder(loop.graph(), &loop, loop.locations());
  const auto slice = [&](Value v, int64_t index) {
    Dims start(v.shape().dims().size(), 0), end = v.shape().dims();
    start[0] = index, end[0] = index + 1;
    return builder.reshape(builder("slice", {v}, {{"start", start}, {"end", end}}), ir::slice_of(v.type()).shape);
  };
  std::vector<Value> results(loop.operands().begin(), loop.operands().begin() + s.carried);
  std::vector<std::vector<Value>> slices(static_cast<size_t>(s.stacked), std::vector<Value>(static_cast<size_t>(s.length)));
  for (int64_t step = 0; step < s.length; ++step) {
    const int64_t index = s.slice_of(step);
    std::vector<Value> inputs = results;
    for (int i = s.carried; i < s.operands(); ++i) inputs.push_back(s.is_sliced(i) ? slice(loop.operand(i), index) : loop.operand(i));
    if (s.placed)
      for (int i = s.operands(); i < static_cast<int>(loop.body().inputs().size()); ++i)
        inputs.push_back(builder.splat(loop.body().input(i).type(), 0));
    std::vector<Value> outputs = ir::inline_body(loop.body(), inputs, loop.graph(), &loop);
    for (size_t i = 0; i < slices.size(); ++i)
      slices[i][static_cast<size_t>(index)] = builder.reshape(outputs[static_cast<size_t>(s.carried) + i],
                                                              ir::stacked_of(outputs[static_cast<size_t>(s.carried) + i].type(), 1).shape);
    outputs.resize(static_cast<size_t>(s.carried));
    results = std::move(outputs);
  }
  for (size_t i = 0; i < slices.size(); ++i)
    results.push_back(slices[i].empty()       ? builder.splat(loop.result(s.carried + static_cast<int>(i)).type(), 0)
                      : slices[i].size() == 1 ? slices[i][0]
                                              : builder("concat", slices[i], {{"axis", int64_t{0}}}));
  return results;
}

}  // namespace

void write_out(Op& loop) {
  const Scan s = ir::scan_of(loop);
  const auto ops_of_step = std::ssize(loop.body().ops()) + s.sliced + s.stacked + 1;
  if (s.length > (most_ops_written_out - std::ssize(loop.graph().ops())) / ops_of_step)
    throw Error(ErrorKind::device,
                "the target does not run this loop, and its {} steps are too many to write out: with {} ops each, the program would have "
                "more than {}",
                s.length, ops_of_step, most_ops_written_out)
        .of(loop.name())
        .at(to_string(loop.locations()));
  const std::vector<Value> results = results_of_steps(loop);
  for (size_t i = 0; i < results.size(); ++i) loop.result(static_cast<int>(i)).replace_all_uses_with(results[i]);
  loop.graph().erase(loop);
}

}  // namespace weft::passes
