#include "weft/tests/backends/cuda/heavy_run.h"

#include "weft/backends/cuda/assembly.h"
#include "weft/backends/cuda/heavy.h"
#include "weft/ir/op_def.h"
#include "weft/tests/catch.h"
#include "weft/tests/ptx/machine.h"

namespace weft::test {
namespace {

ir::Module module_with_scratch(testing::Sample& sample) {
  ir::Module module = testing::module_of(sample);
  const ir::Op& op = *module.graph().ops().front();
  const cuda::HeavyOp* row = cuda::find_heavy(op);
  REQUIRE(row);
  REQUIRE((!row->claims || row->claims(op)));
  const int64_t scratch = row->scratch_bytes ? row->scratch_bytes(op) : 0;
  if (scratch == 0) return module;
  sample.attributes.emplace_back("scratch", scratch);
  return testing::module_of(sample);
}

}  // namespace

HeavyRun::HeavyRun(testing::Sample sample, const std::string& arch, const Emit& emit) : module_(module_with_scratch(sample)) {
  cuda::Assembly assembly(arch, static_cast<int>(op().operands().size()) + op().result_count());
  launches_ = (emit ? emit : cuda::find_heavy(op())->emit)(assembly.module(), op(), "weft_k0_" + std::string(op().name()));
  text = assembly.finish();
}

std::vector<std::vector<std::byte>> HeavyRun::run(const std::string& ptx, const std::vector<reference::Tensor>& operands,
                                                  Setup setup) const {
  ptx::Machine machine(ptx);
  std::vector<uint64_t> table;
  const int replaced = setup.in_place ? op().def().in_place : -1;
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::vector<std::byte> bytes = memory_of(operands[i]);
    const auto access = static_cast<int>(i) == replaced ? ptx::Access::read_write : ptx::Access::read_only;
    table.push_back(machine.memory().allocate("operand " + std::to_string(i), bytes, access));
  }
  for (int i = 0; i < op().result_count(); ++i) {
    const auto size = static_cast<uint64_t>(op().result(i).type().bytes());
    table.push_back(i == 0 && setup.in_place ? table[static_cast<size_t>(replaced)]
                                             : machine.memory().allocate("result " + std::to_string(i), size));
  }
  for (const cuda::KernelLaunch& l : launches_) {
    ptx::Launch launch{.kernel = l.name, .blocks = {l.blocks}, .threads = {l.threads}, .seed = setup.seed};
    const auto params = std::as_bytes(std::span(table));
    launch.params.assign(params.begin(), params.end());
    machine.launch(launch);
  }
  const bool has_scratch = op().def().attribute_index("scratch") >= 0 && op().integer("scratch") > 0;
  std::vector<std::vector<std::byte>> results;
  for (int i = 0; i < op().result_count() - (has_scratch ? 1 : 0); ++i) {
    const ptx::Region& result = machine.memory().at(table[operands.size() + static_cast<size_t>(i)]);
    for (uint64_t byte = 0; byte < result.bytes(); ++byte)
      if (!result.is_written(byte)) FAIL("byte " << byte << " of result " << i << " is left unwritten");
    results.emplace_back(result.contents().begin(), result.contents().end());
  }
  return results;
}

std::vector<reference::Tensor> HeavyRun::results(const std::vector<reference::Tensor>& operands, Setup setup) const {
  std::vector<reference::Tensor> all;
  for (const std::vector<std::byte>& bytes : run(text, operands, setup))
    all.push_back(reference::from_memory(op().result(static_cast<int>(all.size())).type(), bytes.data()));
  return all;
}

std::string HeavyRun::fault_with(const std::string& what, const std::string& by, const std::vector<reference::Tensor>& operands) const {
  std::string other = text;
  const size_t at = other.find(what);
  REQUIRE(at != std::string::npos);
  other.replace(at, what.size(), by);
  try {
    run(other, operands, {});
    return "";
  } catch (const ptx::Fault& fault) {
    return fault.what();
  }
}

std::vector<std::byte> memory_of(const reference::Tensor& t) {
  std::vector<std::byte> bytes(static_cast<size_t>(t.type.bytes()));
  reference::to_memory(t, bytes.data());
  return bytes;
}

}  // namespace weft::test
