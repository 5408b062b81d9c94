// Activations as a part of products: where the passes put them, and the kernels that run them.

#include <algorithm>
#include <cmath>

#include "weft/backends/cuda/cuda.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// A layer of bf16 with these lines behind its sum, and what reads them.
ir::Module layer(const std::string& behind, int n = 16) {
  std::string text = R"(weft 1
func @test {
  input %x: bf16[9,5]
  input %w: bf16[5,N]
  input %b: bf16[N]
  %0 = matmul(%x, %w) : bf16[9,N]
  %1 = broadcast(%b) {shape = [9,N]} : bf16[9,N]
  %2 = add(%0, %1) : bf16[9,N]
)" + behind + "}\n";
  for (size_t at = text.find('N'); at != std::string::npos; at = text.find('N', at)) text.replace(at, 1, std::to_string(n));
  return ir::parse(text);
}

/// A net of two layers that is trained.
ir::Module training(int n) {
  return ir::parse(fmt::format(R"(weft 1
train {{loss = "loss", inputs = ["w", "b", "v"], optimizer = "sgd"}}
func @test {{
  input %x: f32[9,5]
  input %w: f32[5,{0}] parameter
  input %b: f32[{0}] parameter
  input %v: f32[{0},7] parameter
  %0 = matmul(%x, %w) : f32[9,{0}]
  %1 = broadcast(%b) {{shape = [9,{0}]}} : f32[9,{0}]
  %2 = add(%0, %1) : f32[9,{0}]
  %3 = gelu(%2) {{approximate = "tanh"}} : f32[9,{0}]
  %4 = matmul(%3, %v) : f32[9,7]
  %5 = mul(%4, %4) : f32[9,7]
  %6 = sum(%5) {{axes = [0,1]}} : f32[]
  output loss = %6
}}
)",
                               n));
}

const std::vector<std::string> up_to_epilogue = {"decompose", "simplify", "epilogue"};

ir::Module passed(ir::Module module, const passes::Target& target = cuda::target()) {
  passes::run(module, up_to_epilogue, target);
  ir::verify(module.graph());
  return module;
}

/// How many results each product has whose epilogue is more than a bias, and how many other ops there are that are no constants or views.
using Found = std::pair<std::vector<int>, int>;
Found found_in(const ir::Module& module) {
  std::vector<int> activations;
  int others = 0;
  for (const ir::Op* op : module.graph().ops()) {
    const bool is_product = op->def().takes_epilogue;
    if (is_product && !op->bodies().empty() && op->body().ops().size() > 2) activations.push_back(op->result_count());
    else if (op->def().kind != ir::Kind::constant && op->def().kind != ir::Kind::view && !is_product) ++others;
  }
  return {activations, others};
}

}  // namespace

TEST_CASE("activation: GELU moves into its product, alone or with what it is of", "[cuda][activation]") {
  const std::string gelu = "  %3 = gelu(%2) {approximate = \"tanh\"} : bf16[9,N]\n";
  CHECK(found_in(passed(layer(gelu + "  output y = %3\n"))) == Found({1}, 0));
  // Another reads what it is of.
  CHECK(found_in(passed(layer(gelu + "  %4 = neg(%2) : bf16[9,N]\n  output y = %3\n  output z = %4\n"))) == Found({2}, 1));
  CHECK(found_in(passed(layer(gelu + "  output y = %3\n  output z = %2\n"))) == Found({2}, 0));
  // Through a view.
  const std::string viewed = "  %3 = reshape(%2) {shape = [3,3,N]} : bf16[3,3,N]\n  %4 = gelu(%3) {approximate = \"tanh\"} : bf16[3,3,N]\n";
  CHECK(found_in(passed(layer(viewed + "  output y = %4\n"))) == Found({1}, 0));
  CHECK(found_in(passed(layer(viewed + "  output y = %4\n  output z = %3\n"))) == Found({2}, 0));
}

