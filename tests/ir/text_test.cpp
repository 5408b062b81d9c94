// Text is a first-class form: print(parse(t)) == t for printed texts, and parse(print(m)) equals m.

#include <cmath>
#include <cstring>
#include <limits>

#include "weft/ir/builder.h"
#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

void check_printed_text(const std::string& text, ir::Names names = ir::Names::numbers) {
  const ir::Module module = ir::parse(text);
  CHECK(ir::print(module, {.names = names}) == text);
  CHECK(ir::equal(ir::parse(ir::print(module)), module));
  CHECK(ir::equal(module.clone(), module));
}

/// A function that returns the constant, printed and read back.
ir::Dense read_back(const ir::Dense& value) {
  ir::Module module("f");
  module.graph().add_output({"c", ir::Builder(module.graph())("constant", {}, {{"value", value}}), {}, {}});
  check_printed_text(ir::print(module), ir::Names::derived);
  const ir::Module again = ir::parse(ir::print(module));
  CHECK(ir::equal(again, module));
  return again.graph().ops().front()->attribute<ir::Dense>("value");
}

template <class T>
ir::Dense dense(DType dtype, Shape shape, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return ir::Dense({dtype, std::move(shape)}, bytes);
}

}  // namespace

TEST_CASE("a planned training step survives as text", "[text]") {
  check_printed_text(R"(weft 1
module target = "cpu" stage = "plan" arena = 4096
train {loss = "loss", inputs = ["w", "b"], optimizer = "sgd", momentum = true, scale = 1.0, clip_value = true, clip_norm = true, keep = ["w.grad"], counters = [0,1]}
group "head" {inputs = ["c"], optimizer = "adam", amsgrad = true}
group "rest" {inputs = [], optimizer = "sgd"}
func @line {
  input %t_u: f32[11] at "line.cpp":5
  input %w: f32[] @0 parameter at "line.cpp":7 "fc1"
  input %b: f32[] @64 parameter
  input %old: f32[11] @128 state
  input %lr: f64[] hyper
  input %key: i64[2] key
  %0 = broadcast(%w) {shape = [11]} : f32[11] @192 at "line.cpp":9, "nn.cpp":10 "fc1"
  %1 = mul(%0, %t_u) : f32[11] @192 at "line.cpp":9
  %2 = sum(%1) {axes = [0]} : f32[] @256
  %3 = sum(%1) {axes = [0], keep_dims = true} : f32[1]
  %4 = reshape(%3) {shape = []} : f32[]
  %5 = copy(%old) : f32[11]
  output loss = %2 at "line.cpp":11
  output w = %4 aliases %w at "line.cpp":12
  output %5 aliases %old
  output "w again" = %4
}
)");
}

TEST_CASE("what an op was made for survives as text", "[text]") {
  check_printed_text(R"(weft 1
func @f {
  input %x: f32[4]
  %0 = exp(%x) : f32[4] at "a.cpp":3
  %1 = neg(%0) : f32[4] at "a.cpp":3 "fc1", "b.cpp":4 in backward
  %2 = neg(%1) : f32[4] at "a.cpp":3 in forward, update
  output y = %2 at "a.cpp":5
}
)");
  const auto text = [](const char* phases) {
    return fmt::format("weft 1\nfunc @f {{\n  input %x: f32[]\n  %0 = exp(%x) : f32[] at \"a.cpp\":3{}\n  output y = %0\n}}\n", phases);
  };
  CHECK_THROWS_WITH(ir::parse(text(" in reverse")), contains_text("'reverse' is none of forward, backward and update"));
  CHECK_FALSE(ir::equal(ir::parse(text(" in backward")), ir::parse(text(""))));
  CHECK(ir::print(ir::parse(text(" in forward")), {.names = ir::Names::numbers}) == text(""));
}

