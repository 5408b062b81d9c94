// Lengths, labels, offsets and probabilities that are fed: each that means nothing is an error of the step, with its place.

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

using Integers = std::vector<int64_t>;

/// Runs a step of one input.
template <class T>
void run(Step& step, const std::string& name, const std::vector<T>& values) {
  step({{name, values}});
}

}  // namespace

TEST_CASE("an alignment's lengths and labels are checked where they are fed") {
  Graph g("ctc");
  const Tensor targets = g.input("targets", i32, {2, 3}), inputs = g.input("inputs", i64, {2}), labels = g.input("labels", i64, {2});
  g.output("loss", ctc_loss(log_softmax(random_normal({5, 2, 4}), -1), targets, inputs, labels, {.reduction = "none"}));
  Step step = compile(g, Target::cpu());
  const auto losses = [&](std::vector<int32_t> classes, Integers of_inputs, Integers of_labels) {
    return step({{"targets", classes}, {"inputs", of_inputs}, {"labels", of_labels}})["loss"].array();
  };
  const std::vector<int32_t> classes{1, 2, 3, 3, 2, 1};
  CHECK_NOTHROW(losses(classes, {5, 0}, {3, 0}));
  CHECK(std::isfinite(losses({1, 2, -1, 3, -1, -1}, {5, 5}, {2, 1}).at(0)));
  CHECK(std::isfinite(losses({1, 2, -100, 3, -100, -1}, {5, 5}, {2, 1}).at(0)));
  for (const int32_t none : {-1, -100}) CHECK(std::isnan(losses({1, none, 3, 3, -1, -1}, {5, 5}, {2, 1}).at(0)));
  const Array missing = losses({1, -1, 3, 3, -1, -1}, {5, 5}, {2, 1});
  CHECK(std::isfinite(missing.at(1)));
  const auto refused = [&](std::vector<int32_t> labels, Integers of_inputs, Integers of_labels, const std::string& input,
                           const std::string& why) {
    CHECK_THROWS_WITH(losses(labels, of_inputs, of_labels), contains_text("'" + input + "'") && contains_text(why));
  };
  refused({1, 2, 3, 3, 4, 1}, {5, 5}, {3, 3}, "targets", "labels below 4 (or -1, -100), but element 4 is 4");
  refused({1, 2, 3, 3, 2, -2}, {5, 5}, {3, 3}, "targets", "element 5 is -2");
  refused(classes, {5, 6}, {3, 3}, "inputs", "lengths below 6, but element 1 is 6");
  refused(classes, {5, 5}, {4, 3}, "labels", "lengths below 4, but element 0 is 4");
  refused(classes, {5, 5}, {3, -1}, "labels", "element 1 is -1");
}

TEST_CASE("the lengths of sequences are checked where they are fed") {
  nn::GRU gru(2, 3);
  Graph g("lengths");
  const Tensor lengths = g.input("lengths", i32, {2});
  g.output("y", gru(random_normal({4, 2, 2}), {.lengths = lengths}).output);
  Step step = compile(g, Target::cpu());
  CHECK_NOTHROW(run(step, "lengths", std::vector<int32_t>{0, 4}));
  CHECK_THROWS_WITH(run(step, "lengths", std::vector<int32_t>{5, 1}), contains_text("lengths below 5, but element 0 is 5"));
  CHECK_THROWS_WITH(run(step, "lengths", std::vector<int32_t>{1, -1}), contains_text("element 1 is -1"));
}

TEST_CASE("the offsets of bags are checked where they are fed: from 0, and none below the one before") {
  for (const bool last : {false, true}) {
    INFO(last);
    nn::EmbeddingBag bag(4, 1, {.mode = "sum", .include_last_offset = last});
    bag.weight.set_values(std::vector<float>{1, 10, 100, 1000});
    Graph g("bags");
    const Tensor index = g.input("index", i64, {5}), offsets = g.input("offsets", i64, {3});
    g.output("y", bag(index, offsets));
    Step step = compile(g, Target::cpu());
    const Integers rows{0, 1, 2, 3, 0};
    const auto sums = [&](const Integers& starts) { return step({{"index", rows}, {"offsets", starts}})["y"].array(); };
    CHECK(sums({0, 2, 2}).at(0) == 11);
    CHECK(sums({0, 2, 5}).at(1) == 1101);
    CHECK_THROWS_WITH(sums({1, 3, 4}),
                      contains_text("'offsets'") && contains_text("offsets below 6 that ascend from 0, but element 0 is 1"));
    CHECK_THROWS_WITH(sums({0, 3, 2}), contains_text("element 2 is 2"));
    CHECK_THROWS_WITH(sums({0, 3, 6}), contains_text("element 2 is 6"));
  }
}

TEST_CASE("labels of several classes are checked where they are fed, but for the -1 that ends them") {
  Graph g("labels");
  g.output("loss", multilabel_margin_loss(random_normal({2, 3}), g.input("labels", i64, {2, 3})));
  Step step = compile(g, Target::cpu());
  CHECK_NOTHROW(run(step, "labels", Integers{0, -1, 2, 2, 1, 0}));
  CHECK_THROWS_WITH(run(step, "labels", Integers{0, 3, -1, 0, -1, -1}), contains_text("labels below 3 (or -1), but element 1 is 3"));
  CHECK_THROWS_WITH(run(step, "labels", Integers{0, -1, -2, 0, -1, -1}), contains_text("element 2 is -2"));
  CHECK_THROWS_WITH(run(step, "labels", Integers{0, -1, -100, 0, -1, -1}),
                    contains_text("element 2 is -100") && !contains_text("ignore_index"));
}

TEST_CASE("probabilities to draw by are checked where they are fed") {
  for (const DType dtype : {f32, f64}) {
    Graph g("draws");
    g.output("y", bernoulli(reshape(g.input("p", dtype, {3}), {3, 1})));
    Step step = compile(g, Target::cpu());
    const auto drawn = [&](double last) {
      Array p(dtype, {3});
      p.set(0, 0), p.set(1, 1), p.set(2, last);
      return step({{"p", p}})["y"].array();
    };
    CHECK(drawn(0.5).at(0) == 0);
    CHECK(drawn(0.5).at(1) == 1);
    for (const double bad : {-0.5, 1.5, std::nan("")})
      CHECK_THROWS_WITH(drawn(bad), contains_text("holds numbers from 0 to 1, but element 2 is not one of them"));
  }
}
