// What a training step is on a GPU, in the lessons' shapes: how many products, convolutions and kernels it calls and launches, and why no two
// kernels of which one reads what the other writes are one. No GPU is needed to compile.

#include <algorithm>
#include <map>
#include <set>

#include <fmt/ranges.h>

#include "weft/backends/cuda/cuda.h"
#include "weft/ir/op_def.h"
#include "weft/passes/fuse.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/nets.h"

using namespace weft;

namespace {

using Net = test::NetTraining::Net;

/// Of a step: its calls, what they launch, and the boundaries between two of them, by what keeps these apart.
struct Calls {
  std::map<std::string, int> calls;
  int launches = 0;
  std::map<std::string, int> boundaries;
  bool operator==(const Calls&) const = default;
};

std::string text_of(const Calls& s) { return fmt::format("{{{}, {}, {}}}", s.calls, s.launches, s.boundaries); }

/// The compiler's reasons, by what they have in common.
const std::vector<std::pair<std::string, std::string>>& reasons() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"is a call of the target's own", "heavy op"},
      {"is no loop over its elements", "view"},
      {"another op must run between them", "op between"},
      {"does not fit the loops", "other loops"},
      {"has other loops", "other loops"},
      {"the nest would have too many ops", "too long"},
      {"would be computed twice", "computed twice"},
      {"is too dear to be computed", "computed twice"},
      {"a view of the old value is read", "old value read"},
      {"the constant's unequal elements are memory", "constant"},
  };
  return all;
}

std::string reason_of(const std::string& why) {
  for (const auto& [words, reason] : reasons())
    if (why.find(words) != std::string::npos) return reason;
  return why;
}

Recorded recorded(const Net& net) {
  manual_seed(7);
  const nn::AnyModule module = net.make();
  const optim::Optimizer optimizer = net.adam ? optim::Optimizer(optim::AdamW({.lr = 1e-2})) : optim::Optimizer(optim::SGD({.lr = 1e-2}));
  Graph graph("train");
  std::vector<Tensor> inputs;
  for (const test::NetTraining::Fed& fed : net.inputs) inputs.push_back(graph.input(fed.name, fed.dtype, Shape(fed.shape)));
  const Tensor loss = graph.output("loss", net.loss(*module, inputs));
  return training_step(graph, loss, module->parameters(), optimizer);
}

std::string label(const passes::Remark::Of& of) { return fmt::format("{} {} ({})", of.op, to_string(of.type), to_string(of.locations)); }
std::string label(const ir::Op& op) { return label(passes::Remark::Of(op, op.result().type())); }

/// A kernel or a call, and another one that reads what it makes.
using Boundary = std::pair<const ir::Op*, const ir::Op*>;

bool runs(const ir::Op& op) { return op.def().kind != ir::Kind::view && op.def().kind != ir::Kind::constant; }

/// Of a fused graph, those that are kernels or calls and read each other's results, views between them looked through.
std::set<Boundary> boundaries(const ir::Graph& graph) {
  std::set<Boundary> all;
  for (const auto& op : graph.ops()) {
    if (!runs(*op)) continue;
    for (ir::Value v : op->operands()) {
      while (!v.is_input() && !runs(*v.op()) && !v.op()->operands().empty()) v = v.op()->operand(0);
      if (!v.is_input() && runs(*v.op())) all.emplace(v.op(), op);
    }
  }
  return all;
}

/// The names, with types and lines, of the ops that a kernel or a call is made of.
std::set<std::string> labels(const ir::Op& op) {
  std::set<std::string> all;
  if (op.def().is_region())
    for (const ir::Op* inside : op.body().ops()) all.insert(label(*inside));
  else
    for (const ir::Value v : op.results()) all.insert(label(passes::Remark::Of(op, v.type())));
  return all;
}

/// Those of the boundaries that no remark is about.
std::vector<std::string> unexplained(const std::set<Boundary>& boundaries, const std::vector<passes::Remark>& remarks) {
  std::vector<std::string> all;
  for (const auto& [maker, reader] : boundaries) {
    const std::set<std::string> makers = labels(*maker), readers = labels(*reader);
    const auto is_about = [&](const passes::Remark& r) {
      return !r.beside && makers.contains(label(r.of)) && readers.contains(label(*r.other)) && !r.why.empty() && r.bytes > 0;
    };
    if (std::none_of(remarks.begin(), remarks.end(), is_about)) all.push_back(label(*maker) + " -> " + label(*reader));
  }
  return all;
}

