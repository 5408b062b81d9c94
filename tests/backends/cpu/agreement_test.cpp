// Generated kernels against the reference, and against themselves under every choice that may change no bit.

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

struct Sample {
  const char* name;
  std::string text;
  double tolerance;  // of the largest value: 8 x the movement by one f32 ulp of the inputs, measured, plus the op's bound
};

std::string function(const std::string& lines) { return "weft 1\nfunc @f {\n" + lines + "}\n"; }

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"ragged elementwise chain", function(R"(
  input %x: f32[3,37]
  input %b: f32[37]
  %0 = broadcast(%b) {shape = [3,37]} : f32[3,37]
  %1 = mul(%x, %0) : f32[3,37]
  %2 = tanh(%1) : f32[3,37]
  %3 = sigmoid(%2) : f32[3,37]
  output y = %3
)"),
       1e-6},
      {"row reductions in several stages", function(R"(
  input %x: f32[29,45]
  %0 = softmax(%x) {axis = 1} : f32[29,45]
  %1 = log_softmax(%x) {axis = 1} : f32[29,45]
  %2 = argmax(%x) {axis = 1} : i64[29]
  output s = %0
  output l = %1
  output a = %2
)"),
       2e-6},
      {"column reductions with their elementwise producer", function(R"(
  input %x: f32[50,37]
  input %y: f32[50,37]
  %0 = mul(%x, %y) : f32[50,37]
  %1 = exp(%0) : f32[50,37]
  %2 = sum(%1) {axes = [0]} : f32[37]
  %3 = max(%1) {axes = [0]} : f32[37]
  output p = %1
  output s = %2
  output m = %3
)"),
       2e-6},
      {"reductions over several axes", function(R"(
  input %x: f32[4,6,5,7]
  %0 = sum(%x) {axes = [0,2,3]} : f32[6]
  %1 = mean(%x) {axes = [1], keep_dims = true} : f32[4,1,5,7]
  %2 = min(%x) {axes = [0,1,2,3]} : f32[]
  output a = %0
  output b = %1
  output c = %2
)"),
       2e-6},
      {"reductions in pieces: of an axis alone, of whole rows, down columns and over three axes", function(R"(
  input %x: f32[3,2500]
  input %y: f32[90,37]
  input %z: f32[1500,21]
  input %t: f32[7,70,20]
  %0 = sum(%x) {axes = [1]} : f32[3]
  %1 = max(%x) {axes = [1]} : f32[3]
  %2 = sum(%y) {axes = [0,1]} : f32[]
  %3 = sum(%z) {axes = [0]} : f32[21]
  %4 = sum(%t) {axes = [0,1,2]} : f32[]
  %5 = sum(%t) {axes = [0,2]} : f32[70]
  %6 = softmax(%x) {axis = 1} : f32[3,2500]
  output a = %0
  output b = %1
  output c = %2
  output d = %3
  output e = %4
  output f = %5
  output g = %6
)"),
       2e-6},
      {"lanes filled across short axes, which some operands walk as one and others do not", function(R"(
  input %x: f32[40,3]
  input %b: f32[3]
  input %c: f32[40,1]
  input %y: f32[30,2,3,5]
  input %d: f32[2,3,1]
  input %t: f32[9,6,50]
  %0 = broadcast(%b) {shape = [40,3]} : f32[40,3]
  %1 = broadcast(%c) {shape = [40,3]} : f32[40,3]
  %2 = mul(%x, %0) : f32[40,3]
  %3 = exp(%2) : f32[40,3]
  %4 = mul(%3, %1) : f32[40,3]
  %5 = sum(%4) {axes = [0,1]} : f32[]
  %6 = iota() {shape = [40,3], axis = 1} : i64[40,3]
  %7 = cast(%6) {dtype = f32} : f32[40,3]
  %8 = mul(%4, %7) : f32[40,3]
  %9 = max(%8) {axes = [0,1]} : f32[]
  %10 = broadcast(%d) {shape = [30,2,3,5]} : f32[30,2,3,5]
  %11 = sub(%y, %10) : f32[30,2,3,5]
  %12 = sum(%11) {axes = [0,2,3]} : f32[2]
  %13 = sum(%11) {axes = [0,1,2]} : f32[5]
  %14 = pad(%y) {low = [0,0,1,0], high = [0,0,0,2], value = 0.5} : f32[30,2,4,7]
  %15 = sum(%14) {axes = [2,3]} : f32[30,2]
  %16 = sum(%t) {axes = [0,1]} : f32[50]
  %17 = transpose(%y) {permutation = [0,1,3,2]} : f32[30,2,5,3]
  %18 = sum(%17) {axes = [0,1,2,3]} : f32[]
  output p = %4
  output a = %5
  output b = %9
  output c = %12
  output d = %13
  output e = %15
  output f = %16
  output g = %18
)"),
       2e-6},
      {"movement", function(R"(
  input %x: f32[6,10]
  input %y: f32[6,4]
  %0 = transpose(%x) {permutation = [1,0]} : f32[10,6]
  %1 = exp(%0) : f32[10,6]
  %2 = concat(%x, %y) {axis = 1} : f32[6,14]
  %3 = pad(%2) {low = [1,2], high = [0,3], value = 1.5} : f32[7,19]
  %4 = slice(%3) {start = [0,1], end = [7,18], step = [2,3]} : f32[4,6]
  %5 = neg(%4) : f32[4,6]
  output t = %1
  output p = %5
)"),
       1e-6},
      {"integers and bools", function(R"(
  input %x: i64[33]
  input %y: i64[33]
  input %c: bool[33]
  %0 = div(%x, %y) : i64[33]
  %1 = lt(%x, %y) : bool[33]
  %2 = xor(%1, %c) : bool[33]
  %3 = select(%2, %0, %x) : i64[33]
  %4 = cast(%3) {dtype = u8} : u8[33]
  %5 = cast(%3) {dtype = f32} : f32[33]
  output a = %3
  output b = %4
  output c = %2
  output d = %5
)"),
       1e-6},
      {"double and bf16", function(R"(
  input %x: f64[19]
  input %y: bf16[19]
  %0 = exp(%x) : f64[19]
  %1 = sum(%0) {axes = [0]} : f64[]
  %2 = cast(%y) {dtype = f32} : f32[19]
  %3 = mul(%2, %2) : f32[19]
  %4 = cast(%3) {dtype = bf16} : bf16[19]
  output a = %1
  output b = %4
)"),
       1e-6},
      {"products", function(R"(
  input %a: f32[3,5,7]
  input %b: f32[3,9,7]
  input %c: f64[4,6]
  input %d: f64[6,5]
  input %v: f32[9]
  %0 = matmul(%a, %b) {transpose_b = true} : f32[3,5,9]
  %1 = broadcast(%v) {shape = [3,5,9]} : f32[3,5,9]
  %2 = add(%0, %1) : f32[3,5,9]
  %3 = relu(%2) : f32[3,5,9]
  %4 = matmul(%c, %d) : f64[4,5]
  output p = %3
  output q = %4
)"),
       2e-6},
      {"gather and scatter", function(R"(
  input %x: f32[8,5]
  input %i: i64[6]
  input %u: f32[6,5]
  %0 = gather(%x, %i) : f32[6,5]
  %1 = scatter_add(%x, %i, %u) : f32[8,5]
  output g = %0
  output s = %1
)"),
       1e-6},
      {"random", function(R"(
  input %k: i64[2] key
  input %x: f32[40]
  input %r: f64[] hyper
  %0 = random_uniform(%k) {shape = [40], site = 3} : f32[40]
  %1 = dropout(%x, %k, %r) {site = 4} : f32[40]
  %2 = random_bits(%k) {shape = [5,7], site = 5} : i32[5,7]
  output u = %0
  output d = %1
  output b = %2
)"),
       1e-6},
      {"training step", R"(weft 1
train {loss = "loss", inputs = ["w","b","v"], optimizer = "adam", keep = ["w.grad"]}
func @net {
  input %x: f32[12,20]
  input %y: i64[12]
  input %w: f32[40,20] parameter
  input %b: f32[40] parameter
  input %v: f32[8,40] parameter
  %0 = matmul(%x, %w) {transpose_b = true} : f32[12,40]
  %1 = broadcast(%b) {shape = [12,40]} : f32[12,40]
  %2 = add(%0, %1) : f32[12,40]
  %3 = gelu(%2) : f32[12,40]
  %4 = matmul(%3, %v) {transpose_b = true} : f32[12,8]
  %5 = cross_entropy(%4, %y) : f32[]
  output loss = %5
}
)",
       1e-4},
  };
  return all;
}

