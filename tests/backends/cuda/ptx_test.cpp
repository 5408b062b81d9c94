// The PTX of every kernel that the CPU's programs have: what must stand in it, what must not, and that ptxas takes it.

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/cases.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

using namespace weft;
using test::PtxCase;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The text of each entry point, by name.
std::map<std::string, std::string> entries_of(const std::string& ptx) {
  static const std::regex head("\\.visible \\.entry (\\w+)\\(");
  std::map<std::string, std::string> all;
  for (auto at = std::sregex_iterator(ptx.begin(), ptx.end(), head); at != std::sregex_iterator(); ++at) {
    const auto begin = static_cast<size_t>(at->position());
    all[(*at)[1]] = ptx.substr(begin, ptx.find("\n}", begin) - begin);
  }
  return all;
}

/// The first instruction that matches, or nothing.
std::string instruction(const std::string& ptx, const std::string& pattern) {
  std::smatch found;
  return std::regex_search(ptx, found, std::regex("\n\\s*(?:@!?%\\w+\\s+)?(" + pattern + ")[^\n]*;")) ? found.str() : "";
}

ir::Module function(const std::string& lines, std::vector<std::string> passes = {"fuse"}) {
  ir::Module module = ir::parse("weft 1\nfunc @f {\n" + lines + "}\n");
  passes::run(module, passes, cpu::target());
  return module;
}

/// A kernel that adds up so many inputs: that many operands and a result.
ir::Module sum_of(int count) {
  std::string inputs, operands, body;
  std::vector<std::string> terms;
  for (int i = 0; i < count; ++i) {
    terms.push_back("%x" + std::to_string(i));
    inputs += "  input " + terms.back() + ": f32[4]\n";
    operands += (i ? ", " : "") + terms.back();
  }
  // In pairs, since chains inside a nest have a length: the list grows by a sum of two of its terms until all are in the last.
  for (size_t i = 0; i + 1 < terms.size(); i += 2) {
    terms.push_back("%s" + std::to_string(i));
    body += "  " + terms.back() + " = add(" + terms[i] + ", " + terms[i + 1] + ") : f32[4]\n";
  }
  return function(inputs + "  %0 = fused(" + operands + ") : f32[4] {\n" + inputs + body + "  output " + terms.back() +
                      "\n  } at \"net.cpp\":7\n  output y = %0\n",
                  {"dce"});
}

}  // namespace

TEST_CASE("ptx: every kernel of 02_fashion_mnist is an entry point", "[cuda]") {
  for (bool adam : {false, true}) {
    const ir::Module module = test::fashion_mnist(adam);
    std::vector<const ir::Op*> different;
    for (const auto& op : module.graph().ops()) {
      const auto is_equal = [&](const ir::Op* other) { return ir::same_computation(*other, *op); };
      if (op->def().is_region() && std::none_of(different.begin(), different.end(), is_equal)) different.push_back(op);
    }
    const PtxCase& c = test::fashion_mnist_cases()[adam];
    INFO(c.name);
    CHECK(different.size() >= 4);
    CHECK(c.ptx.kernels.size() == different.size());
    size_t launches = 0;  // nests of a kernel of which one waits for another are launched one after the other
    for (const cuda::PtxKernel& kernel : c.ptx.kernels) launches += kernel.launches.size();
    CHECK(entries_of(c.ptx.text).size() == launches);
  }
}

