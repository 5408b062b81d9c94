// Reductions over other axes than the last: strips of neighbouring vectors run together inside the reduced loops.

#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string function(const std::string& lines) { return "weft 1\nfunc @f {\n" + lines + "}\n"; }

/// Two reductions of x over the rows, and what is written in the same sweep and after it.
std::string columns_of(const std::string& type, int64_t outer, int64_t rows, int64_t columns) {
  const std::string full = fmt::format("{}[{},{},{}]", type, outer, rows, columns), kept = fmt::format("{}[{},{}]", type, outer, columns);
  return function(
      fmt::format("  input %x: {0}\n  input %z: {1}\n  %0 = mul(%x, %x) : {0}\n  %1 = sum(%0) {{axes = [1]}} : {1}\n  %2 = max(%x) {{axes "
                  "= [1]}} : {1}\n"
                  "  %3 = add(%1, %z) : {1}\n  output squares = %0\n  output largest = %2\n  output shifted = %3\n",
                  full, kept));
}

bool has_strips(const std::string& llvm_ir) { return llvm_ir.find("strip") != std::string::npos; }

}  // namespace

TEST_CASE("strips: the reference's bits for whole strips, single vectors and ragged ones, shared out or not") {
  for (int64_t outer : {1, 5})
    for (int64_t rows : {1, 3, 16, 17, 300})
      for (int64_t columns : {127, 128, 129, 255, 256, 390}) {
        const std::string text = columns_of("f64", outer, rows, columns);
        INFO(text);
        const auto inputs = test::sample_inputs(text);
        const auto want = test::run_reference(text, inputs);
        for (int threads : {1, 2, 5}) CHECK(test::same_bits(test::run_cpu(text, inputs, {.options = {.threads = threads}}), want));
      }
}

TEST_CASE("strips: sums of integers and largest numbers of every element type") {
  for (const char* type : {"i32", "i64", "u8"}) {
    const std::string text = columns_of(type, 2, 40, 150);
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    CHECK(test::same_bits(test::run_cpu(text, inputs), test::run_reference(text, inputs)));
  }
  for (const char* type : {"f32", "bf16"}) {
    const std::string text =
        function(fmt::format("  input %x: {0}[40,150]\n  %0 = max(%x) {{axes = [0]}} : {0}[150]\n  output y = %0\n", type));
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    CHECK(test::same_bits(test::run_cpu(text, inputs), test::run_reference(text, inputs)));
  }
}

TEST_CASE("strips: results of f32 and bf16 do not depend on the strip") {
  // The first 16 columns of many have the bits that they have alone, where no strip is.
  for (const char* type : {"f32", "bf16"}) {
    const auto text_of = [&](int64_t columns) {
      return function(fmt::format("  input %x: {0}[5000,{1}]\n  %0 = sum(%x) {{axes = [0]}} : {0}[{1}]\n  output y = %0\n", type, columns));
    };
    const auto many = test::sample_inputs(text_of(150));
    auto few = test::sample_inputs(text_of(16));
    for (int64_t row = 0; row < 5000; ++row)
      for (int64_t column = 0; column < 16; ++column) few[0].set(row * 16 + column, many[0].at(row * 150 + column));
    const auto all = test::run_cpu(text_of(150), many), alone = test::run_cpu(text_of(16), few);
    for (int64_t column = 0; column < 16; ++column) CHECK(all.values[0].at(column) == alone.values[0].at(column));
  }
}

TEST_CASE("strips: where they are, and where they would compute again what is computed once a column") {
  CHECK(has_strips(test::kernel_of(columns_of("f32", 1, 40, 128))));
  CHECK(!has_strips(test::kernel_of(columns_of("f32", 1, 40, 127))));
  const std::string per_column = function(
      "  input %x: f32[40,256]\n  input %z: f32[256]\n  %0 = exp(%z) : f32[256]\n  %1 = broadcast(%0) {shape = [40,256]} : f32[40,256]\n"
      "  %2 = mul(%x, %1) : f32[40,256]\n  %3 = sum(%2) {axes = [0]} : f32[256]\n  output y = %3\n");
  CHECK(!has_strips(test::kernel_of(per_column)));
}

TEST_CASE("strips: rows that are longer than a strip are asked for ahead, where they are read and where they are written") {
  const auto count = [](const std::string& text, const std::string& what) {
    size_t n = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  };
  const auto asks_of = [&](int64_t columns, int write) {
    return count(test::kernel_of(columns_of("f32", 1, 40, columns)), fmt::format("i32 {}, i32 3, i32 1)", write));
  };
  CHECK(asks_of(512, 0) > 0);  // x
  CHECK(asks_of(512, 1) > 0);  // the squares
  // What follows is next to it.
  CHECK(asks_of(128, 0) == 0);
  CHECK(asks_of(128, 1) == 0);
}
