// A subnormal number that an instruction makes or reads costs a hundred cycles and more. The processor notes both in flags
// that stay set, so that a kernel's are known exactly.

#if defined(__x86_64__)

#include <xmmintrin.h>

#include <cmath>
#include <limits>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

constexpr unsigned standard_mode = 0x1f80, read_subnormal = 0x02, made_subnormal = 0x10;

/// Does y = op(x) meet subnormal numbers for any of these elements, which are the same in all of x?
class Kernel {
 public:
  Kernel(DType dtype, const std::string& text, int64_t count) : x_(dtype, Shape{count}) {
    ir::Module m = ir::parse(text);
    passes::run(m, passes::pipeline("compile"), cpu::target());
    program_ = cpu::compile(m, {.threads = 1});
  }

  bool meets_subnormals(double element) {
    for (int64_t i = 0; i < x_.shape().numel(); ++i) x_.set(i, element);
    std::byte* pointer = x_.data();
    _mm_setcsr(standard_mode);
    program_->run(std::span(&pointer, 1));
    const unsigned flags = _mm_getcsr() & (read_subnormal | made_subnormal);
    _mm_setcsr(standard_mode);
    return flags != 0;
  }

 private:
  Array x_;
  std::unique_ptr<Program> program_;
};

/// Both signs of every power of two, of 1.3 times it, and the special values; nothing subnormal, nor so once halved.
std::vector<double> normal_operands(DType dtype) {
  std::vector<double> all = {0.0, -0.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const int least = dtype == f32 ? -124 : -1020, step = dtype == f32 ? 1 : 3;
  for (int e = least; e < -least; e += step)
    for (double m : {1.0, 1.3})
      for (double sign : {1.0, -1.0}) all.push_back(sign * std::ldexp(m, e));
  // Where e^x, and what is made of it, ends.
  for (double x = dtype == f32 ? -110 : -760; x < (dtype == f32 ? 110 : 760); x += dtype == f32 ? 0.37 : 3.1) all.push_back(x);
  return all;
}

std::string program_of(DType dtype, const std::string& op, int64_t count) {
  const std::string type = fmt::format("{}[{}]", name_of(dtype), count);
  return fmt::format("weft 1\nfunc @f {{\n  input %x: {0}\n  %0 = {1}(%x) : {0}\n  output y = %0\n}}\n", type, op);
}

/// The first operand at which the op meets a subnormal number, or nan.
double first_slow(DType dtype, const std::string& op, int64_t count) {
  Kernel kernel(dtype, program_of(dtype, op, count), count);
  for (double x : normal_operands(dtype))
    if (kernel.meets_subnormals(x)) return x;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

TEST_CASE("functions meet no subnormal numbers, those that their results are aside") {
  // One element, whole vectors, and a ragged one.
  for (int64_t count : {1, 16, 19})
    for (DType dtype : {f32, f64})
      for (const char* op : {"exp", "expm1", "log", "log1p", "tanh", "erf"}) {
        INFO(op << " of " << name_of(dtype) << "[" << count << "]");
        const double slow = first_slow(dtype, op, count);
        INFO("at " << slow);
        CHECK(std::isnan(slow));
      }
  for (const char* op : {"sin", "cos"}) {
    INFO(op);
    CHECK(std::isnan(first_slow(f32, op, 19)));
  }
}

TEST_CASE("softmax of masked scores and of scores far apart meets no subnormal numbers") {
  for (const char* low : {"-inf", "-1e9", "-110.0"}) {
    const std::string text = fmt::format(R"(weft 1
func @f {{
  input %x: f32[64]
  %0 = iota() {{axis = 1, shape = [4,16]}} : i64[4,16]
  %1 = constant() {{value = i64[] 4}} : i64[]
  %2 = broadcast(%1) {{shape = [4,16]}} : i64[4,16]
  %3 = le(%0, %2) : bool[4,16]
  %4 = constant() {{value = f32[] {}}} : f32[]
  %5 = broadcast(%4) {{shape = [4,16]}} : f32[4,16]
  %6 = reshape(%x) {{shape = [4,16]}} : f32[4,16]
  %7 = select(%3, %6, %5) : f32[4,16]
  %8 = softmax(%7) {{axis = 1}} : f32[4,16]
  output y = %8
}}
)",
                                         low);
    INFO(low);
    Kernel kernel(f32, text, 64);
    CHECK(!kernel.meets_subnormals(0.5));
  }
}

TEST_CASE("the flags tell when subnormal numbers are met") {
  Kernel kernel(f32, program_of(f32, "square", 16), 16);
  CHECK(kernel.meets_subnormals(0x1.4cccccp-70));
  CHECK(!kernel.meets_subnormals(0x1.4cccccp-40));
  Kernel half(f32, program_of(f32, "sigmoid", 16), 16);
  CHECK(half.meets_subnormals(0x1p-140));
}

#endif
