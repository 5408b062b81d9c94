// Every op of the registry that is not the library's becomes PTX.

#include <algorithm>
#include <set>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cuda/ptx.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/cases.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"
#include "weft/tests/ops/samples.h"

using namespace weft;

TEST_CASE("ptx: every op of the registry", "[cuda]") {
  std::set<std::string> done;
  std::vector<std::string> texts;
  for (const testing::Sample& sample : testing::samples(f32)) {
    ir::Module module = testing::module_of(sample);
    if (module.graph().outputs()[0].value.shape().numel() == 0 || !done.insert(sample.op).second) continue;
    INFO(testing::to_string(sample));
    test::write_out_loops(module);
    passes::run(module, passes::pipeline("compile"), cpu::target());
    const bool has_kernel =
        std::any_of(module.graph().ops().begin(), module.graph().ops().end(), [](const auto& op) { return op->def().is_region(); });
    if (!has_kernel) continue;
    const cuda::Ptx ptx = cuda::emit_ptx(module);
    CHECK(!ptx.kernels.empty());
    CHECK(ptx.text.find(".extern") == std::string::npos);
    texts.push_back(ptx.text);
  }
  CHECK(done.size() > 80);
  CHECK(texts.size() > 60);
  if (test::why_no_ptxas().empty()) CHECK(test::assemble(texts, "sm_90") == "");
}
