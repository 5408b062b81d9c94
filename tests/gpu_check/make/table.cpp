// Kernels and products that fill a GPU: large enough that nothing of an operand is left in a cache from the call before.

#include <fmt/format.h>

#include "weft/tests/gpu_check/make/measured.h"

namespace weft::gpu_check {
namespace {

struct Entry {
  std::string name;
  DType dtype;
  std::vector<Shape> operands;
  std::function<Tensor(std::span<const Tensor>)> make;
};

using In = std::span<const Tensor>;

constexpr int64_t large = int64_t{1} << 26, rows = 16384, columns = 4096;

std::vector<Entry> memory_bound() {
  std::vector<Entry> all;
  for (const DType t : {f32, bf16}) {
    all.push_back({"copy", t, {{large}}, [](In x) { return -x[0]; }});
    all.push_back({"add", t, {{large}, {large}}, [](In x) { return x[0] + x[1]; }});
    all.push_back({"gelu", t, {{large}}, [](In x) { return gelu(x[0]); }});
    all.push_back({"bias and relu", t, {{rows, columns}, {columns}}, [](In x) { return relu(x[0] + x[1]); }});
    all.push_back({"softmax of rows", t, {{rows, columns}}, [](In x) { return softmax(x[0], -1); }});
    all.push_back(
        {"layer norm of rows", t, {{rows, columns}, {columns}, {columns}}, [](In x) { return layer_norm(x[0], {columns}, x[1], x[2]); }});
    all.push_back({"sum of all", t, {{large}}, [](In x) { return sum(x[0]); }});
    all.push_back({"sum of rows", t, {{rows, columns}}, [](In x) { return sum(x[0], {1}); }});
    all.push_back({"sum of columns", t, {{rows, columns}}, [](In x) { return sum(x[0], {0}); }});
    all.push_back({"transpose", t, {{8192, 8192}}, [](In x) { return transpose(x[0]) * 2.0; }});
  }
  return all;
}

std::vector<Entry> products() {
  std::vector<Entry> all;
  const auto plain = [](In x) { return matmul(x[0], x[1]); };
  const auto turned = [](In x) { return matmul(x[0], transpose(x[1])); };
  for (const DType t : {f32, bf16}) {
    for (const int64_t n : {1024, 4096, 8192}) all.push_back({"matmul", t, {{n, n}, {n, n}}, plain});
    all.push_back({"matmul", t, {{8192, 768}, {768, 3072}}, plain});
    all.push_back({"linear", t, {{8192, 768}, {3072, 768}}, turned});
    all.push_back({"linear", t, {{64, 784}, {512, 784}}, turned});
    all.push_back({"batched matmul", t, {{96, 1024, 64}, {96, 1024, 64}}, turned});
  }
  all.push_back({"conv2d 3x3", f32, {{64, 64, 56, 56}, {64, 64, 3, 3}}, [](In x) { return conv2d(x[0], x[1], {.padding = 1}); }});
  return all;
}

void add(Maker& maker, const Entry& entry, const std::string& kind) {
  const std::string precision(name_of(entry.dtype));
  std::string name = kind + "/" + entry.name;
  for (const Shape& shape : entry.operands) name += " " + precision + to_string(shape);
  if (!maker.wants(name)) return;
  Graph graph("measured");
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < entry.operands.size(); ++i) inputs.push_back(graph.input(fmt::format("x{}", i), entry.dtype, entry.operands[i]));
  graph.output("y", entry.make(inputs));
  const Target target = maker.target();
  const std::string file = maker.file_for(name);
  write_function(maker, file, planned(Recorded(graph).module, target), target, true);
  maker.add(measured_from(maker, name, file, kind, precision));
}

/// The update of GPT-2's 124 million parameters, as if they were one. The loss is what has a given gradient.
void add_adamw(Maker& maker) {
  constexpr int64_t parameters = 124439808;
  const std::string name = fmt::format("memory/adamw f32[{}]", parameters);
  if (!maker.wants(name)) return;
  const Parameter w("w", Array(f32, Shape{parameters})), g("g", Array(f32, Shape{parameters}));
  Graph graph("adamw");
  const Tensor loss = graph.output("loss", sum(w * g));
  const Step step = compile(training_step(graph, loss, {w}, optim::AdamW({.lr = 1e-3})), maker.target());
  const std::string file = maker.file_for(name);
  step.save(maker.path(file, ".weftprog"));
  maker.add(measured_from(maker, name, file, "memory", "f32"));
}

}  // namespace

void add_table(Maker& maker) {
  if (maker.options().small) {
    add(maker, {"copy", f32, {{4096}}, [](In x) { return -x[0]; }}, "memory");
    add(maker, {"matmul", f32, {{32, 32}, {32, 32}}, [](In x) { return matmul(x[0], x[1]); }}, "product");
    return;
  }
  for (const Entry& entry : memory_bound()) add(maker, entry, "memory");
  add_adamw(maker);
  for (const Entry& entry : products()) add(maker, entry, "product");
}

}  // namespace weft::gpu_check
