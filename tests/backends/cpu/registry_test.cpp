// Every op of the registry on the cpu against the reference (backends/reference/agreement.h): inputs are moved by one ulp. With the
// environment variable WEFT_OP, only the op of that name.

#include <cmath>
#include <cstdlib>

#include "weft/backends/reference/agreement.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/support/conversion.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/samples.h"

using namespace weft;
using reference::disagreement;
using reference::Tensor;
using testing::Sample;

namespace {

double ulp_of(DType t) { return t == f64 ? 0x1p-52 : t == f32 ? 0x1p-23 : t == f16 ? 0x1p-10 : 0x1p-7; }

std::vector<Tensor> through_memory(const std::vector<Tensor>& values) {
  std::vector<Tensor> rounded;
  for (const Tensor& t : values) {
    Array a(t.type.dtype, t.type.shape);
    reference::to_memory(t, a.data());
    rounded.push_back(reference::from_memory(t.type, a.data()));
  }
  return rounded;
}

std::vector<Tensor> moved(std::vector<Tensor> values) {
  for (Tensor& t : values)
    for (size_t e = 0; e < t.real.size(); ++e) t.real[e] *= 1 + (e % 2 ? 1 : -1) * ulp_of(t.type.dtype);
  return values;
}

std::vector<Tensor> run_cpu(const Sample& sample, const std::vector<Tensor>& inputs) {
  ir::Module m = testing::module_of(sample);
  passes::run(m, passes::pipeline("compile"), cpu::target());
  const auto program = cpu::compile(m);
  std::vector<Array> memory;
  std::vector<std::byte*> pointers;
  for (const Tensor& t : inputs) {
    memory.emplace_back(t.type.dtype, t.type.shape);
    reference::to_memory(t, memory.back().data());
  }
  // dce may have dropped hyper-parameters that nothing reads: inputs go by name.
  for (const Port& port : program->inputs())
    for (size_t i = 0; i < memory.size(); ++i)
      if (testing::module_of(sample).graph().input(static_cast<int>(i)).name() == port.name) pointers.push_back(memory[i].data());
  REQUIRE(pointers.size() == program->inputs().size());
  program->run(pointers);
  std::vector<Tensor> results;
  for (size_t i = 0; i < program->outputs().size(); ++i)
    results.push_back(
        reference::from_memory({program->outputs()[i].dtype, program->outputs()[i].shape}, program->output(static_cast<int>(i))));
  return results;
}

void check_agreement(const Sample& sample) {
  const std::vector<Tensor> inputs = through_memory(testing::values_of(sample));
  const ir::Module module = testing::module_of(sample);
  const auto want = reference::evaluate(module.graph(), inputs), near = reference::evaluate(module.graph(), moved(inputs));
  const auto got = run_cpu(sample, inputs);
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    for (size_t e = 0; e < want[i].real.size(); ++e) CHECK(std::isnan(got[i].real[e]) == std::isnan(want[i].real[e]));
    const Tensor* const moved[] = {&near[i]};
    const double bound = ir::op_def(sample.op).error_ulps * ulp_of(want[i].type.dtype);
    const double absolute = reference::rounding_at_zero(want[i].type.dtype);
    CHECK(disagreement(got[i], want[i], moved, {.bound = bound, .absolute = absolute}).value_or("") == "");
  }
}

}  // namespace

TEST_CASE("every op on the cpu agrees with the reference") {
  const char* only = std::getenv("WEFT_OP");
  int checked = 0;
  for (DType floating : {f32, f64, f16, bf16})
    for (const Sample& sample : testing::samples(floating)) {
      if (only && sample.op != only) continue;
      INFO(testing::to_string(sample));
      check_agreement(sample);
      ++checked;
    }
  CHECK(checked > 0);
}

TEST_CASE("in narrow types an elementwise op rounds once, where it ends") {
  const DType type = GENERATE(f16, bf16);
  const std::vector<Sample> narrow = testing::samples(type), wide = testing::samples(f32);
  REQUIRE(narrow.size() == wide.size());
  int compared = 0;
  for (size_t i = 0; i < narrow.size(); ++i) {
    if (!ir::op_def(narrow[i].op).is_elementwise() || testing::module_of(narrow[i]).graph().outputs()[0].value.type().dtype != type)
      continue;
    INFO(testing::to_string(narrow[i]));
    const std::vector<Tensor> inputs = through_memory(testing::values_of(narrow[i]));
    std::vector<Tensor> widened = inputs;
    for (size_t k = 0; k < inputs.size(); ++k) widened[k].type = wide[i].operands[k];
    const auto got = run_cpu(narrow[i], inputs), want = run_cpu(wide[i], widened);
    for (size_t e = 0; e < want[0].real.size(); ++e) CHECK(got[0].real[e] == rounded(type, want[0].real[e]));
    ++compared;
  }
  CHECK(compared > 10);
}
