// The reference against values computed by hand.

#include "weft/backends/reference/reference.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "weft/ir/parser.h"
#include "weft/runtime/array.h"
#include "weft/support/philox.h"
#include "weft/support/reduction_order.h"
#include "weft/tests/catch.h"

using namespace weft;
using reference::Tensor;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

Tensor real(Shape shape, std::vector<double> values, DType dtype = f64) {
  Tensor t(ir::Type{dtype, std::move(shape)});
  REQUIRE(t.real.size() == values.size());
  t.real = std::move(values);
  return t;
}

Tensor integer(DType dtype, Shape shape, std::vector<int64_t> values) {
  Tensor t(ir::Type{dtype, std::move(shape)});
  REQUIRE(t.integer.size() == values.size());
  t.integer = std::move(values);
  return t;
}

std::vector<Tensor> run(const std::string& statements, const std::vector<Tensor>& inputs) {
  return reference::evaluate(ir::parse("weft 1 func @f {" + statements + "}").graph(), inputs);
}

/// One op applied to x, or to x and y.
Tensor apply(const std::string& op, const Tensor& x, const std::string& attributes, const std::string& type) {
  return run("input %x: " + to_string(x.type) + " %0 = " + op + "(%x) " + attributes + " : " + type + " output %0", {x})[0];
}

Tensor apply(const std::string& op, const Tensor& x, const Tensor& y) {
  return run("input %x: " + to_string(x.type) + " input %y: " + to_string(y.type) + " %0 = " + op + "(%x, %y) : " + to_string(x.type) +
                 " output %0",
             {x, y})[0];
}

std::vector<int64_t> cast_to(const std::string& dtype, std::vector<double> values) {
  const auto count = static_cast<int64_t>(values.size());
  const std::string type = dtype + "[" + std::to_string(count) + "]";
  return apply("cast", real({count}, std::move(values)), "{dtype = " + dtype + "}", type).integer;
}

}  // namespace

TEST_CASE("integers wrap in their own type", "[reference]") {
  using Values = std::vector<int64_t>;
  constexpr int64_t low = std::numeric_limits<int64_t>::min(), high = std::numeric_limits<int64_t>::max();
  const auto both = [](const char* op, DType t, Values x, Values y) {
    const auto count = static_cast<int64_t>(x.size());
    return apply(op, integer(t, {count}, x), integer(t, {count}, y)).integer;
  };
  CHECK(both("add", u8, {200, 255}, {100, 1}) == Values{44, 0});
  CHECK(both("sub", u8, {1}, {2}) == Values{255});
  CHECK(both("mul", i32, {65536, 46341}, {65536, 46341}) == Values{0, -2147479015});
  CHECK(both("add", i64, {high, low}, {1, -1}) == Values{low, high});
  CHECK(both("mul", i64, {high, low}, {2, -1}) == Values{-2, low});
  CHECK(both("div", i32, {7, -7, 7, -7, 5, -2147483648}, {2, 2, -2, -2, 0, -1}) == Values{3, -3, -3, 3, 0, -2147483648});
  CHECK(both("div", i64, {low, low, 0}, {-1, 0, 0}) == Values{low, 0, 0});
  CHECK(both("shift_right", u8, {255, 255, 255}, {1, 7, 8}) == Values{127, 1, 0});
  CHECK(both("shift_right", i32, {-1, -1, -1, -8}, {0, 31, 32, -1}) == Values{-1, 1, 0, 0});
  CHECK(both("shift_right", i64, {-1, -1}, {1, 63}) == Values{high, 1});
  CHECK(both("xor", boolean, {0, 0, 1, 1}, {0, 1, 0, 1}) == Values{0, 1, 1, 0});
  CHECK(both("maximum", u8, {200}, {100}) == Values{200});
  CHECK(apply("neg", integer(u8, {2}, {1, 0}), "", "u8[2]").integer == Values{255, 0});
  CHECK(apply("abs", integer(i32, {2}, {-2147483648, -3}), "", "i32[2]").integer == Values{-2147483648, 3});
  CHECK(apply("not", integer(u8, {1}, {1}), "", "u8[1]").integer == Values{254});
  CHECK(apply("not", integer(boolean, {2}, {1, 0}), "", "bool[2]").integer == Values{0, 1});
}