Calls compiled(const Net& net) {
  ir::Module module = recorded(net).module.clone();
  std::vector<std::string> before = passes::pipeline("compile");
  const auto fuse = std::find(before.begin(), before.end(), "fuse");
  const std::vector<std::string> after(fuse + 1, before.end());
  before.erase(fuse, before.end());
  passes::run(module, before, cuda::target());
  passes::Remarks said;
  passes::fuse(module, cuda::target(), &said);
  const std::vector<passes::Remark>& remarks = said.all();
  module.stage = "fuse";
  Calls step;
  for (const passes::Remark& remark : remarks)
    if (!remark.beside) ++step.boundaries[reason_of(remark.why)];
  const std::set<Boundary> all = boundaries(module.graph());
  CHECK(unexplained(all, remarks) == std::vector<std::string>{});
  CHECK(std::count_if(remarks.begin(), remarks.end(), [](const auto& r) { return !r.beside; }) == static_cast<int>(all.size()));
  passes::run(module, after, cuda::target());
  for (const auto& op : module.graph().ops())
    if (op->def().is_region() || op->def().kind == ir::Kind::heavy)
      ++step.calls[op->def().is_region() ? "kernel" : std::string(op->name())];
  for (const CallDescriptor& call : cuda::lower(module, "sm_80").calls) step.launches += static_cast<int>(call.list("blocks").size());
  return step;
}

std::vector<test::NetTraining::Fed> pictures(Dims shape) {
  const int64_t batch = shape[0];
  return {{"x", f32, std::move(shape), -1, 1}, {"y", i64, {batch}, 0, 10}};
}

/// The lessons' nets, with their batches.
std::vector<Net> lessons() {
  using namespace nn;
  const auto classified = [](Module& net, std::span<const Tensor> in) { return cross_entropy(net(in[0]), in[1]); };
  const auto fashion = [] { return AnyModule(Sequential(Flatten(), Linear(784, 512), ReLU(), Linear(512, 512), ReLU(), Linear(512, 10))); };
  const Dims small = {32, 1, 28, 28}, colour = {64, 3, 32, 32};
  std::vector<Net> all;
  all.push_back({"02", pictures({64, 1, 28, 28}), classified, fashion, false});
  all.push_back({"02, AdamW", pictures({64, 1, 28, 28}), classified, fashion});
  all.push_back({"03, batch norm", pictures(small), classified,
                 [] { return AnyModule(Sequential(Flatten(), Linear(784, 32), BatchNorm1d(32), ReLU(), Linear(32, 10))); }, false});
  all.push_back({"03, dropout", pictures(small), classified,
                 [] { return AnyModule(Sequential(Flatten(), Linear(784, 32), ReLU(), Dropout(0.3), Linear(32, 10))); }, false});
  all.push_back({"04, conv", pictures(colour), classified,
                 [] {
                   return AnyModule(Sequential(Conv2d(3, 32, 5, {.padding = 2}), ReLU(), Conv2d(32, 16, 3, {.padding = 1}), ReLU(),
                                               Flatten(), Linear(16 * 32 * 32, 10)));
                 },
                 false});
  all.push_back({"04, challenge", pictures(colour), classified,
                 [] {
                   return AnyModule(Sequential(Conv2d(3, 32, 3, {.padding = 1}), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, {.padding = 1}),
                                               ReLU(), MaxPool2d(2), Dropout2d(0.2), Flatten(), Linear(4096, 512), ReLU(), Dropout(0.5),
                                               Linear(512, 10)));
                 },
                 false});
  all.push_back(test::net_named("gpt"));
  return all;
}

}  // namespace

TEST_CASE("gpu: calls and launches of a step are pinned, with what keeps them apart") {
  const std::map<std::string, Calls> pinned = {
      {"02", {{{"kernel", 5}, {"matmul", 8}}, 18, {{"heavy op", 14}, {"op between", 2}, {"other loops", 2}}}},
      {"02, AdamW", {{{"kernel", 7}, {"matmul", 8}}, 19, {{"heavy op", 17}, {"op between", 2}, {"other loops", 2}}}},
      {"03, batch norm", {{{"kernel", 3}, {"matmul", 5}}, 9, {{"heavy op", 9}, {"op between", 1}, {"other loops", 2}}}},
      {"03, dropout", {{{"kernel", 3}, {"matmul", 5}}, 9, {{"heavy op", 9}, {"op between", 1}, {"other loops", 2}}}},
      {"04, conv",
       {{{"convolution", 2}, {"convolution_data", 1}, {"convolution_weight", 2}, {"kernel", 6}, {"matmul", 3}},
        20,
        {{"heavy op", 16}, {"op between", 2}, {"other loops", 2}}}},
      {"04, challenge",
       {{{"convolution", 2}, {"convolution_data", 1}, {"convolution_weight", 2}, {"kernel", 11}, {"matmul", 6}},
        28,
        {{"heavy op", 22}, {"op between", 7}, {"other loops", 4}, {"view", 2}}}},
      {"gpt",
       {{{"attention", 1}, {"attention_gradient", 1}, {"gather", 2}, {"kernel", 26}, {"matmul", 33}, {"scatter_add", 2}},
        71,
        {{"heavy op", 99}, {"op between", 16}, {"other loops", 7}, {"too long", 7}, {"view", 3}}}},
  };
  for (const Net& net : lessons()) {
    const Calls step = compiled(net);
    INFO(net.name << " is " << text_of(step));
    CHECK(step == pinned.at(net.name));
  }
}
