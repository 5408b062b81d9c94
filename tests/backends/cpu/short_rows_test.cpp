// Reductions of short rows: vectors run along neighbouring rows, each lane of which adds up its own.

#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Two reductions of x's rows, one after the other, what is written for every element in either sweep, and for every row.
std::string rows_of(const std::string& type, int64_t rows, int64_t columns) {
  const std::string full = fmt::format("{}[{},{}]", type, rows, columns), row = fmt::format("{}[{},1]", type, rows);
  return fmt::format(
      "weft 1\nfunc @f {{\n  input %x: {0}\n  input %z: {1}\n  %0 = max(%x) {{axes = [1], keep_dims = true}} : {1}\n"
      "  %1 = broadcast(%0) {{shape = [{2},{3}]}} : {0}\n  %2 = sub(%x, %1) : {0}\n"
      "  %3 = sum(%2) {{axes = [1], keep_dims = true}} : {1}\n  %4 = add(%3, %z) : {1}\n"
      "  %5 = broadcast(%4) {{shape = [{2},{3}]}} : {0}\n  %6 = mul(%2, %5) : {0}\n  %7 = sum(%6) {{axes = [1], keep_dims = true}} : {1}\n"
      "  output below = %2\n  output scaled = %6\n  output sums = %4\n  output total = %7\n}}\n",
      full, row, rows, columns);
}

}  // namespace

TEST_CASE("short rows: the reference's bits for whole vectors of rows and ragged ones, shared out or not") {
  for (int64_t rows : {15, 16, 17, 40, 3001})
    for (int64_t columns : {2, 7, 8, 10, 15, 16, 17}) {
      const std::string text = rows_of("f64", rows, columns);
      INFO(text);
      const auto inputs = test::sample_inputs(text);
      const auto want = test::run_reference(text, inputs);
      for (int threads : {1, 2, 5}) CHECK(test::same_bits(test::run_cpu(text, inputs, {.options = {.threads = threads}}), want));
    }
}

TEST_CASE("short rows: f32 and bf16 have the bits that a row has in a vector of its own") {
  for (const char* type : {"f32", "bf16"})
    for (int64_t columns : {3, 10, 16}) {
      const auto many = test::sample_inputs(rows_of(type, 40, columns));
      auto few = test::sample_inputs(rows_of(type, 4, columns));
      for (size_t input = 0; input < few.size(); ++input)
        for (int64_t i = 0; i < few[input].shape().numel(); ++i) few[input].set(i, many[input].at(i));
      const auto all = test::run_cpu(rows_of(type, 40, columns), many), alone = test::run_cpu(rows_of(type, 4, columns), few);
      for (size_t output = 0; output < alone.values.size(); ++output)
        for (int64_t i = 0; i < alone.values[output].shape().numel(); ++i) CHECK(all.values[output].at(i) == alone.values[output].at(i));
    }
}

TEST_CASE("short rows: a result in the place of its operand") {
  const std::string text =
      "weft 1\nfunc @f {\n  input %x: f32[19,5]\n  %0 = softmax(%x) {axis = 1} : f32[19,5]\n  output x = %0 aliases %x\n}\n";
  const auto inputs = test::sample_inputs(text);
  const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
  for (int64_t i = 0; i < 19 * 5; ++i) CHECK(std::abs(got.values[0].at(i) - want.values[0].at(i)) <= 1e-6);
}

TEST_CASE("short rows: where vectors run along rows, and where along a row") {
  const auto runs_along_rows = [](int64_t rows, int64_t columns) {
    return test::kernel_of(rows_of("f32", rows, columns)).find("block") != std::string::npos;
  };
  CHECK(runs_along_rows(64, 10));
  CHECK(runs_along_rows(1000, 16));
  CHECK(!runs_along_rows(15, 10));    // rows for no whole vector
  CHECK(!runs_along_rows(1000, 17));  // a row has more than a vector
}