TEST_CASE("casts to integers truncate; beyond i32 and i64 they saturate, beyond smaller ones they wrap", "[reference]") {
  using Values = std::vector<int64_t>;
  CHECK(cast_to("i64", {-2.7, -0.5, 0.5, 2.7, 1e300, -1e300, inf, -inf, nan_value}) ==
        Values{-2, 0, 0, 2, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
               std::numeric_limits<int64_t>::min(), 0});
  CHECK(cast_to("i32", {2147483647.5, 2147483648.0, -2147483648.5, -2147483649.0, nan_value}) ==
        Values{2147483647, 2147483647, -2147483648, -2147483648, 0});
  CHECK(cast_to("u8", {255.9, 256, -0.9, -1, nan_value}) == Values{255, 0, 0, 255, 0});
  CHECK(cast_to("i8", {127.9, 128, -129, inf, 1e300}) == Values{127, -128, 127, 0, 0});
  CHECK(cast_to("bool", {0.0, -0.0, 0.1, nan_value, inf}) == Values{0, 0, 1, 1, 1});
  const Tensor wide = integer(i64, {3}, {257, -1, int64_t{1} << 40});
  CHECK(apply("cast", wide, "{dtype = u8}", "u8[3]").integer == Values{1, 255, 0});
  CHECK(apply("cast", wide, "{dtype = i32}", "i32[3]").integer == Values{257, -1, 0});
  CHECK(apply("cast", wide, "{dtype = bool}", "bool[3]").integer == Values{1, 1, 1});
}

TEST_CASE("casts to narrower floats round, and nothing else does", "[reference]") {
  const Tensor x = real({2}, {0.1, 1 + 0x1p-24 + 0x1p-40});
  CHECK(apply("cast", x, "{dtype = f32}", "f32[2]").real == std::vector<double>{0.1f, 1 + 0x1p-23});
  CHECK(apply("cast", x, "{dtype = bf16}", "bf16[2]").real == std::vector<double>{0.10009765625, 1});
  // A value that was never rounded stays what it is on the way back.
  const Tensor narrow = real({1}, {0.1}, f32);
  CHECK(apply("exp", narrow, "", "f32[1]").real[0] == std::exp(0.1));
  CHECK(apply("cast", narrow, "{dtype = f64}", "f64[1]").real[0] == 0.1);
  CHECK(apply("copy", narrow, "", "f32[1]").real[0] == 0.1);
  // From i64 to f32 in one rounding: by way of double, it would end at 2^60.
  const int64_t big = (int64_t{1} << 60) + (int64_t{1} << 36) + 1;
  CHECK(apply("cast", integer(i64, {}, {big}), "{dtype = f32}", "f32[]").real[0] == 0x1p60 + 0x1p37);
}

TEST_CASE("memory holds elements of the tensor's type", "[reference]") {
  const auto through_memory = [](const Tensor& t) {
    Array array(t.type.dtype, t.type.shape);
    reference::to_memory(t, array.data());
    return reference::from_memory(t.type, array.data());
  };
  CHECK(through_memory(real({2}, {0.1, -inf}, f32)).real == std::vector<double>{0.1f, -inf});
  CHECK(through_memory(real({2}, {0.1, -0.0}, bf16)).real == std::vector<double>{0.10009765625, 0});
  CHECK(through_memory(real({3}, {0.1, 65520, -0x1p-25}, f16)).real == std::vector<double>{0.0999755859375, inf, -0.0});
  CHECK(through_memory(real({1}, {0.1})).real[0] == 0.1);
  for (DType t : {i64, i32, i16, i8, u32, u16, u8, boolean}) {
    const Tensor values = integer(t, {3}, {0, 1, 1});
    CHECK(through_memory(values).integer == values.integer);
  }
  CHECK(through_memory(integer(i64, {1}, {(int64_t{1} << 62) + 1})).integer[0] == (int64_t{1} << 62) + 1);
}

