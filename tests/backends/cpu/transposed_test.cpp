// Operands that lie along another loop than vectors run along: tiles of them are transposed.

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

struct Transposition {
  Dims shape, axes;
};

std::string list(const Dims& dims) { return fmt::format("[{}]", fmt::join(dims, ",")); }

/// y = x transposed, plus z where `with_sum`.
std::string program_of(const Transposition& t, DType dtype, bool with_sum) {
  Dims result;
  for (int64_t axis : t.axes) result.push_back(t.shape[static_cast<size_t>(axis)]);
  const std::string from = std::string(name_of(dtype)) + list(t.shape), to = std::string(name_of(dtype)) + list(result);
  std::string text = "weft 1\nfunc @f {\n  input %x: " + from + "\n";
  if (with_sum) text += "  input %z: " + to + "\n";
  text += "  %0 = transpose(%x) {permutation = " + list(t.axes) + "} : " + to + "\n";
  if (with_sum) text += "  %1 = add(%0, %z) : " + to + "\n";
  return text + "  output y = %" + (with_sum ? "1" : "0") + "\n}\n";
}

std::vector<Array> operands_of(const std::string& text) {
  const ir::Module module = ir::parse(text);
  std::vector<Array> all;
  for (const ir::Input& input : module.graph().inputs()) {
    Array a(input.node->type.dtype, input.node->type.shape);
    for (int64_t i = 0; i < a.shape().numel(); ++i) a.set(i, a.dtype() == boolean ? i % 3 == 0 : static_cast<double>(i % 113));
    all.push_back(std::move(a));
  }
  return all;
}

const Transposition transpositions[] = {
    {{16, 16}, {1, 0}}, {{17, 16}, {1, 0}},       {{16, 17}, {1, 0}},       {{33, 50}, {1, 0}},       {{5, 40}, {1, 0}},
    {{40, 1}, {1, 0}},  {{3, 20, 18}, {0, 2, 1}}, {{20, 3, 18}, {2, 1, 0}}, {{18, 4, 20}, {1, 2, 0}}, {{2, 19, 3, 21}, {0, 3, 2, 1}},
    {{0, 20}, {1, 0}},  {{64, 128}, {1, 0}},      {{8, 40}, {1, 0}},        {{11, 33}, {1, 0}}};

}  // namespace

TEST_CASE("transposed operands: the reference's elements, alone and in a sum, for every element type, with one thread and two") {
  for (const Transposition& t : transpositions)
    for (DType dtype : {f32, f64, bf16, i64, i32, u8, boolean})
      for (bool with_sum : {false, true}) {
        if (with_sum && dtype == boolean) continue;
        const std::string text = program_of(t, dtype, with_sum);
        INFO(text);
        const auto want = test::run_reference(text, operands_of(text));
        for (int threads : {1, 2})
          CHECK(test::same_bits(test::run_cpu(text, operands_of(text), {.options = {.threads = threads, .share_all = true}}), want));
      }
}

TEST_CASE("a tile is read in whole vectors: no element is gathered") {
  for (const Transposition& t : {Transposition{{64, 48}, {1, 0}}, Transposition{{20, 3, 18}, {2, 1, 0}}, Transposition{{40, 8}, {1, 0}}}) {
    ir::Module module = ir::parse(program_of(t, f32, true));
    passes::run(module, passes::pipeline("compile"), cpu::target());
    std::vector<KernelText> kernels;
    cpu::compile(module, {}, &kernels);
    REQUIRE(kernels.size() == 1);
    CHECK(kernels[0].as(CodeKind::llvm_ir).find("masked.gather") == std::string::npos);
  }
}

namespace {

/// The gradient of a flattened block of images [n, 16 c, h, w], masked, with 16 channels side by side, and its sum for each channel.
std::string flat_gradient(int64_t n, int64_t blocks, int64_t h, int64_t w, bool with_result, const char* dtype = "f32") {
  const int64_t channels = 16 * blocks, elements = channels * h * w;
  return fmt::format(R"(weft 1
module
func @flat {{
  input %x: {6}[{0},{1}]
  input %mask: bool[{0},{2},{3},{4},16]
  %0 = reshape(%x) {{shape = [{0},{2},16,{3},{4}]}} : {6}[{0},{2},16,{3},{4}]
  %1 = transpose(%0) {{permutation = [0,1,3,4,2]}} : {6}[{0},{2},{3},{4},16]
  %2 = constant() {{value = {6}[{0},{2},{3},{4},16] 0.0}} : {6}[{0},{2},{3},{4},16]
  %3 = select(%mask, %1, %2) : {6}[{0},{2},{3},{4},16]
  %4 = sum(%3) {{axes = [0,2,3]}} : {6}[{2},16]
  output sum = %4
{5}}}
)",
                     n, elements, blocks, h, w, with_result ? "  output y = %3\n" : "", dtype);
}

}  // namespace

TEST_CASE("transposed operands of a reduction: the reference's sums, beside the elements and alone") {
  // Lane axes of h w alone and with n; in pieces and in one; whole tiles, ragged ones and few; channels of one vector and of several.
  struct Extents {
    int64_t n, blocks, h, w;
  };
  for (const Extents& e : {Extents{3, 1, 8, 8},
                           {2, 1, 32, 32},
                           {2, 2, 9, 11},
                           {1, 1, 23, 29},
                           {3, 1, 3, 3},
                           {2, 2, 1, 16},
                           {1, 1, 1, 1},
                           {0, 1, 8, 8},
                           {2, 1, 70, 5},
                           {1, 1, 1, 300}})
    for (const char* dtype : {"f32", "f64", "bf16"})
      for (bool with_result : {false, true}) {
        const std::string text = flat_gradient(e.n, e.blocks, e.h, e.w, with_result, dtype);
        INFO(text);
        const auto want = test::run_reference(text, operands_of(text));
        for (int threads : {1, 2})
          CHECK(test::same_bits(test::run_cpu(text, operands_of(text), {.options = {.threads = threads, .share_all = true}}), want));
      }
}

TEST_CASE("no element of a transposed operand of a reduction is gathered") {
  for (const std::string& text : {flat_gradient(2, 1, 32, 32, true), flat_gradient(2, 1, 9, 11, true), flat_gradient(2, 1, 8, 8, true)}) {
    ir::Module module = ir::parse(text);
    passes::run(module, passes::pipeline("compile"), cpu::target());
    std::vector<KernelText> kernels;
    cpu::compile(module, {}, &kernels);
    REQUIRE(kernels.size() == 1);
    CHECK(kernels[0].as(CodeKind::llvm_ir).find("masked.gather") == std::string::npos);
  }
}
