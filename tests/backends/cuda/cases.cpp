#include "weft/tests/backends/cuda/cases.h"

#include "weft/ir/ops/loop.h"
#include "weft/passes/loops.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/refused.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"
#include "weft/tests/random/random_graph.h"
#include "weft/weft.h"

namespace weft::test {
namespace {

struct Net : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(28 * 28, 512));
  nn::Linear fc2 = add("fc2", nn::Linear(512, 512));
  nn::Linear fc3 = add("fc3", nn::Linear(512, 10));
  Tensor forward(Tensor x) override { return fc3(relu(fc2(relu(fc1(flatten(x)))))); }
};

void plan(ir::Module& module) {
  passes::run(module, {"autocast", "autodiff", "training_step", "decompose"}, cpu::target());
  write_out_loops(module);
  passes::run(module, passes::remaining_passes(module), cpu::target());
}

PtxCase case_of(std::string name, ir::Module planned) {
  auto module = std::make_shared<const ir::Module>(std::move(planned));
  cuda::Ptx ptx = cuda::emit_ptx(*module);
  return {std::move(name), std::move(module), std::move(ptx)};
}

}  // namespace

ir::Module fashion_mnist(bool adam) {
  Net net;
  Graph graph("fashion_mnist");
  const Tensor x = graph.input("x", f32, {64, 1, 28, 28}), y = graph.input("y", i64, {64});
  const Tensor logits = net.forward(x);
  const Tensor loss = graph.output("loss", cross_entropy(logits, y));
  graph.output("accuracy", mean(cast(argmax(logits, 1) == y, f32)));
  const Recorded recorded = adam ? training_step(graph, loss, net.parameters(), optim::Adam({.lr = 1e-3}))
                                 : training_step(graph, loss, net.parameters(), optim::SGD({.lr = 1e-3}));
  ir::Module module = recorded.module.clone();
  plan(module);
  return module;
}

void write_out_loops(ir::Module& module) {
  for (bool found = true; found;) {
    found = false;
    for (ir::Op* op : module.graph().editable_ops()) {
      if (!ir::is_loop(*op)) continue;
      passes::write_out(*op);
      found = true;
    }
  }
}

const std::vector<PtxCase>& fashion_mnist_cases() {
  static const std::vector<PtxCase> all = {case_of("02_fashion_mnist, SGD", fashion_mnist(false)),
                                           case_of("02_fashion_mnist, Adam", fashion_mnist(true))};
  return all;
}

const std::vector<PtxCase>& program_cases() {
  static const std::vector<PtxCase> all = [] {
    std::vector<PtxCase> cases;
    for (const testing::NamedProgram& program : testing::programs())
      for (const std::string dtype : {"f32", cases.size() % 4 == 0 ? "f64" : "bf16"}) {
        ir::Module module = testing::module_from(program.with(dtype));
        plan(module);
        cases.push_back(case_of(program.name + ", " + dtype, std::move(module)));
      }
    return cases;
  }();
  return all;
}

const std::vector<PtxCase>& random_cases() {
  static const std::vector<PtxCase> all = [] {
    std::vector<PtxCase> cases;
    for (uint64_t seed = 0; seed < 16; ++seed) {
      ir::Module module = random_module(seed);
      plan(module);
      if (!is_refused(module.graph())) cases.push_back(case_of("random graph " + std::to_string(seed), std::move(module)));
    }
    return cases;
  }();
  return all;
}

std::vector<PtxCase> all_cases() {
  std::vector<PtxCase> all;
  for (const auto* cases : {&fashion_mnist_cases(), &program_cases(), &random_cases()}) all.insert(all.end(), cases->begin(), cases->end());
  return all;
}

}  // namespace weft::test