TEST_CASE("reductions of nothing give the neutral element", "[reference]") {
  CHECK(apply("sum", real({2, 0}, {}), "{axes = [1]}", "f64[2]").real == std::vector<double>{0, 0});
  CHECK(apply("sum", integer(i32, {0}, {}), "{axes = [0], keep_dims = true}", "i32[1]").integer == std::vector<int64_t>{0});
  CHECK(std::isnan(apply("mean", real({0}, {}), "{axes = [0]}", "f64[]").real[0]));
  CHECK(apply("max", real({0, 2}, {}), "{axes = [1]}", "f64[0]").real.empty());
}

TEST_CASE("extremes of integers start from the type's own extreme", "[reference]") {
  CHECK(apply("max", integer(u8, {2}, {0, 0}), "{axes = [0]}", "u8[]").integer[0] == 0);
  CHECK(apply("min", integer(u8, {2}, {255, 255}), "{axes = [0]}", "u8[]").integer[0] == 255);
  CHECK(apply("max", integer(i8, {2}, {-128, -127}), "{axes = [0]}", "i8[]").integer[0] == -127);
  CHECK(apply("min", integer(u32, {1}, {4294967295}), "{axes = [0]}", "u32[]").integer[0] == 4294967295);
  constexpr int64_t low = std::numeric_limits<int64_t>::min(), high = std::numeric_limits<int64_t>::max();
  CHECK(apply("max", integer(i64, {1}, {low}), "{axes = [0]}", "i64[]").integer[0] == low);
  CHECK(apply("min", integer(i64, {1}, {high}), "{axes = [0]}", "i64[]").integer[0] == high);
  CHECK(apply("max", integer(i32, {2}, {-2147483648, -2147483648}), "{axes = [0]}", "i32[]").integer[0] == -2147483648);
  CHECK(std::isnan(apply("max", real({40}, std::vector<double>(40, nan_value)), "{axes = [0]}", "f64[]").real[0]));
  CHECK(apply("max", real({1}, {-inf}), "{axes = [0]}", "f64[]").real[0] == -inf);
}