const std::vector<std::string> unfused = {"autodiff", "training_step", "decompose", "expand",   "simplify", "updates",
                                          "epilogue", "isolate",       "partition", "schedule", "plan"};

}  // namespace

TEST_CASE("generated programs agree with the reference") {
  for (const Sample& s : samples()) {
    INFO(s.name);
    const auto inputs = test::sample_inputs(s.text);
    const auto got = test::run_cpu(s.text, inputs), want = test::run_reference(s.text, inputs);
    REQUIRE(got.names == want.names);
    for (size_t i = 0; i < got.names.size(); ++i) {
      INFO(got.names[i]);
      CHECK(test::relative_difference(got.values[i], want.values[i]) <= s.tolerance);
    }
  }
}

TEST_CASE("fused and unfused programs give the same bits") {
  for (const Sample& s : samples()) {
    INFO(s.name);
    const auto inputs = test::sample_inputs(s.text);
    CHECK(test::same_bits(test::run_cpu(s.text, inputs), test::run_cpu(s.text, inputs, {{}, unfused})));
  }
}

TEST_CASE("one and two threads give the same bits") {
  for (const Sample& s : samples()) {
    INFO(s.name);
    const auto inputs = test::sample_inputs(s.text);
    CHECK(test::same_bits(test::run_cpu(s.text, inputs, {{.threads = 1}, {}}),
                          test::run_cpu(s.text, inputs, {{.threads = 2, .share_all = true}, {}})));
  }
}