/// All claims on whole programs stand in one test case, for each test case makes the texts anew.
TEST_CASE("ptx: every kernel of whole programs", "[cuda]") {
  const std::vector<PtxCase> cases = test::all_cases();

  SECTION("is an entry point, and nothing else is") {
    for (const PtxCase& c : cases) {
      INFO(c.name);
      std::set<std::string> named, emitted;
      for (const cuda::PtxKernel& k : c.ptx.kernels)
        for (const cuda::KernelLaunch& l : k.launches) named.insert(l.name);
      for (const auto& [name, text] : entries_of(c.ptx.text)) emitted.insert(name);
      CHECK(named == emitted);
    }
  }

  SECTION("calls nothing, inside or outside of the text") {
    for (const PtxCase& c : cases) {
      INFO(c.name);
      CHECK(!has(c.ptx.text, ".extern"));
      CHECK(!has(c.ptx.text, ".func"));
      CHECK(instruction(c.ptx.text, "call\\S*") == "");
    }
  }

  SECTION("has blocks and threads that any GPU takes, in one dimension") {
    int launches = 0;
    for (const PtxCase& c : cases)
      for (const cuda::PtxKernel& k : c.ptx.kernels)
        for (const cuda::KernelLaunch& l : k.launches) {
          INFO(c.name << ": " << l.name);
          CHECK((l.blocks >= 1 && l.threads >= 1 && l.threads <= 1024));
          const std::string text = entries_of(c.ptx.text).at(l.name);
          for (const char* part : {"%tid.y", "%ctaid.y", "%ntid.y"}) CHECK(!has(text, part));
          ++launches;
        }
    CHECK(launches > 40);
  }

  SECTION("rounds every operation, as on the processor") {
    for (const PtxCase& c : cases) {
      INFO(c.name);
      // Without a rounding, ptxas may contract a product and a sum.
      CHECK(instruction(c.ptx.text, "(add|sub|mul|mad|fma)\\.(ftz\\.)?(f32|f64)") == "");
      CHECK(instruction(c.ptx.text, "\\w+(\\.\\w+)*\\.(approx|ftz|full)\\S*") == "");
    }
  }

  SECTION("reads and writes its buffers as global memory") {
    int checked = 0;
    for (const PtxCase& c : cases)
      for (const auto& [name, text] : entries_of(c.ptx.text)) {
        INFO(c.name << ": " << name);
        CHECK(instruction(text, "(ld|st)\\.(v[24]\\.)?[bfsu][0-9]+") == "");
        CHECK(!has(text, ".local"));
        checked += has(text, "ld.global.") && has(text, "st.global.");
      }
    CHECK(checked > 20);
  }

  SECTION("is accepted by ptxas, and keeps all values in registers") {
    if (const std::string why = test::why_no_ptxas(); !why.empty()) {
      WARN("skipped: " << why);
      return;
    }
    std::vector<std::string> texts;
    for (const PtxCase& c : cases) texts.push_back(c.ptx.text);
    for (const std::string arch : {"sm_80", "sm_90"}) {
      CHECK(test::assemble(texts, arch) == "");
      const std::vector<test::KernelResources> kernels = test::resources_of(texts, arch);
      CHECK(kernels.size() > 60);
      for (const test::KernelResources& k : kernels) {
        // Named after the text that it is of: t37_weft_k00.
        const std::string& program = cases.at(std::stoul(k.name.substr(1))).name;
        INFO(k.name << " on " << arch << ", of " << program);
        // Random graphs have chains of f64 functions, several elements at once, each value of which takes two registers. With 168 of them
        // a processor still holds a block of 384 threads.
        const int most = program.starts_with("random graph") ? 168 : 96;
        CHECK(k.stack_bytes == 0);
        CHECK(k.spilled_bytes == 0);
        CHECK(k.registers <= most);
      }
    }
  }
}

TEST_CASE("ptx: nests that wait for each other are kept apart by a barrier", "[cuda]") {
  const cuda::Ptx ptx = cuda::emit_ptx(function(R"(
  input %x: f32[8,4]
  %0 = sum(%x) {axes = [1]} : f32[8]
  %1 = sum(%0) {axes = [0]} : f32[]
  output y = %1
)",
                                                {"fuse", "launch"}));
  REQUIRE(ptx.kernels.size() == 1);
  CHECK(ptx.kernels[0].launches == std::vector<cuda::KernelLaunch>{{ptx.kernels[0].name, 1, 256}});
  CHECK(has(ptx.text, "bar.sync"));
}