TEST_CASE("sums are taken in the documented order", "[reference]") {
  // Three rows of 70: the lane of an element is its index along the last axis modulo 16.
  Tensor x(ir::Type{f64, {3, 70}});
  for (size_t i = 0; i < x.real.size(); ++i) x.real[i] = 1 / (static_cast<double>(i) - 90.5);
  double lanes[reduction_lanes] = {};
  for (size_t i = 0; i < x.real.size(); ++i) lanes[i % 70 % reduction_lanes] += x.real[i];
  for (int half = reduction_lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  CHECK(apply("sum", x, "{axes = [0,1]}", "f64[]").real[0] == lanes[0]);

  double in_order = 0;
  for (double v : x.real) in_order += v;
  CHECK(lanes[0] != in_order);  // else this test could not tell

  // The outer axis alone: three elements in three lanes, (x0 + x2) + x1.
  const Tensor columns = apply("sum", x, "{axes = [0]}", "f64[70]");
  for (size_t i = 0; i < 70; ++i) CHECK(columns.real[i] == (x.real[i] + x.real[140 + i]) + x.real[70 + i]);
}

TEST_CASE("a long sum is taken in the documented pieces", "[reference]") {
  const auto tree = [](std::vector<double> lanes) {
    for (size_t half = reduction_lanes / 2; half > 0; half /= 2)
      for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    return lanes[0];
  };
  const auto lane = [](size_t i) { return i % reduction_lanes; };
  // 16 elements of a lane: of one axis those with neighbouring 256 indices, of rows with 5 for a lane those of 3 rows. Pieces
  // are combined as elements are: 16 of them, then 16 of what they made.
  Tensor x(ir::Type{f64, {5000}}), y(ir::Type{f64, {50, 70}});
  for (size_t i = 0; i < x.real.size(); ++i) x.real[i] = std::sqrt(static_cast<double>(i + 1));
  for (size_t i = 0; i < y.real.size(); ++i) y.real[i] = 1 / (static_cast<double>(i) - 1700.3);
  std::vector<std::vector<double>> pieces;
  const auto begin_piece = [&] { pieces.emplace_back(reduction_lanes); };
  const auto total = [&] {
    while (pieces.size() > 1) {
      const auto below = std::exchange(pieces, {});
      for (size_t p = 0; p < below.size(); ++p) {
        if (p % 16 == 0) begin_piece();
        for (size_t i = 0; i < reduction_lanes; ++i) pieces.back()[i] += below[p][i];
      }
    }
    return tree(std::exchange(pieces, {})[0]);
  };
  std::vector<double> one(reduction_lanes);
  for (size_t i = 0; i < 5000; ++i) {
    if (i % 256 == 0) begin_piece();
    pieces.back()[lane(i)] += x.real[i], one[lane(i)] += x.real[i];
  }
  const double of_axis = total();
  CHECK(apply("sum", x, "{axes = [0]}", "f64[]").real[0] == of_axis);
  CHECK(tree(one) != of_axis);  // else this test could not tell

  one.assign(reduction_lanes, 0);
  for (size_t row = 0; row < 50; ++row) {
    if (row % 3 == 0) begin_piece();
    for (size_t i = 0; i < 70; ++i) pieces.back()[lane(i)] += y.real[row * 70 + i], one[lane(i)] += y.real[row * 70 + i];
  }
  const double of_rows = total();
  CHECK(apply("sum", y, "{axes = [0,1]}", "f64[]").real[0] == of_rows);
  CHECK(tree(one) != of_rows);
}

TEST_CASE("a lane axis with few elements takes in the reduced axes before it, and no other", "[reference]") {
  Tensor x(ir::Type{f64, {7, 5, 1, 9}});
  for (size_t i = 0; i < x.real.size(); ++i) x.real[i] = std::sqrt(static_cast<double>(i + 1));
  const auto same_as_reshaped = [&](const char* axes, const char* result, Dims shape, const char* reshaped_axes) {
    Tensor flat(ir::Type{f64, Shape(shape)});
    flat.real = x.real;
    return apply("sum", x, axes, result).real == apply("sum", flat, reshaped_axes, result).real;
  };
  CHECK(same_as_reshaped("{axes = [0,1,2,3]}", "f64[]", {315}, "{axes = [0]}"));
  CHECK(same_as_reshaped("{axes = [1,2,3]}", "f64[7]", {7, 45}, "{axes = [1]}"));
  CHECK(same_as_reshaped("{axes = [0,1]}", "f64[1,9]", {35, 1, 9}, "{axes = [0]}"));
  // 70 elements stay alone.
  Tensor rows(ir::Type{f64, {4, 70}}), flat(ir::Type{f64, {280}});
  for (size_t i = 0; i < 280; ++i) rows.real[i] = flat.real[i] = 1 / (static_cast<double>(i) - 120.3);
  CHECK(apply("sum", rows, "{axes = [0,1]}", "f64[]").real != apply("sum", flat, "{axes = [0]}", "f64[]").real);
}

TEST_CASE("movements read where their maps say", "[reference]") {
  const Tensor x = real({2, 3}, {1, 2, 3, 4, 5, 6});
  using Values = std::vector<double>;
  CHECK(apply("transpose", x, "{permutation = [1,0]}", "f64[3,2]").real == Values{1, 4, 2, 5, 3, 6});
  CHECK(apply("reshape", x, "{shape = [3,2]}", "f64[3,2]").real == x.real);
  CHECK(apply("slice", x, "{start = [1,0], end = [2,3], step = [1,2]}", "f64[1,2]").real == Values{4, 6});
  CHECK(apply("pad", x, "{low = [0,1], high = [1,0], value = -1}", "f64[3,4]").real == Values{-1, 1, 2, 3, -1, 4, 5, 6, -1, -1, -1, -1});
  CHECK(apply("broadcast", real({2, 1}, {1, 2}), "{shape = [2,2,2]}", "f64[2,2,2]").real == Values{1, 1, 2, 2, 1, 1, 2, 2});
  CHECK(apply("broadcast", real({}, {7}), "{shape = []}", "f64[]").real == Values{7});
  CHECK(run("input %x: f64[2,3] input %y: f64[2,1] %0 = concat(%y, %x, %y) {axis = 1} : f64[2,5] output %0", {x, real({2, 1}, {8, 9})})[0]
            .real == Values{8, 1, 2, 3, 8, 9, 4, 5, 6, 9});
  CHECK(run("%0 = iota() {shape = [2,3], axis = 1} : i64[2,3] output %0", {})[0].integer == std::vector<int64_t>{0, 1, 2, 0, 1, 2});
}

TEST_CASE("cross entropy of a class that does not exist is nan, not a loss of zero", "[reference]") {
  const auto loss = [](int64_t label) {
    return run("input %x: f64[1,3] input %y: i64[1] %0 = cross_entropy(%x, %y) : f64[] output %0",
               {real({1, 3}, {1, 2, 3}), integer(i64, {1}, {label})})[0]
        .real[0];
  };
  CHECK(std::isnan(loss(3)));
  CHECK(std::isnan(loss(-1)));
  CHECK(loss(2) > 0);
}

TEST_CASE("a padding value is an element of the padded type", "[reference]") {
  CHECK(apply("pad", real({0}, {}, f32), "{low = [1], high = [0], value = 0.1}", "f32[1]").real[0] == 0.1f);
  CHECK(apply("pad", integer(i64, {0}, {}), "{low = [1], high = [0], value = -2.9}", "i64[1]").integer[0] == -2);
  CHECK(apply("pad", integer(u8, {0}, {}), "{low = [1], high = [0], value = -1.0}", "u8[1]").integer[0] == 255);  // as a constant
}

TEST_CASE("matmul multiplies, transposed, batched and wrapped", "[reference]") {
  const Tensor a = real({2, 3}, {1, 2, 3, 4, 5, 6}), b = real({3, 2}, {7, 8, 9, 10, 11, 12});
  using Values = std::vector<double>;
  const auto product = [](const Tensor& x, const Tensor& y, const std::string& attributes, const std::string& type) {
    return run("input %x: " + to_string(x.type) + " input %y: " + to_string(y.type) + " %0 = matmul(%x, %y) " + attributes + " : " + type +
                   " output %0",
               {x, y})[0];
  };
  CHECK(product(a, b, "", "f64[2,2]").real == Values{58, 64, 139, 154});
  CHECK(product(a, a, "{transpose_b = true}", "f64[2,2]").real == Values{14, 32, 32, 77});
  CHECK(product(a, a, "{transpose_a = true}", "f64[3,3]").real == Values{17, 22, 27, 22, 29, 36, 27, 36, 45});
  CHECK(product(a, b, "{transpose_a = true, transpose_b = true}", "f64[3,3]").real == Values{39, 49, 59, 54, 68, 82, 69, 87, 105});
  CHECK(product(real({2, 1, 2}, {1, 2, 3, 4}), real({2, 2, 1}, {5, 6, 7, 8}), "", "f64[2,1,1]").real == Values{17, 53});
  CHECK(product(real({1, 0}, {}), real({0, 2}, {}), "", "f64[1,2]").real == Values{0, 0});
  CHECK(product(integer(u8, {1, 2}, {200, 200}), integer(u8, {2, 1}, {1, 1}), "", "u8[1,1]").integer[0] == 144);
}

TEST_CASE("an epilogue sees the product and the further operands", "[reference]") {
  const std::vector<Tensor> results = run(R"(
    input %a: f64[2,2] input %b: f64[2,2] input %bias: f64[2]
    %0 = matmul(%a, %b, %bias) : f64[2,2] {
      input %product: f64[2,2] input %extra: f64[2]
      %0 = broadcast(%extra) {shape = [2,2]} : f64[2,2]
      %1 = add(%product, %0) : f64[2,2]
      %2 = relu(%1) : f64[2,2]
      output %2
    }
    output %0)",
                                          {real({2, 2}, {1, 2, 3, 4}), real({2, 2}, {1, 0, 0, 1}), real({2}, {-2, 1})});
  CHECK(results[0].real == std::vector<double>{0, 3, 1, 5});
}

