// Runs the ops of a graph in order.

#include <new>
#include <unordered_map>
#include <utility>

#include "weft/backends/reference/kernels.h"
#include "weft/ir/order.h"
#include "weft/support/memory.h"

namespace weft::reference {
namespace {

/// Of the evaluation that this thread is in; null: of none.
thread_local const Observer* observing = nullptr;

/// A composite's decomposition as a graph of its own.
std::unique_ptr<ir::Graph> decomposed(const ir::Op& op) {
  auto graph = std::make_unique<ir::Graph>(std::string(op.name()));
  std::vector<ir::Value> operands;
  for (ir::Value v : op.operands()) operands.push_back(graph->add_input(std::to_string(operands.size()), v.type()));
  ir::Op& twin = graph->insert_copy(op, operands);
  ir::Builder builder(*graph, nullptr, op.locations());
  for (ir::Value result : ir::decompose(builder, twin)) graph->add_output({"", result, {}, {}});
  graph->erase(twin);
  return graph;
}

std::vector<Tensor> run_op(const ir::Op& op, Operands operands) try {
  std::vector<Tensor> results;
  switch (op.def().kind) {
    case ir::Kind::composite: return run(*decomposed(op), operands);
    case ir::Kind::nest:
    case ir::Kind::launch: return run(op.body(), operands);
    case ir::Kind::elementwise: results.push_back(elementwise(op, operands)); break;
    case ir::Kind::reduction: results.push_back(reduction(op, *operands[0])); break;
    case ir::Kind::movement:
    case ir::Kind::view: results.push_back(movement(op, operands)); break;
    case ir::Kind::constant: results.push_back(constant(op.attribute<ir::Dense>("value"))); break;
    case ir::Kind::index: results.push_back(iota(op.result().type(), op.integer("axis"))); break;
    case ir::Kind::heavy: return heavy(op, operands);
    case ir::Kind::loop: return scan(op, operands);
  }
  return results;
} catch (const std::bad_alloc&) {
  // Every element is a double or a 64-bit integer here.
  uint64_t bytes = 0;
  for (ir::Value v : op.results()) bytes += 8 * static_cast<uint64_t>(v.shape().numel());
  throw out_of_memory(
      fmt::format("the reference interpreter, for {} {} at {},", op.name(), to_string(op.result().type()), to_string(op.locations())),
      bytes);
}

/// The values of a running graph; a result is dropped after its last use.
class Frame {
 public:
  Frame(const ir::Graph& graph, Operands inputs) {
    WEFT_CHECK(inputs.size() == graph.inputs().size(), "{} inputs for the {} of '{}'", inputs.size(), graph.inputs().size(), graph.name());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const ir::Value v = graph.inputs()[i].value();
      WEFT_CHECK(inputs[i]->type == v.type(), "input '{}' is {}, not {}", v.name(), to_string(v.type()), to_string(inputs[i]->type));
      inputs_[v] = inputs[i];
    }
    for (const ir::Output& output : graph.outputs()) ++reads_left_[output.value];
  }

  const Tensor* read(ir::Value v) const { return v.is_input() ? inputs_.at(v) : &results_.at(v); }

  void store(ir::Value v, Tensor t) {
    WEFT_CHECK(t.type == v.type(), "{} gave {}, not {}", v.op()->name(), to_string(t.type), to_string(v.type()));
    if ((reads_left_[v] += v.users().size()) > 0) results_[v] = std::move(t);
  }

  void done_reading(ir::Value v) {
    if (!v.is_input() && --reads_left_[v] == 0) results_.erase(v);
  }

 private:
  std::unordered_map<ir::Value, const Tensor*, ir::ValueHash> inputs_;
  std::unordered_map<ir::Value, Tensor, ir::ValueHash> results_;
  std::unordered_map<ir::Value, size_t, ir::ValueHash> reads_left_;
};

}  // namespace

std::vector<Tensor> run(const ir::Graph& graph, Operands inputs) {
  Frame frame(graph, inputs);
  for (const auto& op : graph.ops()) {
    std::vector<const Tensor*> operands;
    for (ir::Value v : op->operands()) operands.push_back(frame.read(v));
    std::vector<Tensor> results = run_op(*op, operands);
    if (observing) (*observing)(*op, operands, results);
    for (size_t i = 0; i < results.size(); ++i) frame.store(op->result(static_cast<int>(i)), std::move(results[i]));
    for (ir::Value v : op->operands()) frame.done_reading(v);
  }
  std::vector<Tensor> outputs;
  for (const ir::Output& output : graph.outputs()) outputs.push_back(*frame.read(output.value));
  return outputs;
}

std::vector<Tensor> evaluate(const ir::Graph& graph, std::span<const Tensor> inputs) {
  std::vector<const Tensor*> pointers;
  for (const Tensor& t : inputs) pointers.push_back(&t);
  return run(graph, pointers);
}

std::vector<Tensor> evaluate(const ir::Graph& graph, std::span<const Tensor> inputs, const Observer& observer) {
  struct Scope {
    const Observer* before = std::exchange(observing, nullptr);
    ~Scope() { observing = before; }
  } scope;
  observing = &observer;
  return evaluate(graph, inputs);
}

}  // namespace weft::reference
