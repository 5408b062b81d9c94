// Elements that are read where an index is in range, and are something else where it is not: in every lane of every vector, on
// every instruction set.

#include <algorithm>

#include "weft/support/shape.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// Rows of every width in wider ones, beginning anywhere: whole vectors, parts of them and lanes may be out of range, in rows
/// that are themselves in range or not.
std::string padded(const std::string& dtype) {
  std::string inputs, ops, outputs;
  int count = 0;
  for (int64_t width : {1, 5, 8, 9, 16, 17, 31}) {
    const std::string x = "%x" + std::to_string(width), from = dtype + to_string(Shape{3, width});
    inputs += "input " + x + ": " + from + "\n";
    for (int64_t low : {0, 2, 9, 17})
      for (int64_t high : {0, 3}) {
        const std::string n = std::to_string(count++), to = dtype + to_string(Shape{6, low + width + high});
        ops += "%p" + n + " = pad(" + x + ") {low = [1," + std::to_string(low) + "], high = [2," + std::to_string(high) + "]} : " + to +
               "\n%y" + n + " = add(%p" + n + ", %z" + n + ") : " + to + "\n";
        inputs += "input %z" + n + ": " + to + "\n";
        outputs += "output y" + n + " = %y" + n + "\n";
      }
  }
  return "weft 1\nfunc @f {\n" + inputs + ops + outputs + "}\n";
}

}  // namespace

TEST_CASE("cpu: what is out of range is the fill, in every lane, on every instruction set", "[cpu][masked]") {
  for (const std::string isa : {"", "sse4", "avx2", "avx512"})
    for (const std::string dtype : {"f32", "i32", "f64", "bf16", "i64"}) {
      if (isa == "avx512" && !__builtin_cpu_supports("avx512f")) continue;
      INFO(isa << ", " << dtype);
      const std::string text = padded(dtype);
      const auto inputs = test::sample_inputs(text);
      CHECK(test::same_bits(test::run_cpu(text, inputs, {.options = {.max_isa = isa}}), test::run_reference(text, inputs)));
    }
}