TEST_CASE("bodies survive as text, with places and lines", "[text]") {
  check_printed_text(R"(weft 1
func @f {
  input %x: f32[2,3]
  input %w: f32[3,4]
  input %b: f32[4]
  %0 = matmul(%x, %w, %b) : f32[2,4] @64 {
    input %product: f32[2,4] @0
    input %bias: f32[4]
    %0 = broadcast(%bias) {shape = [2,4]} : f32[2,4] at "a.cpp":3
    %1 = add(%product, %0) : f32[2,4]
    output %1
  } at "a.cpp":3, "a.cpp":4
  %1, %2 = kernel(%0) {serial = true} : f32[2,4] @128, f32[2] {
    input %a: f32[2,4]
    %0 = fused(%a) : f32[2,4] {
      input %p: f32[2,4]
      %0 = exp(%p) : f32[2,4] at "a.cpp":5
      output %0
    }
    %1 = fused(%0) : f32[2] {
      input %q: f32[2,4]
      %0 = max(%q) {axes = [1]} : f32[2]
      output named = %0
    } at "a.cpp":6
    output %0
    output %1
  }
  output y = %1
  output z = %2
}
)");
}

TEST_CASE("names are quoted where they must be", "[text]") {
  check_printed_text(R"(weft 1
module target = "a \"quoted\" target"
func @"two words" {
  input %"0": f32[]
  input %0.weight: f32[] at "C:\\src\\a b.cpp":1 "encoder.0 \"x\""
  input %"": f32[]
  input %"line\nbreak": f32[]
  input %".hidden": f32[]
  input %_: f32[]
  %0 = add(%"0", %0.weight) : f32[]
  output "1" = %0
  output ".y" = %""
  output "sum of x, y" = %"line\nbreak"
  output input = %_
}
)");
}

TEST_CASE("an empty function and an empty train block survive as text", "[text]") {
  check_printed_text("weft 1\nfunc @main {\n}\n");
  check_printed_text("weft 1\ntrain {loss = \"\", inputs = []}\nfunc @\"\" {\n}\n");
}

TEST_CASE("every kind of attribute survives as text", "[text]") {
  check_printed_text(R"(weft 1
func @f {
  input %x: f64[2,0]
  input %y: f64[]
  %0 = pad(%x) {low = [0,1], high = [2,0], value = -0.0} : f64[4,1]
  %1 = pad(%x) {low = [0,0], high = [0,0], value = inf} : f64[2,0]
  %2 = pad(%x) {low = [0,0], high = [0,0], value = -inf} : f64[2,0]
  %3 = pad(%x) {low = [0,0], high = [0,0], value = nan} : f64[2,0]
  %4 = pad(%x) {low = [0,0], high = [0,0], value = 1e-05} : f64[2,0]
  %5 = pad(%x) {low = [0,0], high = [0,0], value = -2.5e+300} : f64[2,0]
  %6 = broadcast(%y) {shape = []} : f64[]
  %7 = gelu(%y) {approximate = "tanh"} : f64[]
  %8 = cast(%y) {dtype = bf16} : bf16[]
  %9 = iota() {shape = [2,3], axis = 1} : i64[2,3]
  %10 = constant() {value = bool[2] [true,false]} : bool[2]
  %11 = constant() {value = bool[] true} : bool[]
  %12 = constant() {value = i64[3] [-9223372036854775808,9223372036854775807,0]} : i64[3]
  %13 = constant() {value = u8[2,1] [255,0]} : u8[2,1]
  %14 = constant() {value = i32[5] -7} : i32[5]
  %15 = constant() {value = f32[4] [0.1,-0.0,inf,nan]} : f32[4]
  %16 = constant() {value = f32[2] [7.038531e-26,16777216.0]} : f32[2]
  %17 = constant() {value = bf16[2] [0.10009765625,-inf]} : bf16[2]
  %18 = constant() {value = f64[2] [5e-324,1.7976931348623157e+308]} : f64[2]
  %19 = constant() {value = f32[0,3] 0.0} : f32[0,3]
  %20 = constant() {value = u8[17] hex"000102030405060708090a0b0c0d0e0fff"} : u8[17]
  %21 = constant() {value = f32[17] 0.5} : f32[17]
  %22 = constant() {value = f32[2] hex"0100c07f0000803f"} : f32[2]
  output y = %0
}
)");
}

