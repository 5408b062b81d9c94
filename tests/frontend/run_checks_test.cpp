// CompileOptions::check_finite: what a program computes that it should not.

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::line;

namespace {

/// A table's rows at indices that are computed: round(x).
struct Computed {
  explicit Computed(Tensor (*use)(Tensor index)) {
    Graph g("g");
    Tensor x = g.input("x", f32, {3});
    const Tensor index = cast(x, i64);
    g.output("y", use(index));
    for (const bool checked : {false, true}) steps.push_back(compile(g, Target::cpu(), {.check_finite = checked}));
  }
  void run(bool checked, const std::vector<float>& x) { steps[checked]({{"x", x}}); }
  std::vector<Step> steps;
};

std::string made;

}  // namespace

TEST_CASE("a computed index out of its range is said under check_finite, with the op's line and bound") {
  const std::pair<const char*, Tensor (*)(Tensor)> uses[] = {
      {"gather", [](Tensor i) { return made = line(), gather(ones({4, 2}), i); }},
      {"gather", [](Tensor i) { return made = line(), embedding(i, ones({4, 2})); }},
      {"gather", [](Tensor i) { return made = line(), gather(ones({4, 2}, i64), i + 0); }},
      {"one_hot", [](Tensor i) { return made = line(), one_hot(i, 4); }},
      {"scatter_add", [](Tensor i) { return made = line(), scatter_add(zeros({4, 2}), i, ones({3, 2})); }},
      {"cross_entropy", [](Tensor i) { return made = line(), cross_entropy(ones({3, 4}), i); }},
      {"nll_loss", [](Tensor i) { return made = line(), nll_loss(ones({3, 4}), i, {.ignore_index = 9}); }},
      {"nll_loss", [](Tensor i) { return made = line(), multi_margin_loss(ones({3, 4}), i); }},
  };
  for (const auto& [op, use] : uses) {
    INFO(op << " " << made);
    Computed c(use);
    for (const float bad : {4.0f, -1.0f}) {
      CHECK_NOTHROW(c.run(false, {0, bad, 3}));
      CHECK_THROWS_WITH(c.run(true, {0, bad, 3}),
                        contains_text(bad > 0 ? "the index 4 is computed for " : "the index -1 is computed for ") && contains_text(op) &&
                            contains_text(made) && contains_text("takes indices below 4"));
    }
    CHECK_NOTHROW(c.run(true, {0, 1, 3}));
  }
  Computed ignoring([](Tensor i) { return nll_loss(ones({3, 4}), i, {.ignore_index = 9}); });
  CHECK_NOTHROW(ignoring.run(true, {0, 9, 3}));
}

TEST_CASE("a result or a new parameter that is not finite is said under check_finite") {
  Parameter w("w", {1.0, 2.0});
  Graph g("g");
  Tensor x = g.input("x", f32, {2});
  g.output("safe", sum(x));
  const std::string at = line(1);
  g.output("log", log(x));
  g.update(w, w / x);
  const test::TempDir dir;
  Step step = compile(g, Target::cpu(), {.check_finite = true, .reproducer = dir / "r"});
  CHECK_NOTHROW(step({{"x", std::vector<float>{1, 2}}}));
  CHECK_THROWS_WITH(step({{"x", std::vector<float>{1, -2}}}), contains_text("element [1] is nan: the result of log") && contains_text(at));
  CHECK_THROWS_WITH(step({{"x", std::vector<float>{0, 1}}}), contains_text("element [0] is -inf: the result of log"));
}

TEST_CASE("a training step with check_finite trains as without") {
  const auto trained = [](bool checked) {
    manual_seed(2);
    nn::Linear net(2, 2);
    optim::Adam adam;
    Graph g("g");
    Tensor x = g.input("x", f32, {4, 2}), y = g.input("y", i64, {4});
    Tensor loss = g.output("loss", cross_entropy(net(x), y));
    Step step = compile(training_step(g, loss, net.parameters(), adam), Target::cpu(), {.seed = 1, .check_finite = checked});
    for (int i = 0; i < 3; ++i) step({{"x", std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}}, {"y", std::vector<int64_t>{0, 1, 1, 0}}});
    return net.weight.values<float>();
  };
  CHECK(trained(true) == trained(false));
}
