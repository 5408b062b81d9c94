// Every generated kernel, executed: the bits of the CPU's kernels, and no fault of any kind.

#include <algorithm>
#include <set>
#include <span>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/cases.h"
#include "weft/tests/backends/cuda/proof.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/samples.h"
#include "weft/tests/ptx/machine.h"

using namespace weft;

namespace {

/// A kernel of two nests, the second of which adds up what the first computes.
ir::Module two_nests() {
  ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[70,40]
  %0 = sum(%x) {axes = [1]} : f32[70]
  %1 = sum(%0) {axes = [0]} : f32[]
  output y = %1
}
)");
  passes::run(module, {"fuse", "launch"}, cpu::target());
  return module;
}

/// What the machine says of that text of the module's only kernel; empty: nothing.
std::string fault_of(const ir::Module& module, const cuda::Ptx& ptx, const std::string& text) {
  test::ptx::Machine machine(text);
  test::ptx::Launch launch{.kernel = ptx.kernels[0].name, .threads = {96}};
  const ir::Op& op = *module.graph().ops().front();
  std::vector<uint64_t> table;
  for (ir::Value v : op.operands())
    table.push_back(machine.memory().allocate("operand", std::vector<std::byte>(static_cast<size_t>(v.type().bytes()))));
  for (ir::Value v : op.results()) table.push_back(machine.memory().allocate("result", static_cast<uint64_t>(v.type().bytes())));
  const auto bytes = std::as_bytes(std::span(table));
  launch.params.assign(bytes.begin(), bytes.end());
  try {
    machine.launch(launch);
    return "";
  } catch (const test::ptx::Fault& fault) {
    return fault.what();
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("ptx: the machine notices what is wrong in a generated kernel", "[cuda][ptx-machine]") {
  const ir::Module module = two_nests();
  const cuda::Ptx ptx = cuda::emit_ptx(module);
  REQUIRE(module.graph().ops().size() == 1);
  CHECK(fault_of(module, ptx, ptx.text) == "");
  CHECK_THAT(fault_of(module, ptx, replaced(ptx.text, "bar.sync", "// bar.sync")), contains_text("nobody has written it"));
}

TEST_CASE("ptx: kernels of whole programs compute the bits of the CPU's", "[cuda][ptx-machine]") {
  test::Proof proof;
  for (const test::PtxCase& c : test::all_cases()) {
    INFO(c.name);
    proof += test::prove(*c.module, c.ptx);
  }
  CHECK(proof.kernels > 60);
}

/// Every sample in f32, those with extents of 0 and 1 too; of the other types one of each op.
TEST_CASE("ptx: every op of the registry computes the bits of the CPU's", "[cuda][ptx-machine]") {
  test::Proof proof;
  std::set<std::pair<std::string, DType>> done;
  for (DType floating : {f32, f64, bf16})
    for (const testing::Sample& sample : testing::samples(floating)) {
      const bool has_no_code = floating == f64 && (sample.op == "sin" || sample.op == "cos" || sample.op == "random_normal");
      const bool is_first = done.emplace(sample.op, floating).second;
      if (has_no_code || !(is_first || floating == f32)) continue;
      INFO(testing::to_string(sample));
      ir::Module module = testing::module_of(sample);
      passes::run(module, passes::pipeline("compile"), cpu::target());
      const auto& ops = module.graph().ops();
      if (std::none_of(ops.begin(), ops.end(), [](const auto& op) { return op->def().is_region(); })) continue;
      proof += test::prove(module, cuda::emit_ptx(module));
    }
  CHECK(proof.kernels > 1000);
}