TEST_CASE("gather and scatter_add skip indices outside the axis", "[reference]") {
  const Tensor x = real({3, 2}, {1, 2, 3, 4, 5, 6}), index = integer(i64, {4}, {2, -1, 0, 3});
  const std::string text = "input %x: f64[3,2] input %i: i64[4] %0 = gather(%x, %i) : f64[4,2] output %0";
  const Tensor rows = run(text, {x, index})[0];
  CHECK(rows.real[0] == 5);
  CHECK(rows.real[1] == 6);
  for (size_t i : {2, 3, 6, 7}) CHECK(std::isnan(rows.real[i]));
  CHECK(rows.real[4] == 1);
  CHECK(rows.real[5] == 2);
  CHECK(run("input %x: u8[3] input %i: i64[2] %0 = gather(%x, %i) : u8[2] output %0",
            {integer(u8, {3}, {7, 8, 9}), integer(i64, {2}, {1, 5})})[0]
            .integer == std::vector<int64_t>{8, 0});
  CHECK(run("input %x: f64[2,2] input %i: i64[3] input %u: f64[2,3] %0 = scatter_add(%x, %i, %u) {axis = 1} : f64[2,2] "
            "output %0",
            {real({2, 2}, {1, 2, 3, 4}), integer(i64, {3}, {1, 1, 2}), real({2, 3}, {10, 20, 30, 40, 50, 60})})[0]
            .real == std::vector<double>{1, 32, 3, 94});
  CHECK(run("input %x: u8[1] input %i: i64[2] input %u: u8[2] %0 = scatter_add(%x, %i, %u) : u8[1] output %0",
            {integer(u8, {1}, {100}), integer(i64, {2}, {0, 0}), integer(u8, {2}, {100, 100})})[0]
            .integer[0] == 44);
}