TEST_CASE("vectors of 128, 256 and 512 bits give the same bits") {
  if (!__builtin_cpu_supports("avx512f")) WARN("this machine has no vectors of 512 bits: only 128 and 256 are compared");
  for (const Sample& s : samples()) {
    if (s.text.find("matmul") != std::string::npos) continue;  // the library chooses by what it was limited to first
    INFO(s.name);
    const auto inputs = test::sample_inputs(s.text);
    const auto widest = test::run_cpu(s.text, inputs);
    for (const std::string isa : {"sse4", "avx2", "avx512"}) {
      if (isa == "avx512" && !__builtin_cpu_supports("avx512f")) continue;
      INFO(isa);
      CHECK(test::same_bits(widest, test::run_cpu(s.text, inputs, {{.max_isa = isa}, {}})));
    }
  }
}

TEST_CASE("a sum of one negative zero, or of none but such, is zero, simplified or not") {
  const std::string text = function(R"(
  input %x: f32[]
  input %y: f32[3,1]
  %0 = sum(%x) {axes = []} : f32[]
  %1 = reciprocal(%0) : f32[]
  %2 = sum(%y) {axes = [1]} : f32[3]
  %3 = reciprocal(%2) : f32[3]
  %4 = sum(%y) {axes = [0,1]} : f32[]
  %5 = reciprocal(%4) : f32[]
  output none = %1
  output one = %3
  output all = %5
)");
  std::vector<Array> inputs{Array(f32, {}), Array(f32, {3, 1})};
  for (Array& a : inputs)
    for (int64_t i = 0; i < a.shape().numel(); ++i) a.set(i, -0.0);
  std::vector<std::string> unsimplified = passes::pipeline("compile");
  std::erase(unsimplified, "simplify");
  for (const auto& pipeline : {passes::pipeline("compile"), unsimplified}) {
    const auto got = test::run_cpu(text, inputs, {{}, pipeline});
    for (const Array& a : got.values)
      for (int64_t i = 0; i < a.shape().numel(); ++i) CHECK(a.at(i) == std::numeric_limits<double>::infinity());
  }
}

TEST_CASE("nan and infinity pass through a product and its epilogue as in the reference") {
  const std::string text = function(R"(
  input %a: f32[4,20]
  input %b: f32[20,33]
  input %v: f32[33]
  %0 = matmul(%a, %b) : f32[4,33]
  %1 = broadcast(%v) {shape = [4,33]} : f32[4,33]
  %2 = add(%0, %1) : f32[4,33]
  %3 = relu(%2) : f32[4,33]
  output y = %3
)");
  auto inputs = test::sample_inputs(text);
  inputs[0].set(23, std::numeric_limits<double>::quiet_NaN());
  inputs[0].set(43, std::numeric_limits<double>::infinity());
  CHECK(test::relative_difference(test::run_cpu(text, inputs).values[0], test::run_reference(text, inputs).values[0]) < 1e-6);
}

TEST_CASE("a power of two is the product, whatever the base") {
  // The exponent comes at run time: a constant one would have become a product before.
  for (const std::string dtype : {"f32", "f64", "bf16"}) {
    INFO(dtype);
    const std::string type = dtype + "[4000]";
    const std::string text = function("  input %x: " + type + "\n  input %two: " + type + R"(
  %0 = pow(%x, %two) : )" + type + R"(
  %1 = mul(%x, %x) : )" + type + R"(
  output power = %0
  output product = %1
)");
    auto inputs = test::sample_inputs(text);
    for (int64_t e = 0; e < 4000; ++e) {
      const double x = inputs[0].at(e);  // of both signs, from where an f32 square is 0 to where it is infinite
      inputs[0].set(e, std::ldexp(x, static_cast<int>(e % 300) - 150));
      inputs[1].set(e, 2);
    }
    const double special[] = {0.0, -0.0, -1.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (int64_t e = 0; e < 5; ++e) inputs[0].set(e, special[e]);
    const auto got = test::run_cpu(text, inputs);
    CHECK(test::same_bits({{""}, {got.values[0]}}, {{""}, {got.values[1]}}));
  }
}

TEST_CASE("an unknown instruction set is refused") {
  CHECK_THROWS_WITH(test::run_cpu(samples()[0].text, test::sample_inputs(samples()[0].text), {{.max_isa = "avx3"}, {}}),
                    "unknown instruction set \"avx3\"; known are sse4, avx2, avx512");
}

TEST_CASE("an edited plan that does not hold is refused") {
  ir::Module m = ir::parse(samples()[1].text);
  passes::run(m, passes::pipeline("compile"), cpu::target());
  cpu::compile(m);
  m.arena_bytes = 64;
  CHECK_THROWS_WITH(cpu::compile(m), contains_text("has no room"));
}

TEST_CASE("a module that was not planned for the cpu is refused") {
  CHECK_THROWS_WITH(test::run_cpu(samples()[0].text, test::sample_inputs(samples()[0].text), {{}, {"decompose"}}),
                    contains_text("needs one that has been planned"));
}
