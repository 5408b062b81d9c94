// What a nest keeps from one sweep over its reduced loops to the next.

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Does the kernel of softmax over rows of so many elements keep its exponentials on the stack?
bool keeps(const std::string& dtype, int64_t columns) {
  const std::string type = fmt::format("{}[3,{}]", dtype, columns);
  ir::Module module =
      ir::parse(fmt::format("weft 1\nfunc @f {{\n  input %x: {0}\n  %0 = softmax(%x) {{axis = 1}} : {0}\n  output y = %0\n}}\n", type));
  passes::run(module, passes::pipeline("compile"), cpu::target());
  std::vector<KernelText> kernels;
  cpu::compile(module, {}, &kernels);
  REQUIRE(kernels.size() == 1);
  return kernels[0].as(CodeKind::llvm_ir).find("%kept") != std::string::npos;
}

}  // namespace

TEST_CASE("a softmax keeps its exponentials for the second sweep, up to what the first cache holds") {
  CHECK(keeps("f32", 100));
  CHECK(keeps("f32", 4096));
  CHECK(!keeps("f32", 4097));
  CHECK(keeps("f64", 2048));
  CHECK(!keeps("f64", 2049));
}
