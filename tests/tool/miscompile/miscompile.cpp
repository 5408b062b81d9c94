// A compiler with a fault, to be found: miscompile FAULT FILE has a pass that is wrong run on a program and ends with 0 where the
// reference then computes something else, with 1 where not.
//
//   product    a * (b + c) where b is a hyperbolic tangent, is taken for a * b + c
//   transpose  in a training step, the transpose of a product's first factor is forgotten where that is square

#include <fmt/format.h>

#include <cmath>

#include "weft/backends/reference/reference.h"
#include "weft/ir/builder.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/support/philox.h"

using namespace weft;

namespace {

bool made_by(ir::Value v, std::string_view op) { return !v.is_input() && v.op()->is(op); }

void spoil_products(ir::Graph& graph) {
  for (ir::Op* op : graph.op_list()) {
    if (!op->is("mul") || !made_by(op->operand(1), "add")) continue;
    const ir::Op& sum = *op->operand(1).op();
    if (!made_by(sum.operand(0), "tanh")) continue;
    ir::Builder b(graph, op);
    op->result().replace_all_uses_with(b("add", {b("mul", {op->operand(0), sum.operand(0)}), sum.operand(1)}));
  }
}

void spoil_transposes(ir::Graph& graph) {
  for (ir::Op* op : graph.op_list()) {
    if (!op->is("matmul") || !op->flag("transpose_a")) continue;
    const ir::Value a = op->operand(0);
    if (a.shape()[0] == a.shape()[1]) op->set_attribute("transpose_a", false);
  }
}

reference::Tensor drawn(const ir::Type& type, uint32_t input) {
  reference::Tensor t(type);
  for (size_t i = 0; i < t.real.size(); ++i) t.real[i] = 0.5 * uniform_from_bits(random_bits(1, input, 0, i)) - 0.25;
  return t;
}

bool differ(const reference::Tensor& a, const reference::Tensor& b) {
  for (size_t i = 0; i < a.real.size(); ++i)
    if (std::abs(a.real[i] - b.real[i]) > 1e-9 * (1 + std::abs(a.real[i]))) return true;
  return false;
}

bool computes_something_else(ir::Module& module, void (*spoil)(ir::Graph&)) {
  std::vector<reference::Tensor> inputs;
  for (const ir::Input& input : module.graph().inputs()) inputs.push_back(drawn(input.node->type, static_cast<uint32_t>(inputs.size())));
  const std::vector<reference::Tensor> right = reference::evaluate(module.graph(), inputs);
  spoil(module.graph());
  const std::vector<reference::Tensor> wrong = reference::evaluate(module.graph(), inputs);
  for (size_t i = 0; i < right.size(); ++i)
    if (differ(right[i], wrong[i])) return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    ir::Module module = ir::parse_file(argv[2]);
    if (module.train) passes::run(module, {"autodiff", "training_step", "decompose"}, passes::generic_target());
    return computes_something_else(module, std::string_view(argv[1]) == "product" ? spoil_products : spoil_transposes) ? 0 : 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 3;
  }
}
