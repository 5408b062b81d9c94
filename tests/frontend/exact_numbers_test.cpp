// Numbers at the ends of what types hold: integers that no double holds, f16 whose squares it does not hold.

#include <limits>

#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::evaluate;
using testing::tensor;

namespace {

std::vector<double> of(Tensor (*compute)()) {
  Graph g("g");
  return evaluate(g, compute());
}

}  // namespace

TEST_CASE("a full tensor of integers holds what it is told to the last bit") {
  constexpr int64_t odd = (int64_t{1} << 60) + 1;
  CHECK(of([] { return full({1}, odd, i64) - (odd - 1); }) == std::vector<double>{1});
  CHECK(of([] { return full_like(zeros({1}, i64), odd) - (odd - 1); }) == std::vector<double>{1});
}

TEST_CASE("triangles reach to the last diagonal that can be named") {
  constexpr int64_t most = std::numeric_limits<int64_t>::max(), least = std::numeric_limits<int64_t>::min();
  const std::vector<double> all{1, 2, 3, 4}, none(4, 0);
  CHECK(of([] { return tril(tensor({1, 2, 3, 4}, {2, 2}), most); }) == all);
  CHECK(of([] { return triu(tensor({1, 2, 3, 4}, {2, 2}), most); }) == none);
  CHECK(of([] { return tril(tensor({1, 2, 3, 4}, {2, 2}), least); }) == none);
  CHECK(of([] { return triu(tensor({1, 2, 3, 4}, {2, 2}), least); }) == all);
}

TEST_CASE("infinities become the largest number of their own type") {
  for (const auto& [dtype, largest] : {std::pair{f16, 65504.0},
                                       {bf16, 0x1.fep127},
                                       {f32, static_cast<double>(std::numeric_limits<float>::max())},
                                       {f64, std::numeric_limits<double>::max()}}) {
    INFO(name_of(dtype));
    Graph g("g");
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(evaluate(g, nan_to_num(tensor({infinity, -infinity, std::nan("")}, {3}, dtype))) == std::vector<double>{largest, -largest, 0});
  }
}

TEST_CASE("lengths and deviations of f16 are rounded once, though it does not hold their squares") {
  const auto x = [] { return tensor({300, -400}, {2}, f16); };
  Graph g("g");
  CHECK(evaluate(g, norm(x())) == std::vector<double>{500});
  Graph deviation("deviation");
  CHECK(evaluate(deviation, stddev(x(), 0, 0)) == std::vector<double>{350});
  Graph direction("direction");
  CHECK(evaluate(direction, normalize(tensor({48000, -36000}, {2}, f16), 2, 0)) ==
        std::vector<double>{from_f16(to_f16(0.8F)), from_f16(to_f16(-0.6F))});
  Graph distance("distance");
  CHECK(evaluate(distance, cdist(tensor({300, 0}, {1, 2}, f16), tensor({0, 400}, {1, 2}, f16))) == std::vector<double>{500});
  Graph angle("angle");
  CHECK(evaluate(angle, cosine_similarity(tensor({60000, 0}, {2}, f16), tensor({60000, 0}, {2}, f16), 0)) == std::vector<double>{1});
  Graph many("many");
  CHECK(evaluate(many, logsumexp(zeros({70000}, f16), 0)) == std::vector<double>{from_f16(to_f16(std::log(70000.0F)))});
}

TEST_CASE("the derivatives of x^0 are 0 at 0, all of them") {
  Graph g("g");
  const Tensor x = g.input("x", f32, {2});
  const auto [first] = gradients<1>(sum(pow(x, zeros({2}))), {x});
  const auto [second] = gradients<1>(sum(first * x), {x});
  g.output("first", first), g.output("second", second);
  Step step = compile(g, Target::reference());
  const Results r = step({{"x", std::vector<float>{0, 2}}});
  for (const char* name : {"first", "second"})
    for (int64_t i = 0; i < 2; ++i) CHECK(r[name].array().at(i) == 0);
}

TEST_CASE("of LSTM and GRU there is no nonlinearity to choose") {
  CHECK_THROWS_WITH(nn::LSTM(2, 3, {.nonlinearity = "relu"}),
                    contains_text("only nn::RNN has a nonlinearity") && contains_text(testing::line()));
  CHECK_THROWS_WITH(nn::GRU(2, 3, {.nonlinearity = "sigmoid"}), contains_text("only nn::RNN has a nonlinearity"));
  CHECK_NOTHROW(nn::RNN(2, 3, {.nonlinearity = "relu"}));
}
