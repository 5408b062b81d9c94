// What functions that order elements refuse, that they run without a call of their own, and random orders and choices.

#include <algorithm>
#include <set>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::tensor;

namespace {

void refuses(const std::string& function, const std::string& requirement, const std::function<void()>& call,
             std::source_location at = std::source_location::current()) {
  std::string message = "nothing was thrown";
  try {
    call();
  } catch (const Error& error) {
    message = error.what();
  }
  INFO(message);
  CHECK(message.starts_with(function + ": "));
  CHECK_THAT(message, contains_text(requirement));
  CHECK_THAT(message, contains_text(testing::line(0, at)));
}

int64_t count(const std::vector<double>& all, double value) { return std::count(all.begin(), all.end(), value); }

}  // namespace

TEST_CASE("orders that there are not are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3}), flags = zeros({3}, boolean), n = zeros({3}, i64);
  refuses("sort", "axis 2 is out of range", [&] { sort(x, 2); });
  refuses("argsort", "axis -3 is out of range", [&] { argsort(x, -3); });
  refuses("topk", "k must be 0 to 3, the extent of axis 1, not 4", [&] { topk(x, 4); });
  refuses("topk", "not -1", [&] { topk(x, -1, 0); });
  refuses("kthvalue", "k must be 1 to 3, the extent of axis 1, not 0", [&] { kthvalue(x, 0); });
  refuses("median", "must be a number, but is bool", [&] { median(flags); });
  refuses("median", "an empty axis has no median", [&] { median(zeros({2, 0}), 1); });
  refuses("median", "of no elements", [&] { median(zeros({0}, i64)); });
  refuses("quantile", "x must be floating", [&] { quantile(n, 0.5); });
  refuses("quantile", "q must be in [0, 1], not 1.5", [&] { quantile(x, 1.5); });
  refuses("quantile", "not \"cubic\"", [&] { quantile(x, 0.5, 1, false, "cubic"); });
  refuses("quantile", "of no elements there is no quantile", [&] { quantile(zeros({0}), 0.5); });
  refuses("quantile", "q must name at least one number", [&] { quantile(x, std::vector<double>{}); });
  refuses("searchsorted", "the sequence must have an axis", [&] { searchsorted(zeros({}), x); });
  refuses("searchsorted", "all axes but the last one", [&] { searchsorted(x, zeros({3, 2})); });
  refuses("bucketize", "the boundaries must have one axis", [&] { bucketize(x, x); });
  refuses("multinomial", "the weights must be floating", [&] { multinomial(n, 1); });
  refuses("multinomial", "one axis or two", [&] { multinomial(zeros({2, 2, 2}), 1); });
  refuses("multinomial", "num_samples must be positive, not 0", [&] { multinomial(x, 0); });
  refuses("multinomial", "without replacement there are 3 samples at most, not 4", [&] { multinomial(x, 4); });
}

TEST_CASE("alignments that there are not are refused") {
  Graph g("errors");
  const Tensor x = zeros({5, 2, 4}), targets = zeros({2, 3}, i64), lengths = ones({2}, i64);
  refuses("ctc_loss", "log_probs must be floating", [&] { ctc_loss(zeros({5, 2, 4}, i64), targets, lengths, lengths); });
  refuses("ctc_loss", "must be [T, N, C] or [T, C]", [&] { ctc_loss(zeros({4}), targets, lengths, lengths); });
  refuses("ctc_loss", "the targets must be i64", [&] { ctc_loss(x, zeros({2, 3}), lengths, lengths); });
  refuses("ctc_loss", "the targets must be [N, S], a row for each sequence", [&] { ctc_loss(x, zeros({6}, i64), lengths, lengths); });
  refuses("ctc_loss", "without a batch the targets must be [S]", [&] { ctc_loss(zeros({5, 4}), targets, 5, 3); });
  refuses("ctc_loss", "the blank must be one of 4 classes, not 4", [&] { ctc_loss(x, targets, lengths, lengths, {.blank = 4}); });
  refuses("ctc_loss", "input_lengths must be integers, one or [2]", [&] { ctc_loss(x, targets, zeros({3}, i64), lengths); });
  refuses("ctc_loss", "target_lengths must be integers, one or [2]", [&] { ctc_loss(x, targets, lengths, zeros({2})); });
  refuses("ctc_loss", "no reduction is called \"max\"", [&] { ctc_loss(x, targets, lengths, lengths, {.reduction = "max"}); });
  CHECK(ctc_loss(x, targets, 5, 3, {.reduction = "none"}).shape() == Shape{2});
}

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
  refuses("randperm", "must not be negative, but is -1", [] { randperm(-1); });
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
