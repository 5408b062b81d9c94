#include "weft/ir/verifier.h"

#include <string_view>
#include <unordered_set>
#include <vector>

#include "weft/ir/builder.h"

namespace weft::ir {
namespace {

/// What a graph defines: its inputs, and the ops that were come by.
class Defined {
 public:
  explicit Defined(const Graph& graph) : graph_(graph), ops_(static_cast<size_t>(graph.number_limit())) {}
  void add(const Op& op) { ops_[static_cast<size_t>(op.number())] = true; }
  bool contains(Value v) const { return v.graph() == &graph_ && (v.is_input() || ops_[static_cast<size_t>(v.op()->number())]); }

 private:
  const Graph& graph_;
  std::vector<bool> ops_;
};

/// `operands` is room for their types.
void verify_op(const Op& op, const Defined& defined, std::vector<Type>& operands) {
  operands.clear();
  for (Value v : op.operands()) {
    if (!defined.contains(v)) throw Error("an operand is not defined before its use").of(op.name()).at(to_string(op.locations()));
    if (is_scratch(v))
      throw Error("nothing may read the memory that {} works in, its last result", v.op()->name())
          .of(op.name())
          .at(written_at(op.locations()));
    operands.push_back(v.type());
  }
  for (const auto& body : op.bodies()) verify(*body);
  const auto types = infer_types(op.def(), operands, op.attributes(), op.bodies(), op.locations());
  for (int i = 0; i < op.result_count(); ++i)
    if (static_cast<int>(types.size()) != op.result_count() || types[static_cast<size_t>(i)] != op.result(i).type())
      throw Error("result {} is {}, but the shape rule gives something else", i, to_string(op.result(i).type()))
          .of(op.name())
          .at(to_string(op.locations()));
}

}  // namespace

void verify(const Graph& graph) {
  Defined defined(graph);
  std::vector<Type> operands;
  for (const auto& op : graph.ops()) {
    verify_op(*op, defined, operands);
    defined.add(*op);
  }
  std::unordered_set<std::string_view> names;
  std::unordered_set<int> aliased;
  for (const Output& output : graph.outputs()) {
    const auto where = [&] { return to_string(output.locations); };
    if (!defined.contains(output.value)) throw Error("output '{}' is not defined in its graph", output.name).at(where());
    if (is_scratch(output.value))
      throw Error("output '{}': nothing may read the memory that {} works in, its last result", output.name, output.value.op()->name())
          .at(where());
    if (!output.name.empty() && !names.insert(output.name).second)
      throw Error("there are two outputs named '{}', the second at {}", output.name, where());
    if (!output.alias) continue;
    if (*output.alias < 0 || *output.alias >= static_cast<int>(graph.inputs().size()))
      throw Error("output '{}' replaces input {}, but there are only {}", output.name, *output.alias, graph.inputs().size()).at(where());
    const Value old = graph.input(*output.alias);
    if (old.type() != output.value.type())
      throw Error("output '{}' is {} but replaces the input '{}', which is {}", output.name, to_string(output.value.type()), old.name(),
                  to_string(old.type()))
          .at(where());
    if (!aliased.insert(*output.alias).second) throw Error("the input '{}' is updated twice, the second time at {}", old.name(), where());
  }
}

void verify(const Module& module) { verify(module.graph()); }

}  // namespace weft::ir
