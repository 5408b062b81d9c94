// Every generated kernel, executed: the bits of the CPU's kernels, and no fault of any kind.

#include <algorithm>
#include <numeric>
#include <set>
#include <span>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/cases.h"
#include "weft/tests/backends/cuda/proof.h"
#include "weft/tests/backends/cuda/refused.h"
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

/// What the machine says of that text of the module's only kernel, whose operands are 1, 2, 3, ... as f32; then whether the first
/// result's first bytes are others than those of the text that was generated; empty: nothing.
std::string fault_of(const ir::Module& module, const cuda::Ptx& ptx, const std::string& text) {
  const auto run = [&](const std::string& of_text) {
    test::ptx::Machine machine(of_text);
    const ir::Op& op = *module.graph().ops().front();
    std::vector<uint64_t> table;
    for (ir::Value v : op.operands()) {
      std::vector<float> numbers(static_cast<size_t>(v.type().bytes()) / 4);
      std::iota(numbers.begin(), numbers.end(), 1.0f);
      table.push_back(machine.memory().allocate("operand", std::as_bytes(std::span(numbers))));
    }
    for (ir::Value v : op.results()) table.push_back(machine.memory().allocate("result", static_cast<uint64_t>(v.type().bytes())));
    const auto bytes = std::as_bytes(std::span(table));
    for (const cuda::KernelLaunch& l : ptx.kernels[0].launches)
      machine.launch({.kernel = l.name, .blocks = {l.blocks}, .threads = {l.threads}, .params = {bytes.begin(), bytes.end()}, .seed = 3});
    const auto contents = machine.memory().at(table.back()).contents();
    return std::vector<std::byte>(contents.begin(), contents.end());
  };
  try {
    return run(text) == run(ptx.text) ? "" : "other bits";
  } catch (const test::ptx::Fault& fault) {
    return fault.what();
  }
}

/// The module's one nest, as a kernel of its own.
ir::Module one_nest(const std::string& lines) {
  ir::Module module = ir::parse("weft 1\nfunc @f {\n" + lines + "}\n");
  passes::run(module, {"decompose", "fuse"}, cpu::target());
  REQUIRE(module.graph().ops().size() == 1);
  return module;
}

/// Is every one of these planted faults noticed, each wherever the text has it?
void check_noticed(const ir::Module& module, const std::vector<std::pair<std::string, std::string>>& faults) {
  const cuda::Ptx ptx = cuda::emit_ptx(module);
  REQUIRE(fault_of(module, ptx, ptx.text) == "");
  for (const auto& [what, by] : faults) {
    size_t places = 0;
    for (size_t at = ptx.text.find(what); at != std::string::npos; at = ptx.text.find(what, at + 1), ++places) {
      std::string text = ptx.text;
      text.replace(at, what.size(), by);
      INFO("'" << by << "' for '" << what << "', place " << places << "\n" << text);
      CHECK(fault_of(module, ptx, text) != "");
    }
    INFO(what << " in\n" << ptx.text);
    CHECK(places > 0);
  }
}

}  // namespace

TEST_CASE("ptx: the machine notices what is wrong in a generated kernel", "[cuda][ptx-machine]") {
  // Nests in order, the lanes of a row, groups of a row, columns, and squares.
  check_noticed(two_nests(), {{"bar.sync", "// bar.sync"}});
  check_noticed(one_nest("  input %x: f32[40,100]\n  %0 = sum(%x) {axes = [1]} : f32[40]\n  output y = %0\n"),
                {{"shfl.sync.bfly.b32", "mov.b32"}, {", 48;", ", 49;"}});
  check_noticed(one_nest("  input %x: f32[4,1000]\n  %0 = max(%x) {axes = [1]} : f32[4]\n  output y = %0\n"),
                {{"bar.sync", "// bar.sync"}});
  check_noticed(one_nest("  input %x: f32[100,40]\n  %0 = sum(%x) {axes = [0]} : f32[40]\n  output y = %0\n"),
                {{"bar.sync", "// bar.sync"}});
  check_noticed(one_nest("  input %x: f32[64,64]\n  %0 = transpose(%x) {permutation = [1,0]} : f32[64,64]\n  output y = %0\n"),
                {{"bar.sync", "// bar.sync"}});
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
  for (DType floating : {f32, f64, f16, bf16})
    for (const testing::Sample& sample : testing::samples(floating)) {
      const bool is_first = done.emplace(sample.op, floating).second;
      if (!is_first && floating != f32) continue;
      INFO(testing::to_string(sample));
      ir::Module module = testing::module_of(sample);
      test::write_out_loops(module);
      passes::run(module, passes::pipeline("compile"), cpu::target());
      const auto& ops = module.graph().ops();
      if (test::is_refused(module.graph())) continue;
      if (std::none_of(ops.begin(), ops.end(), [](const auto& op) { return op->def().is_region(); })) continue;
      proof += test::prove(module, cuda::emit_ptx(module));
    }
  CHECK(proof.kernels > 1000);
}