TEST_CASE("ptx: a product and a sum of two ops are not contracted", "[cuda]") {
  const cuda::Ptx ptx = cuda::emit_ptx(function(R"(
  input %x: f32[64]
  input %y: f32[64]
  %0 = mul(%x, %y) : f32[64]
  %1 = add(%0, %y) : f32[64]
  output z = %1
)"));
  CHECK(has(ptx.text, "mul.rn.f32"));
  CHECK(has(ptx.text, "add.rn.f32"));
  CHECK(!has(ptx.text, "fma"));
}

TEST_CASE("ptx: ops that compute the same share an entry point", "[cuda]") {
  const cuda::Ptx ptx = cuda::emit_ptx(function(R"(
  input %x: f32[8]
  %0 = exp(%x) : f32[8]
  %1 = exp(%0) : f32[8]
  output y = %1
)",
                                                {"isolate"}));
  CHECK(ptx.kernels.size() == 1);
}

TEST_CASE("ptx: another architecture than the default", "[cuda]") {
  const cuda::Ptx ptx = cuda::emit_ptx(test::fashion_mnist(true), "sm_75");
  CHECK(has(ptx.text, ".target sm_75"));
  if (const std::string why = test::why_no_ptxas(); !why.empty()) WARN("not assembled: " << why);
  else CHECK(test::assemble({ptx.text}, "sm_75") == "");
}

TEST_CASE("ptx: an architecture that is too old or unknown is refused", "[cuda]") {
  const ir::Module module = function("  input %x: f32[8]\n  %0 = exp(%x) : f32[8]\n  output y = %0\n");
  for (const std::string arch : {"sm_60", "sm_9O", ""})
    CHECK_THROWS_WITH(cuda::emit_ptx(module, arch), contains_text("unknown GPU architecture '" + arch + "'; known are sm_70, "));
}

TEST_CASE("ptx: f64 sin and cos are refused with op and line", "[cuda]") {
  for (const std::string name : {"sin", "cos"}) {
    const ir::Module module =
        function("  input %x: f64[8]\n  %0 = " + name + "(%x) : f64[8] at \"net.cpp\":12 \"head\"\n  output y = %0\n");
    CHECK_THROWS_WITH(cuda::emit_ptx(module),
                      name + ": the target 'cuda' has no " + name + " of f64 elements; cast to f32 before it, at net.cpp:12 (head)");
  }
}

TEST_CASE("ptx: f32 and bf16 sin and cos are compiled", "[cuda]") {
  for (const std::string type : {"f32[8]", "bf16[8]"})
    for (const std::string name : {"sin", "cos"})
      CHECK(
          cuda::emit_ptx(function("  input %x: " + type + "\n  %0 = " + name + "(%x) : " + type + "\n  output y = %0\n")).kernels.size() ==
          1);
}

TEST_CASE("ptx: a program that has not been fused is refused", "[cuda]") {
  CHECK_THROWS_WITH(cuda::emit_ptx(function("  input %x: f32[8]\n  %0 = exp(%x) : f32[8] at \"net.cpp\":3\n  output y = %0\n", {"dce"})),
                    "exp is not part of a kernel: the module has not been through the pass 'fuse', at net.cpp:3");
}

TEST_CASE("ptx: a program without kernels has none", "[cuda]") {
  const cuda::Ptx ptx = cuda::emit_ptx(function("  input %x: f32[8,8]\n  %0 = matmul(%x, %x) : f32[8,8]\n  output y = %0\n"));
  CHECK(ptx.kernels.empty());
  CHECK(has(ptx.text, ".target sm_90"));
}

TEST_CASE("ptx: a kernel may have more operands than old versions of PTX can pass", "[cuda]") {
  const cuda::Ptx few = cuda::emit_ptx(sum_of(511)), many = cuda::emit_ptx(sum_of(512));
  CHECK(!has(few.text, ".version 8.1"));
  CHECK(has(many.text, ".version 8.1"));
  if (const std::string why = test::why_no_ptxas(12.1); !why.empty()) WARN("not assembled: " << why);
  else CHECK(test::assemble({many.text}, "sm_90") == "");
}

TEST_CASE("ptx: a kernel of too many operands is refused", "[cuda]") {
  CHECK_THROWS_WITH(cuda::emit_ptx(sum_of(4095)),
                    contains_text("a kernel of 4096 operands, results and slices: a GPU takes at most 4095, at net.cpp:7"));
}