TEST_CASE("random bits are those of support/philox.h", "[reference]") {
  const int64_t seed = 0x123456789abcdef, step = 42;
  const std::vector<Tensor> results = run(R"(
    input %key: i64[2]
    %0 = random_bits(%key) {shape = [5,3], site = 7} : i32[5,3]
    %1 = random_uniform(%key) {shape = [5,3], site = 7, dtype = f64} : f64[5,3]
    output %0 output %1)",
                                          {integer(i64, {2}, {seed, step})});
  for (size_t i = 0; i < 15; ++i) {
    const uint32_t bits = random_bits(seed, 7, step, i);
    CHECK(results[0].integer[i] == static_cast<int32_t>(bits));
    CHECK(results[1].real[i] == uniform_from_bits(bits));
  }
}

TEST_CASE("regions run their bodies", "[reference]") {
  const std::vector<Tensor> results = run(R"(
    input %x: f64[2] input %y: f64[2]
    %0, %1 = kernel(%x, %y) : f64[2], f64[] {
      input %a: f64[2] input %b: f64[2]
      %0, %1 = fused(%a, %b) : f64[2], f64[2] {
        input %p: f64[2] input %q: f64[2]
        %0 = mul(%p, %q) : f64[2]
        output %0 output %p
      }
      %2 = fused(%0) : f64[] {
        input %z: f64[2]
        %0 = sum(%z) {axes = [0]} : f64[]
        output %0
      }
      output %1 output %2
    }
    output %0 output %1)",
                                          {real({2}, {1, 2}), real({2}, {3, 4})});
  CHECK(results[0].real == std::vector<double>{1, 2});
  CHECK(results[1].real == std::vector<double>{11});
}

