// Functions that order elements: that they run without a call of their own, and random orders and choices.

#include <algorithm>
#include <set>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::tensor;

namespace {

int64_t count(const std::vector<double>& all, double value) { return std::count(all.begin(), all.end(), value); }

}  // namespace

TEST_CASE("a random permutation has every number once, another one at each call and step") {
  Graph g("permutation");
  g.output("p", randperm(500));
  g.output("q", randperm(500, i32));
  g.output("none", randperm(0));
  Step step = compile(g, Target::cpu(), {.seed = 3}), other = compile(g, Target::reference(), {.seed = 3});
  std::set<std::vector<int64_t>> all;
  for (int i = 0; i < 3; ++i) {
    const Results results = step(), same = other();
    for (const char* name : {"p", "q"}) {
      std::vector<int64_t> order, expected;
      for (int64_t e = 0; e < 500; ++e) {
        order.push_back(static_cast<int64_t>(results[name].array().at(e)));
        expected.push_back(static_cast<int64_t>(same[name].array().at(e)));
      }
      CHECK(order == expected);
      CHECK(all.insert(order).second);
      std::sort(order.begin(), order.end());
      for (int64_t e = 0; e < 500; ++e) REQUIRE(order[static_cast<size_t>(e)] == e);
    }
    CHECK(results["q"].array().dtype() == i32);
    CHECK(results["none"].array().shape() == Shape{0});
  }
}

TEST_CASE("categories are drawn by their weights") {
  Graph g("categories");
  const Tensor weights = tensor({1, 0, 3, 4}, {4});
  const std::vector<double> drawn = testing::evaluate(g, multinomial(weights, 8000, true));
  CHECK(std::abs(count(drawn, 0) - 1000) < 130);
  CHECK(count(drawn, 1) == 0);
  CHECK(std::abs(count(drawn, 2) - 3000) < 200);
  CHECK(std::abs(count(drawn, 3) - 4000) < 200);

  // Without replacement the first one is drawn as with it, and the second by what is left.
  Graph rows("categories");
  const int64_t many = 8000;
  const std::vector<double> pairs = testing::evaluate(rows, multinomial(tensor({1, 0, 3, 4}, {4}).expand({many, 4}), 2));
  std::vector<double> first, second;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    first.push_back(pairs[i]), second.push_back(pairs[i + 1]);
    REQUIRE(pairs[i] != pairs[i + 1]);
  }
  CHECK(count(first, 1) + count(second, 1) == 0);
  CHECK(std::abs(count(first, 0) - 1000) < 130);
  CHECK(std::abs(count(first, 3) - 4000) < 200);
  // 3/8 * 1/5 + 4/8 * 1/4
  CHECK(std::abs(count(second, 0) - 1600) < 160);

  Graph all("categories");
  std::vector<double> every = testing::evaluate(all, multinomial(tensor({1, 0, 3, 0.5}, {4}), 4));
  CHECK(every[3] == 1);
  std::sort(every.begin(), every.end());
  CHECK(every == std::vector<double>{0, 1, 2, 3});
}
