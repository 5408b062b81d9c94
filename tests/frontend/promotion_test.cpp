// Element types of results, numbers among operands, broadcasting. What is expected is what torch.result_type gives.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::evaluate;
using weft::testing::line;
using weft::testing::tensor;

TEST_CASE("tensors promote by category, then by width") {
  Graph g("types");
  const auto make = [&](DType t) { return tensor({1, 2}, {2}, t); };
  const DType order[] = {u8, i32, i64, bf16, f32, f64};
  for (size_t a = 0; a < std::size(order); ++a)
    for (size_t b = 0; b < std::size(order); ++b)
      CHECK((make(order[a]) + make(order[b])).dtype() == order[std::max(a, b)]);
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
  CHECK_THROWS_WITH(sum(), contains_text("add: the shapes do not broadcast") && contains_text("f32[64,10], f32[63]") &&
                               contains_text("at " + at));
}
