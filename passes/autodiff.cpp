#include "weft/passes/autodiff.h"

#include "weft/passes/reverse.h"
#include "weft/passes/train_block.h"

namespace weft::passes {
namespace {

using ir::Value;

ir::Locations lines_of(Value v) {
  return v.is_input() ? v.graph()->inputs()[static_cast<size_t>(v.index())].locations : v.op()->locations();
}

/// The gradients, null where none flows.
std::vector<Value> flowing_gradients(ir::Graph& graph, Value y, std::span<const Value> xs, Value seed) {
  if (!is_floating(y.dtype()) || y.shape().rank() != 0)
    throw Error("only a floating scalar can be differentiated, not {}; reduce it first (sum or mean)", to_string(y.type()))
        .at(to_string(lines_of(y)));
  ir::Builder builder(graph, nullptr, lines_of(y).in(ir::Phase::backward));
  Reverse reverse(graph, xs);
  reverse.seed(y, seed ? seed : builder.splat(y.type(), 1));
  reverse.run();
  std::vector<Value> result;
  for (Value x : xs) result.push_back(reverse.gradient(x));
  return result;
}

}  // namespace

std::vector<Value> gradients(ir::Graph& graph, Value y, std::span<const Value> xs, Value seed) {
  std::vector<Value> result = flowing_gradients(graph, y, xs, seed);
  for (size_t i = 0; i < xs.size(); ++i)
    if (!result[i]) result[i] = ir::Builder(graph, nullptr, lines_of(xs[i]).in(ir::Phase::backward)).zeros_like(xs[i]);
  return result;
}

bool autodiff(ir::Module& module) {
  if (!module.train) return false;
  check_train_block(module);
  ir::Graph& graph = module.graph();
  const ir::Output* loss = graph.find_output(module.train->loss);
  std::vector<Value> xs;
  for (const std::string& name : module.train->all_inputs()) xs.push_back(graph.find_input(name)->value());
  const std::vector<Value> dx = flowing_gradients(graph, loss->value, xs, {});
  std::string unreached;
  for (size_t i = 0; i < xs.size(); ++i)
    if (!dx[i]) unreached += fmt::format("\n  '{}', at {}", xs[i].name(), to_string(lines_of(xs[i])));
  if (!unreached.empty())
    throw at_entry(module,
                   Error("the loss '{}' does not depend differentiably on these parameters, so they cannot be trained; leave "
                         "them out of the trained parameters, or check the path to the loss:{}",
                         module.train->loss, unreached),
                   {"inputs " + xs[static_cast<size_t>(std::find(dx.begin(), dx.end(), Value()) - dx.begin())].name()});
  for (size_t i = 0; i < xs.size(); ++i) {
    const std::string name = xs[i].name() + ".grad";
    if (const ir::Output* taken = graph.find_output(name))
      throw Error("the output '{}' at {} has the name that the gradient of '{}' takes", name, to_string(taken->locations), xs[i].name())
          .hint("rename it");
    graph.add_output({name, dx[i], std::nullopt, lines_of(xs[i])});
  }
  return true;
}

}  // namespace weft::passes