TEST_CASE("inputs must have the graph's types", "[reference]") {
  CHECK_THROWS_AS(run("input %x: f64[2] output %x", {}), InternalError);
  CHECK_THROWS_AS(run("input %x: f64[2] output %x", {real({3}, {1, 2, 3})}), InternalError);
  CHECK(run("input %x: f64[2] output %x output %x", {real({2}, {1, 2})})[1].real == std::vector<double>{1, 2});
}

TEST_CASE("a program describes its inputs and outputs", "[reference]") {
  const ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2,3] at "a.cpp":1 "fc"
  input %s: i64[] state
  output y = %x at "a.cpp":2, "a.cpp":3
  output t = %s aliases %s
}
)");
  const auto program = reference::compile(module);
  REQUIRE(program->inputs().size() == 2);
  REQUIRE(program->outputs().size() == 2);
  CHECK(program->inputs()[0].name == "x");
  CHECK(program->inputs()[0].dtype == f32);
  CHECK(program->inputs()[0].shape == Shape{2, 3});
  CHECK(program->inputs()[0].where == "a.cpp:1 (fc)");
  CHECK(program->inputs()[1].bytes() == 8);
  CHECK(program->outputs()[0].where == "a.cpp:2, a.cpp:3");
  CHECK_FALSE(program->outputs()[0].alias);
  CHECK(program->outputs()[1].alias == 1);
}

TEST_CASE("a program rounds its results to their memory", "[reference]") {
  const auto program = reference::compile(ir::parse(R"(weft 1
func @f {
  input %x: f32[2]
  %0 = exp(%x) : f32[2]
  %1 = cast(%0) {dtype = i32} : i32[2]
  output y = %0
  output i = %1
}
)"));
  Array x = Array::of<float>({2}, std::vector<float>{0.5f, -3.0f});
  std::byte* inputs[] = {x.data()};
  program->run(inputs);
  CHECK(load_element(f32, program->output(0), 0) == static_cast<float>(std::exp(0.5)));
  CHECK(load_element(i32, program->output(1), 0) == 1);
  x.set(0, 2);
  program->run(inputs);
  CHECK(load_element(i32, program->output(1), 0) == 7);
  CHECK(x.at(0) == 2);
}

TEST_CASE("aliased outputs are written over their inputs once all are computed", "[reference]") {
  const auto program = reference::compile(ir::parse(R"(weft 1
func @swap {
  input %a: f64[2] state
  input %b: f64[2] state
  input %x: f64[2]
  %0 = add(%a, %x) : f64[2]
  output a = %b aliases %a
  output b = %0 aliases %b
  output old = %a
}
)"));
  Array a = Array::of<double>({2}, std::vector<double>{1, 2}), b = Array::of<double>({2}, std::vector<double>{3, 4});
  Array x = Array::of<double>({2}, std::vector<double>{10, 20});
  std::byte* inputs[] = {a.data(), b.data(), x.data()};
  program->run(inputs);
  CHECK(program->output(0) == a.data());
  CHECK(program->output(1) == b.data());
  CHECK(a.at(0) == 3);
  CHECK(a.at(1) == 4);
  CHECK(b.at(0) == 11);
  CHECK(b.at(1) == 22);
  CHECK(load_element(f64, program->output(2), 0) == 1);
  program->run(inputs);
  CHECK(a.at(0) == 11);
  CHECK(b.at(0) == 13);
  CHECK(x.at(0) == 10);
}