TEST_CASE("constants keep their bits", "[text]") {
  const double inf = std::numeric_limits<double>::infinity();
  for (DType dtype : {f64, f32, bf16})
    for (double value : {0.0, -0.0, 1.0, 0.1, 1e-30, 1e-40, 3e38, -inf, inf, std::nan("")}) {
      const ir::Dense splat = ir::Dense::splat({dtype, {2, 3}}, value);
      CHECK(read_back(splat) == splat);
    }
  const ir::Dense large = ir::Dense::splat_integer({i64, {}}, (int64_t{1} << 53) + 1);
  CHECK(read_back(large).integer_at(0) == (int64_t{1} << 53) + 1);

  std::vector<float> many(100);
  for (int i = 0; i < 100; ++i) many[static_cast<size_t>(i)] = std::ldexp(1 + 0.01f * static_cast<float>(i), i - 50);
  const ir::Dense hex = dense(f32, {10, 10}, many);
  CHECK(read_back(hex) == hex);

  const ir::Dense odd_nan = dense<uint64_t>(f64, {2}, {0x7ff0dead00000001, 0xfff8000000000000});
  CHECK(read_back(odd_nan) == odd_nan);
  const ir::Dense all_odd = dense<uint32_t>(f32, {2}, {0xffc00001, 0xffc00001});
  CHECK(all_odd.is_splat());
  CHECK(read_back(all_odd) == all_odd);
}

TEST_CASE("f32 elements are read in one rounding", "[text]") {
  // Read as a double first, this one becomes its upper neighbour.
  const ir::Module module = ir::parse("weft 1 func @f { %0 = constant() {value = f32[] 7.038531e-26} : f32[] output %0 }");
  float value;
  std::memcpy(&value, module.graph().ops().front()->attribute<ir::Dense>("value").bytes().data(), sizeof value);
  CHECK(value == 7.038531e-26f);
}

TEST_CASE("reals are printed as short as they read back", "[text]") {
  CHECK(ir::print_real(1) == "1.0");
  CHECK(ir::print_real(-0.0) == "-0.0");
  CHECK(ir::print_real(1e22) == "1e+22");
  CHECK(ir::print_real(0.1) == "0.1");
  CHECK(ir::print_real(1e-5) == "1e-05");
  CHECK(ir::print_real(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(ir::print_real(-std::nan("")) == "nan");
}

TEST_CASE("white space, comments and the names of results are free", "[text]") {
  const ir::Module printed = ir::parse(R"(weft 1
func @f {
  input %x: f32[2] at "a.cpp":1
  %0 = exp(%x) : f32[2] at "a.cpp":2 "s"
  %1, %2 = fused(%0) : f32[2], f32[2] {
    input %z: f32[2]
    %0 = neg(%z) : f32[2]
    output %0
    output %z
  }
  %3 = add(%1, %2) : f32[2]
  output y = %3
}
)");
  const ir::Module free = ir::parse(R"(# a comment before all
weft 1 func @f{input %x:f32[2]at "a.cpp":1 # the operand
%e=exp( %x ):f32 [ 2 ]at"a.cpp":2"s"
	%minus , %"same thing" = fused ( %e )
    : f32[2] , f32[2] { input %z : f32[2] %inner.result = neg(%z):f32[2]
      output %inner.result output %z }
%7 = add(%minus, %"same thing") : f32[2] output y = %7 } # a comment after all)");
  CHECK(ir::equal(free, printed));
  CHECK(ir::print(free, {.names = ir::Names::numbers}) == ir::print(printed, {.names = ir::Names::numbers}));
}

TEST_CASE("one op prints as one line", "[text]") {
  const ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2,3]
  %0 = exp(%x) : f32[2,3]
  %1 = softmax(%0) {axis = 1} : f32[2,3]
  output %1
}
)");
  CHECK(ir::print(*module.graph().ops().back()) == "%softmax = softmax(%exp) {axis = 1} : f32[2,3]");
}