TEST_CASE("activation: what the library cannot do stays", "[cuda][activation]") {
  const std::string gelu = "  %3 = gelu(%2) {approximate = \"tanh\"} : bf16[9,N]\n";
  const auto stays = [](ir::Module module, const passes::Target& target = cuda::target()) {
    return found_in(passed(std::move(module), target)).first.empty();
  };
  CHECK(stays(layer("  %3 = gelu(%2) : bf16[9,N]\n  output y = %3\n")));
  CHECK(stays(layer("  %3 = relu(%2) : bf16[9,N]\n  output y = %3\n")));
  CHECK(stays(layer("  %3 = silu(%2) : bf16[9,N]\n  output y = %3\n")));
  CHECK(stays(layer("  %3 = mul(%2, %2) : bf16[9,N]\n  %4 = gelu(%3) {approximate = \"tanh\"} : bf16[9,N]\n  output y = %4\n")));
  // Columns of 12 elements beside the result; without a second result any do.
  CHECK(stays(layer(gelu + "  output y = %3\n  output z = %2\n", 12)));
  CHECK(!stays(layer(gelu + "  output y = %3\n", 12)));
  // f32, unless by name.
  const auto f32_layer = [&] {
    std::string text = ir::print(layer(gelu + "  output y = %3\n"));
    for (size_t at = text.find("bf16"); at != std::string::npos; at = text.find("bf16", at)) text.replace(at, 4, "f32");
    return ir::parse(text);
  };
  CHECK(stays(f32_layer()));
  CHECK(!stays(f32_layer(), cuda::target({}, true)));
  // One constant is another.
  ir::Module other = layer(gelu + "  output y = %3\n");
  passes::run(other, {"decompose", "simplify"}, cuda::target());
  std::string text = ir::print(other);
  REQUIRE(text.find("0.044715") != std::string::npos);
  text.replace(text.find("0.044715"), 8, "0.044716");
  other = ir::parse(text);
  passes::run(other, {"epilogue"}, cuda::target());
  CHECK(found_in(other).first.empty());
}

TEST_CASE("activation: a gradient takes the sum over rows along", "[cuda][activation]") {
  const auto trained = [](int n) {
    ir::Module module = training(n);
    passes::run(module, {"autocast", "autodiff", "decompose", "simplify", "epilogue"}, cuda::target(bf16));
    return found_in(module).first;
  };
  CHECK(trained(16) == std::vector{2, 2});  // what GELU is of; the gradient's sum
  CHECK(trained(12).empty());
  // Of a parameter for each row, the sum over columns, which looks alike where there are as many.
  ir::Module module = ir::parse(R"(weft 1
train {loss = "loss", inputs = ["w", "r", "v"], optimizer = "sgd"}
func @test {
  input %x: f32[16,5]
  input %w: f32[5,16] parameter
  input %r: f32[16,1] parameter
  input %v: f32[16,7] parameter
  %0 = matmul(%x, %w) : f32[16,16]
  %1 = broadcast(%r) {shape = [16,16]} : f32[16,16]
  %2 = add(%0, %1) : f32[16,16]
  %3 = gelu(%2) {approximate = "tanh"} : f32[16,16]
  %4 = matmul(%3, %v) : f32[16,7]
  %5 = mul(%4, %4) : f32[16,7]
  %6 = sum(%5) {axes = [0,1]} : f32[]
  output loss = %6
}
)");
  passes::run(module, {"autocast", "autodiff", "decompose", "simplify", "epilogue"}, cuda::target(bf16));
  CHECK(found_in(module).first == std::vector{1});
}

TEST_CASE("activation: ptxas keeps all of its kernels in registers", "[cuda][activation]") {
  if (const std::string why = test::why_no_ptxas(12.0); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  ir::Module module = training(16);
  passes::run(module, passes::pipeline("compile"), cuda::target(bf16));
  REQUIRE(found_in(module).first == std::vector{3, 3});  // with scratch memory
  for (const std::string arch : {"sm_80", "sm_90"}) {
    std::vector<KernelText> kernels;
    cuda::lower(module, arch, &kernels);
    CHECK(test::on_stack({kernels.front().as(CodeKind::ptx)}, arch) == "");
  }
}
