// Element types of results, numbers among operands, broadcasting. What is expected is what torch.result_type gives.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::evaluate;
using weft::testing::line;
using weft::testing::tensor;

TEST_CASE("tensors promote by category, then by width") {
  Graph g("types");
  const auto make = [&](DType t) { return tensor({1, 2}, {2}, t); };
  const DType order[] = {u8, i16, i32, i64, f16, f32, f64};
  for (size_t a = 0; a < std::size(order); ++a)
    for (size_t b = 0; b < std::size(order); ++b) CHECK((make(order[a]) + make(order[b])).dtype() == order[std::max(a, b)]);
  CHECK((make(boolean) * make(u8)).dtype() == u8);
  CHECK((make(boolean) == make(f32)).dtype() == boolean);
}

TEST_CASE("a scalar tensor promotes tensors with axes only by its category") {
  Graph g("types");
  CHECK((tensor({1}, {}, f64) + tensor({1, 2}, {2}, f32)).dtype() == f32);
  CHECK((tensor({1}, {}, f32) + tensor({1, 2}, {2}, i64)).dtype() == f32);
  CHECK((tensor({1}, {}, i64) + tensor({1, 2}, {2}, u8)).dtype() == u8);
  CHECK((tensor({1}, {}, f64) + tensor({1}, {}, f32)).dtype() == f64);
}

TEST_CASE("a number takes the other operand's type") {
  Graph g("types");
  const Tensor floats = tensor({1, 2}, {2}), halves = tensor({1, 2}, {2}, bf16), bytes = tensor({1, 2}, {2}, u8),
               longs = tensor({1, 2}, {2}, i64), flags = tensor({1, 0}, {2}, boolean);
  CHECK((floats + 1).dtype() == f32);
  CHECK((floats + 0.5).dtype() == f32);
  CHECK((halves * 0.5).dtype() == bf16);
  CHECK((1 - bytes).dtype() == u8);
  CHECK((longs + 0.5).dtype() == f32);
  CHECK((flags + 1).dtype() == i64);
  CHECK((flags + 0.5).dtype() == f32);
  CHECK((longs > 0.5).dtype() == boolean);
  CHECK(evaluate(g, longs > 1.5) == std::vector<double>{0, 1});
}

TEST_CASE("a large integer keeps every digit") {
  Graph g("types");
  const Tensor t = tensor({0, 0}, {2}, i64) + ((int64_t{1} << 53) + 1);
  g.output("t", t);
  Step step = compile(g, Target::reference());
  CHECK(step()["t"].values<int64_t>() == std::vector<int64_t>(2, (int64_t{1} << 53) + 1));
}

TEST_CASE("division of integers is true division, floating functions compute in the default type") {
  Graph g("types");
  const Tensor longs = tensor({1, 3}, {2}, i64);
  CHECK((longs / 2).dtype() == f32);
  CHECK(exp(longs).dtype() == f32);
  CHECK(floor(longs).dtype() == i64);
  CHECK(sum(tensor({1, 1}, {2}, boolean)).dtype() == i64);
  CHECK(sum(tensor({1, 1}, {2}, i32)).dtype() == i64);
  CHECK(evaluate(g, longs / 2) == std::vector<double>{0.5, 1.5});
}

TEST_CASE("the default type is what new parameters, zeros and lone numbers have") {
  set_default_dtype(f64);
  Graph g("types");
  CHECK(Parameter("w", {1.0f}).dtype() == f64);
  CHECK(nn::Linear(2, 2).weight.dtype() == f64);
  CHECK(zeros({2}).dtype() == f64);
  CHECK((tensor({1}, {1}, i64) + 0.5).dtype() == f64);
  set_default_dtype(f32);
  CHECK(nn::Linear(2, 2, {.dtype = f64}).bias.dtype() == f64);
  CHECK_THROWS_WITH(set_default_dtype(i64), contains_text("i64 is no floating type"));
}

TEST_CASE("shapes broadcast from the right") {
  Graph g("shapes");
  const Tensor column = tensor({10, 20}, {2, 1}), row = tensor({1, 2, 3}, {3});
  CHECK((column + row).shape() == Shape{2, 3});
  CHECK(evaluate(g, column + row) == std::vector<double>{11, 12, 13, 21, 22, 23});
}

TEST_CASE("shapes that do not broadcast: both are named, and the line") {
  Graph g("shapes");
  const Tensor a = zeros({64, 10}), b = zeros({63});
  const auto sum = [&] { return a + b; };
  const std::string at = line(-1);
  CHECK_THROWS_WITH(sum(),
                    contains_text("add: the shapes do not broadcast") && contains_text("f32[64,10], f32[63]") && contains_text("at " + at));
}

