#include "weft/tests/backends/cpu/run.h"

#include <cstring>
#include <set>
#include <sstream>

#include "weft/backends/reference/reference.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/support/philox.h"
#include "weft/tests/catch.h"
#include "weft/tests/close.h"

namespace weft::test {
namespace {

std::vector<KernelText> kernels_of(const std::string& text) {
  ir::Module m = ir::parse(text);
  passes::run(m, passes::pipeline("compile"), cpu::target());
  std::vector<KernelText> kernels;
  cpu::compile(m, {}, &kernels);
  return kernels;
}

ir::Module training_module(const std::string& text) {
  ir::Module m = ir::parse(text);
  passes::run(m, passes::pipeline("step"), cpu::target());
  return m;
}

}  // namespace

std::vector<Array> sample_inputs(const std::string& text, uint64_t seed) {
  ir::Module m = training_module(text);
  passes::run(m, {"decompose", "dce"}, cpu::target());
  std::vector<Array> all;
  for (const ir::Input& input : m.graph().inputs()) {
    Array a(input.node->type.dtype, input.node->type.shape);
    const bool positive = a.shape().rank() == 0 || input.role == ir::Role::state;
    for (int64_t e = 0; e < a.shape().numel(); ++e) {
      const double u = uniform_from_bits(random_bits(seed, static_cast<uint32_t>(all.size()), 0, static_cast<uint64_t>(e)));
      if (!is_floating(a.dtype())) a.set(e, a.dtype() == boolean ? u > 0.5 : std::floor(u * 8));
      else a.set(e, positive ? 0.1 + 0.8 * u : 2 * u - 0.7);
    }
    all.push_back(std::move(a));
  }
  return all;
}

Outputs run(Program& program, std::vector<Array> inputs) {
  std::vector<std::byte*> pointers;
  for (Array& a : inputs) pointers.push_back(a.data());
  program.run(pointers);
  Outputs result;
  for (size_t i = 0; i < program.outputs().size(); ++i) {
    const Port& port = program.outputs()[i];
    Array value(port.dtype, port.shape);
    std::memcpy(value.data(), program.output(static_cast<int>(i)), value.bytes());
    result.names.push_back(port.name);
    result.values.push_back(std::move(value));
  }
  return result;
}

Outputs run_cpu(const std::string& text, std::vector<Array> inputs, const RunSetup& setup) {
  ir::Module m = ir::parse(text);
  passes::run(m, setup.passes.empty() ? passes::pipeline("compile") : setup.passes, cpu::target());
  const auto program = cpu::compile(m, setup.options);
  return run(*program, std::move(inputs));
}

std::string kernel_of(const std::string& text) {
  const std::vector<KernelText> kernels = kernels_of(text);
  REQUIRE(kernels.size() == 1);
  return kernels[0].as(CodeKind::llvm_ir);
}

size_t kernel_functions(const std::string& text) {
  std::set<std::string> functions;
  for (const KernelText& kernel : kernels_of(text)) {
    std::istringstream lines(kernel.as(CodeKind::llvm_ir));
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("define ")) functions.insert(line.substr(0, line.find('(')));
  }
  return functions.size();
}

Outputs run_reference(const std::string& text, std::vector<Array> inputs) {
  ir::Module m = training_module(text);
  passes::run(m, {"decompose", "dce"}, cpu::target());
  const auto program = reference::compile(m);
  return run(*program, std::move(inputs));
}

double relative_difference(const Array& a, const Array& b) {
  const auto values = [](const Array& array) {
    std::vector<double> all;
    for (int64_t e = 0; e < array.shape().numel(); ++e) all.push_back(array.at(e));
    return all;
  };
  return relative_difference(values(a), values(b));
}

bool same_bits(const Outputs& a, const Outputs& b) {
  if (a.names != b.names) return false;
  for (size_t i = 0; i < a.values.size(); ++i)
    if (std::memcmp(a.values[i].data(), b.values[i].data(), a.values[i].bytes()) != 0) return false;
  return true;
}

}  // namespace weft::test
