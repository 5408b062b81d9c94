#include "weft/passes/partial_region.h"

#include <unordered_map>

#include "weft/ir/op_def.h"
#include "weft/passes/fuse.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

/// Of a body: which results of its ops, and which of its inputs, some of its outputs follow from.
struct Needed {
  std::unordered_map<const Op*, std::set<int>> results;
  std::set<int> inputs;

  Needed(const ir::Graph& body, const std::set<int>& outputs) {
    for (const int output : outputs) add(body.outputs()[static_cast<size_t>(output)].value);
    for (const Op* op = body.previous(nullptr); op; op = body.previous(op)) {
      const auto found = results.find(op);
      if (found == results.end()) continue;
      if (op->def().is_region())
        for (const int operand : operands_of(*op, found->second)) add(op->operand(operand));
      else
        for (const Value operand : op->operands()) add(operand);
    }
  }

 private:
  void add(Value v) {
    if (v.is_input()) inputs.insert(v.index());
    else results[v.op()].insert(v.index());
  }
};

using Values = std::unordered_map<Value, Value, ir::ValueHash>;

/// The nest whose body this is. False: what is needed of it is none.
bool make_nest_again(ir::Graph& graph, const ir::Graph& body, const std::set<int>& outputs, Values& values, const Nests& nests, Op* before,
                     std::vector<Op*>& made) {
  const Needed needed(body, outputs);
  std::vector<Op*> copies;
  for (const Op* op : body.ops()) {
    if (!needed.results.contains(op)) continue;
    std::vector<Value> operands;
    for (const Value operand : op->operands()) operands.push_back(values.at(operand));
    copies.push_back(&graph.insert_copy(*op, operands, before));
    for (int i = 0; i < op->result_count(); ++i) values[op->result(i)] = copies.back()->result(i);
  }
  std::vector<Value> results;
  for (const int output : outputs) results.push_back(values.at(body.outputs()[static_cast<size_t>(output)].value));
  if (!nests.nest_of(copies, results)) {
    for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) graph.erase(**copy);
    return false;
  }
  Op& nest = make_nest(graph, copies, results);
  graph.move_before(nest, before);
  made.push_back(&nest);
  int place = 0;
  for (const int output : outputs) values[body.outputs()[static_cast<size_t>(output)].value] = nest.result(place++);
  return true;
}

}  // namespace

std::set<int> operands_of(const Op& region, const std::set<int>& results) { return Needed(region.body(), results).inputs; }

std::optional<std::map<int, Value>> make_again(ir::Graph& graph, const Op& region, const std::set<int>& results,
                                               const std::map<int, Value>& operands, const Nests& nests, Op* before,
                                               std::vector<Op*>& made) {
  const ir::Graph& body = region.body();
  Values values;
  for (const auto& [number, value] : operands) values[body.input(number)] = value;
  const size_t made_before = made.size();
  bool all = true;
  if (region.def().kind == ir::Kind::nest) {
    all = make_nest_again(graph, body, results, values, nests, before, made);
  } else {
    const Needed needed(body, results);
    for (const Op* nest : body.ops()) {
      const auto found = needed.results.find(nest);
      if (found == needed.results.end() || !all) continue;
      Values inside;
      for (const int operand : operands_of(*nest, found->second)) inside[nest->body().input(operand)] = values.at(nest->operand(operand));
      all = make_nest_again(graph, nest->body(), found->second, inside, nests, before, made);
      for (const int result : found->second)
        if (all) values[nest->result(result)] = inside.at(nest->body().outputs()[static_cast<size_t>(result)].value);
    }
  }
  if (!all) {
    for (; made.size() > made_before; made.pop_back()) graph.erase(*made.back());
    return std::nullopt;
  }
  std::map<int, Value> found;
  for (const int result : results) found[result] = values.at(body.outputs()[static_cast<size_t>(result)].value);
  return found;
}

}  // namespace weft::passes