TEST_CASE("integers between integer bounds stay integers, to the last digit") {
  // torch.clamp, hardtanh, relu6 and pow of integers, torch 2.15.
  Graph g("types");
  const Tensor longs = tensor({16777217, -5, 3}, {3}, i64), ints = tensor({16777217, -5, 3}, {3}, i32), bytes = tensor({3, 200}, {2}, u8),
               flags = tensor({1, 0}, {2}, boolean);
  const std::tuple<const char*, Tensor, DType, std::vector<double>> rows[] = {
      {"clamp", clamp(longs, -1, 16777217), i64, {16777217, -1, 3}},
      {"clamp from below", clamp(longs, 0), i64, {16777217, 0, 3}},
      {"clamp from above", clamp(longs, {}, 2), i64, {2, -5, 2}},
      {"the upper bound wins", clamp(longs, 5, 2), i64, {2, 2, 2}},
      {"a floating bound", clamp(longs, 0.5), f32, {16777216, 0.5, 3}},
      {"i32", clamp(ints, -2, int64_t{1} << 40), i32, {16777217, -2, 3}},
      {"i32 and a floating bound", clamp(ints, 1.5), f32, {16777216, 1.5, 3}},
      {"u8", clamp(bytes, -1, 100), u8, {3, 100}},
      {"bool", clamp(flags, 0, 1), i64, {1, 0}},
      {"bf16 and an integer bound", clamp(tensor({-3, 3}, {2}, bf16), 1), bf16, {1, 3}},
      {"hardtanh", hardtanh(longs), i64, {1, -1, 1}},
      {"hardtanh cuts its bounds off", hardtanh(longs, -1.5, 2.75), i64, {2, -1, 2}},
      {"hardtanh of u8", hardtanh(bytes), u8, {1, 1}},
      {"relu6", relu6(longs), i64, {6, 0, 3}},
      {"relu6 of floats", relu6(tensor({-1, 2.5, 7}, {3})), f32, {0, 2.5, 6}},
      {"relu", relu(ints), i32, {16777217, 0, 3}},
      {"abs", abs(ints), i32, {16777217, 5, 3}},
      {"sign", sign(longs), i64, {1, -1, 1}},
      {"maximum", maximum(longs, 4), i64, {16777217, 4, 4}},
      {"minimum", minimum(longs, 16777218), i64, {16777217, -5, 3}},
      {"pow", pow(longs, 2), i64, {281475010265089, 25, 9}},
      {"pow wraps", pow(ints, 3), i32, {50331649, -125, 27}},
      {"pow of u8", pow(bytes, 3), u8, {27, 0}},
      {"pow of bool", pow(flags, 2), i64, {1, 0}},
      {"pow 0", pow(longs, 0), i64, {1, 1, 1}},
      {"pow of a floating exponent", pow(longs, 2.0), f32, {2.81474976710656e14, 25, 9}},
      {"square", square(bytes), u8, {9, 64}},
  };
  for (const auto& [name, t, dtype, want] : rows) {
    INFO(name);
    CHECK(t.dtype() == dtype);
    g.output(name, t);
  }
  for (const Target& target : {Target::cpu(), Target::reference()}) {
    Step step = compile(g, target);
    const Results r = step();
    for (const auto& [name, t, dtype, want] : rows) {
      INFO(name);
      const Array got = r[name].array();
      for (size_t i = 0; i < want.size(); ++i) CHECK(got.at(static_cast<int64_t>(i)) == want[i]);
    }
  }
}

TEST_CASE("bounds that no integer of the type keeps, and integers' negative powers, are refused") {
  Graph g("types");
  const Tensor ints = tensor({1, 2}, {2}, i32), bytes = tensor({1, 2}, {2}, u8);
  CHECK_THROWS_WITH(clamp(ints, int64_t{1} << 40),
                    contains_text("clamp: no i32 keeps the lower bound 1099511627776") && contains_text(line()));
  CHECK_THROWS_WITH(clamp(bytes, {}, -1), contains_text("no u8 keeps the upper bound -1"));
  CHECK_THROWS_WITH(clamp(ints, ints), contains_text("the bounds must be numbers"));
  CHECK_THROWS_WITH(clamp(tensor({1}, {1}, boolean), true), contains_text("but is bool"));
  CHECK_THROWS_WITH(pow(ints, -1), contains_text("no negative powers"));
  CHECK_THROWS_WITH(hardtanh(ints, 3, 1), contains_text("must not be above"));
}
